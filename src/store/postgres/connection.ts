/** The connection to Postgres: a real server, or PGlite in this process. Both speak through knex's `pg` client. */
import type { ConnectionOptions } from 'node:tls'
import knexFactory, { type Knex } from 'knex'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Sql } from '../../base/index.ts'
import { lockDirectory } from '../journal/index.ts'
import { sqlOn, type Connection } from './sql.ts'
import { wholeUrl } from './url.ts'

export interface Postgres {
  /** What runs with each turn or SMS. */
  readonly sql: Sql
  /** Migrations, and what is asked rarely: on the same connections. */
  readonly knex: Knex
  readonly kind: 'server' | 'embedded'
  close(): Promise<void>
}

interface Common {
  /** Schemas to look in; the database's own default if absent. */
  searchPath?: string[]
  /** Told what the pool notices by itself: lost connections, warnings. Never holds a password. */
  onNotice?: (notice: string) => void
}

export interface ServerSettings extends Common {
  url: string
  /** Wins over a password in the URL; asked for each new connection, so that it may change. */
  password?: () => string
  /** Absent: no TLS, unless the URL has an sslmode. */
  ssl?: ConnectionOptions
  /** Connections. Default 10: more only queue inside the server. */
  poolMax?: number
  /**
   * A pooler such as PgBouncer stands between, and hands each transaction any connection of the server: no statement
   * has a name there, and the limits below but `queryMs` are the role's own (`ALTER ROLE … SET statement_timeout`).
   */
  pooler?: 'transaction'
  /** How long a subscriber waits for a free connection. Default 1000. */
  acquireMs?: number
  /** The server gives a statement up. Default 2000: less than a turn. */
  statementMs?: number
  /** The server gives a lock up. Default 1000. */
  lockMs?: number
  /** We give a silent server up and destroy the connection. Default 2500: later than the server's own limit. */
  queryMs?: number
}

export interface EmbeddedSettings extends Common {
  /** Folder of the data; made if absent. `memory://` keeps nothing. */
  embedded: string
}

/** PGlite has one connection: whoever asks for a second one inside a transaction finds out after this. */
const EMBEDDED_ACQUIRE_MS = 5000

/**
 * Opens the pool. A server need not be reachable yet. Embedded: initialises (up to 3 s the first time) and locks the
 * folder against a second process; throws UsageError if another one has it.
 */
export async function openPostgres(settings: ServerSettings | EmbeddedSettings): Promise<Postgres> {
  return 'url' in settings ? openServer(settings) : openEmbedded(settings)
}

function openServer(settings: ServerSettings): Postgres {
  const knex = knexFactory({
    ...shared(settings),
    connection: () =>
      ({
        // Read by pg for each new connection; knex would copy an object that it is not given by a function.
        get connectionString() {
          return wholeUrl(settings.url, settings.password?.())
        },
        ...(settings.ssl ? { ssl: settings.ssl } : {}),
        application_name: 'ussd-connector',
        keepAlive: true,
        connectionTimeoutMillis: settings.acquireMs ?? 1000,
        query_timeout: settings.queryMs ?? 2500,
        ...(settings.pooler ? {} : serverLimits(settings)),
      }) as Knex.PgConnectionConfig,
    acquireConnectionTimeout: settings.acquireMs ?? 1000,
    pool: { min: 0, max: settings.poolMax ?? 10, afterCreate: destroyBroken },
  })
  const sql = sqlOn(knex, { named: settings.pooler === undefined })
  return { sql, knex, kind: 'server', close: () => knex.destroy() }
}

function serverLimits({ statementMs = 2000, lockMs = 1000 }: ServerSettings): object {
  return {
    statement_timeout: statementMs,
    lock_timeout: lockMs,
    // A transaction that its daemon forgot must not keep its locks.
    idle_in_transaction_session_timeout: 10_000,
  }
}

/** Ten files that no daemon with a server needs. */
const pglite = () => Promise.all([import('@electric-sql/pglite'), import('@electric-sql/pglite/node-postgres')])

async function openEmbedded(settings: EmbeddedSettings): Promise<Postgres> {
  const inMemory = settings.embedded.startsWith('memory://')
  if (!inMemory) mkdirSync(settings.embedded, { recursive: true, mode: 0o700 })
  const unlock = inMemory ? () => undefined : lockDirectory(settings.embedded, 'postgres')
  try {
    const dir = inMemory ? settings.embedded : join(settings.embedded, 'postgres')
    const [{ PGlite }, { createPgConfig }] = await pglite()
    const lite = await PGlite.create(dir)
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
    // Bindings are personal data; they must not be in error messages.
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
 * After a query time-out the server may still answer, and the answer would meet the next query; after a FATAL error it
 * is about to hang up. The socket is destroyed, so the pool drops the connection and the server rolls back. One that
 * only lets us read may be a standby by now, and the address lead to another: the pool drops it once it is given back.
 */
function destroyBroken(raw: RawConnection, done: (error: Error | null, connection: RawConnection) => void): void {
  const query = raw.query.bind(raw)
  raw.on('error', () => undefined)
  raw.query = (config, answered) =>
    query(config, (error, result) => {
      const isBroken = wentSilent(error) || isFatal(error)
      if (isBroken || isReadOnly(error)) raw.__knex__disposed = error
      if (isBroken) raw.connection.stream.destroy()
      answered(error, result)
    })
  done(null, raw)
}

// pg gives its own time-out no code; the server's (57014) has one, and leaves the connection usable.
function wentSilent(error: unknown): boolean {
  return error instanceof Error && error.message === 'Query read timeout'
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
