/** The connection to Postgres: a real server, or PGlite in this process. Both speak through knex's `pg` client. */
import type { ConnectionOptions } from 'node:tls'
import knexFactory, { type Knex } from 'knex'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { looseClock, UsageError, type Sql } from '../../base/index.ts'
import { lockDirectory } from '../journal/index.ts'
import { SilentServer, withinLimit } from './answer-limit.ts'
import { sqlOn, type Connection } from './sql.ts'
import { wholeUrl } from './url.ts'

export interface Postgres {
  /** For statements that run with each turn or SMS. */
  readonly sql: Sql
  /** For migrations and rare statements, on the same connections. */
  readonly knex: Knex
  readonly kind: 'server' | 'embedded'
  close(): Promise<void>
}

interface Common {
  /** The schemas to use. Default: those of the database. */
  searchPath?: string[]
  /** Gets what the pool notices by itself: lost connections, warnings. Never has a password. */
  onNotice?: (notice: string) => void
}

export interface ServerSettings extends Common {
  url: string
  /** Takes precedence over a password in the URL. Called for each new connection, so that it may change. */
  password?: () => string
  /** Absent: no TLS, unless the URL has an sslmode. Read for each new connection: what is in it may change. */
  ssl?: ConnectionOptions
  /** The most connections. Default 10: more would only queue inside the server. */
  poolMax?: number
  /**
   * A pooler such as PgBouncer is between us and the server, and gives each transaction any connection. So statements
   * have no names, and the limits below, except `queryMs`, are those of the role (`ALTER ROLE … SET
   * statement_timeout`).
   */
  pooler?: 'transaction'
  /** How long a subscriber waits for a free connection. Default 1000. */
  acquireMs?: number
  /** When the server gives a statement up. Default 2000: less than a turn. */
  statementMs?: number
  /** When the server gives up waiting for a lock. Default 1000. */
  lockMs?: number
  /** When we give up a silent server and destroy the connection. Default 2500: later than the server's own limit. */
  queryMs?: number
}

export interface EmbeddedSettings extends Common {
  /** The folder of the data; created if absent. `memory://` keeps nothing. */
  embedded: string
  /** The files of a database, as PGlite dumps them, for a new one to begin with. Absent: they are made, in seconds. */
  from?: Blob
}

/** PGlite has one connection: code that asks for a second one inside a transaction gets an error after this time. */
const EMBEDDED_ACQUIRE_MS = 5000

/**
 * Opens the pool. The server need not be reachable yet. Embedded: initialises (up to 3 s the first time) and locks the
 * folder against a second process. Throws UsageError if another process has it.
 */
export async function openPostgres(settings: ServerSettings | EmbeddedSettings): Promise<Postgres> {
  return 'url' in settings ? openServer(settings) : openEmbedded(settings)
}

function openServer(settings: ServerSettings): Postgres {
  const knex = knexFactory({
    ...shared(settings),
    connection: () =>
      ({
        // pg reads it for each new connection; knex would copy an object unless a function returns it.
        get connectionString() {
          return wholeUrl(settings.url, settings.password?.())
        },
        // As the password. A copy: pg makes the key of the object that it gets invisible to the next copy.
        get ssl() {
          return settings.ssl && { ...settings.ssl }
        },
        application_name: 'ussd-connector',
        keepAlive: true,
        connectionTimeoutMillis: settings.acquireMs ?? 1000,
        ...(settings.pooler ? {} : serverLimits(settings)),
      }) as Knex.PgConnectionConfig,
    acquireConnectionTimeout: settings.acquireMs ?? 1000,
    pool: { min: 0, max: settings.poolMax ?? 10, afterCreate: afterCreate(settings) },
  })
  const sql = sqlOn(knex, { named: settings.pooler === undefined, copies: true })
  return { sql, knex, kind: 'server', close: () => knex.destroy() }
}

function serverLimits({ statementMs = 2000, lockMs = 1000 }: ServerSettings): object {
  return {
    statement_timeout: statementMs,
    lock_timeout: lockMs,
    // A transaction whose daemon forgot it must not keep its locks.
    idle_in_transaction_session_timeout: 10_000,
  }
}

/** Ten files that a daemon with a Postgres server does not need. */
const PGLITE = '@electric-sql/pglite'

/** Throws UsageError if it is not installed: it is optional, and the image goes without. */
async function pglite() {
  try {
    return await Promise.all([import('@electric-sql/pglite'), import('@electric-sql/pglite/node-postgres')])
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code !== 'ERR_MODULE_NOT_FOUND' || !message.includes(PGLITE)) throw error
    throw new UsageError(
      `postgres: embedded needs the package ${PGLITE}, which is not installed (it is optional, and the image is without it): ` +
        'set postgres.url to a server, or run `npm install --include=optional` where the program is installed',
    )
  }
}

async function openEmbedded(settings: EmbeddedSettings): Promise<Postgres> {
  const inMemory = settings.embedded.startsWith('memory://')
  if (!inMemory) mkdirSync(settings.embedded, { recursive: true, mode: 0o700 })
  const unlock = inMemory ? () => undefined : lockDirectory(settings.embedded, 'postgres')
  try {
    const dir = inMemory ? settings.embedded : join(settings.embedded, 'postgres')
    const [{ PGlite }, { createPgConfig }] = await pglite()
    const lite = await PGlite.create(dir, settings.from ? { loadDataDir: settings.from } : {})
    await lite.exec(SET_PLANNING)
    const knex = knexFactory({
      ...shared(settings),
      connection: () => createPgConfig(lite) as unknown as Knex.PgConnectionConfig,
      acquireConnectionTimeout: EMBEDDED_ACQUIRE_MS,
      pool: { min: 0, max: 1, idleTimeoutMillis: 2_147_483_647 },
    })
    const close = async () => {
      await knex.destroy()
      await lite.close()
      unlock()
    }
    return { sql: sqlOn(knex, { named: true }), knex, kind: 'embedded', close: once(close) }
  } catch (error) {
    unlock()
    throw error
  }
}

function shared(settings: Common): Knex.Config {
  const notice = (message: unknown) => settings.onNotice?.(String(message))
  return {
    client: 'pg',
    // Bindings are personal data and must not be in error messages.
    compileSqlOnError: false,
    ...(settings.searchPath ? { searchPath: settings.searchPath } : {}),
    log: { warn: notice, error: notice, deprecate: notice, debug: () => undefined },
  }
}

interface RawConnection extends Connection {
  on(event: 'error', listener: () => void): void
  connection: { stream: { destroy(): void } }
}

/**
 * How the server plans our statements. A plan is kept as long as the connection: made while a table was small, it reads
 * the whole table, and does so when that has 100,000 rows. And what seems dear is compiled (`jit`) each time it runs,
 * which takes 100 ms where the statement takes 5. A small table that is read whole all the same seems dear by that, and
 * Postgres would start two workers for its few rows. (docs/WHY.md, "Plans of Postgres")
 */
export const PLANNING = { jit: 'off', enable_seqscan: 'off', max_parallel_workers_per_gather: '0' }

const SET_PLANNING = Object.entries(PLANNING)
  .map(([name, value]) => `SET ${name} = ${value}`)
  .join('; ')

type AfterCreate = (raw: RawConnection, done: (error: Error | null, connection: RawConnection) => void) => void

function afterCreate({ pooler, queryMs = 2500 }: ServerSettings): AfterCreate {
  return (raw, done) => {
    destroyBroken(raw, queryMs)
    if (pooler) done(null, raw)
    else raw.query({ text: SET_PLANNING }, (error) => done(error, raw))
  }
}

/** The socket holds the process while an answer is awaited. */
const CLOCK = looseClock()

/**
 * After a query timeout the server may still answer, and the answer would meet the next query. After a FATAL error it
 * is about to close the connection. So the socket is destroyed: the pool drops the connection, and the server rolls
 * back. A server that has become read-only may be a standby by now, and the address may lead to another server: the
 * pool drops such a connection when it is returned.
 */
function destroyBroken(raw: RawConnection, queryMs: number): void {
  const query = withinLimit(raw.query.bind(raw), queryMs, CLOCK)
  raw.on('error', () => undefined)
  raw.query = (config, answered) =>
    query(config, (error, result) => {
      // The server's own timeout (57014) leaves the connection usable.
      const isBroken = error instanceof SilentServer || isFatal(error)
      if (isBroken || isReadOnly(error)) raw.__knex__disposed = error
      if (isBroken) raw.connection.stream.destroy()
      answered(error, result)
    })
}

function isFatal(error: unknown): boolean {
  const severity = (error as { severity?: unknown } | null)?.severity
  return severity === 'FATAL' || severity === 'PANIC'
}

function isReadOnly(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === '25006'
}

function once(run: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined
  return () => (running ??= run())
}
