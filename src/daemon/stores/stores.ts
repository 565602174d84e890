/** The stores of the settings: Redis or a journal for dialogues, a Postgres server or PGlite for the rest. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { Knex } from 'knex'
import type { RedisSettings, Settings } from '../../config/index.ts'
import type { DialogueLimits, DialogueStore, Recording, TurnTexts } from '../../dialogue/index.ts'
import { UsageError, pooled, statement, tellsDebug, type Log, type Metrics, type Sql } from '../../base/index.ts'
import type { Decided } from '../../flow/release/index.ts'
import type { FlowArchive } from '../../flow/engine/index.ts'
import { openTexts, type SealedTexts } from '../../records/index.ts'
import type { PartShelf } from '../../sms/inbox/index.ts'
import type { OwedShelf } from '../../sms/requests/index.ts'
import { unfinishedSubscribersMax } from '../../sms/settings/index.ts'
import type { LineShares } from '../../smpp/session/index.ts'
import { fileOwed, fileParts, journalDialogues } from '../../store/journal/index.ts'
import {
  watchStoreKeys,
  unreachable,
  createSealer,
  plainSealer,
  type RecordForm,
  type Sealer,
} from '../../store/index.ts'
import {
  flowArchive,
  flowReleases,
  migrate as migrateDatabase,
  requireMigrated,
  isDatabaseMissing,
  makeDatabase,
  checkPostgres,
  type PostgresCheck,
  openPostgres,
  type Postgres,
} from '../../store/postgres/index.ts'
import {
  connect,
  disconnect,
  redisDialogues,
  redisFirst,
  redisOwed,
  redisParts,
  redisShares,
  refuseEarlierDialogues,
  type RedisServers,
} from '../../store/redis/index.ts'
import type { Clock } from '../../ussd/index.ts'
import { serverOf } from './postgres-server.ts'
import { createStoreTls, redisTlsOf, type StoreTls } from './store-tls.ts'

export interface Stores {
  dialogues: DialogueStore
  /** Parts of long incoming SMS. */
  shelf: PartShelf
  /** SMS that wait for Postgres. */
  owed: OwedShelf
  /** Where daemons divide the caps of their lines. Undefined: no other daemon can have this store. */
  /** Certificates and keys of the stores, which may change. */
  tls: StoreTls
  lineShares(instance: string): LineShares | undefined
  /** Who is the first of all daemons to do something, by Redis. Undefined: there is no Redis. */
  first: ((what: string, ms: number) => Promise<boolean>) | undefined
  sql: Sql
  /** For statements that run rarely. */
  knex: Knex
  /** Seals stored dialogues, if there is a key. */
  sealer: Sealer
  /** What is kept word for word of a dialogue. Null: its key is not here, or it was altered. */
  openTexts(row: SealedTexts): TurnTexts[] | null
  archive: FlowArchive
  /** The decisions of operators about flows. */
  decided: Decided
  /** What /ready reports about the stores. */
  check(): Promise<StoresCheck>
  /** The clocks of the stores that have their own, in milliseconds. */
  clocks(): Record<string, () => Promise<number>>
  close(): Promise<void>
}

export interface StoresCheck {
  ok: boolean
  dialogues: { ok: boolean; kind: string; durable: boolean; notes: string[]; nodes?: { known: number; ready: number } }
  postgres: PostgresCheck
}

export interface StoreDeps {
  settings: Settings
  log: Log
  metrics: Metrics
  clock: Clock
  /** What is recorded of dialogues. Absent: nothing. */
  recording?: Recording | undefined
  /** The newest form of a record that all daemons on this Redis read. Absent: the newest. */
  recordForm?: (() => RecordForm) | undefined
}

export async function openStores(deps: StoreDeps): Promise<Stores> {
  const { settings, log, clock } = deps
  const keys = watchKeys(deps)
  const sealer = keys?.sealer ?? plainSealer
  const tls = createStoreTls(settings)
  // Both at once, because each waits for a server.
  const [database, opened] = await Promise.allSettled([
    openDatabase(settings, log, clock, tls.postgres),
    openDialogues(deps, sealer, tls.redis),
  ])
  const close = async () => {
    keys?.stop()
    if (opened.status === 'fulfilled') await opened.value.closeDialogues()
    if (database.status === 'fulfilled') await database.value.close()
  }
  try {
    if (database.status === 'rejected') throw database.reason
    if (opened.status === 'rejected') throw opened.reason
    const { knex } = database.value
    const sql = tellingSql(database.value.sql, deps)
    const { dialogues, shelf, owed, lineShares, first } = opened.value
    for (const note of (await checkPostgres(database.value)).notes) log.warn({ note }, 'postgres')
    return {
      dialogues,
      shelf,
      owed,
      tls,
      lineShares,
      first,
      sql,
      knex,
      sealer,
      openTexts: (row) => openTexts(sealer, row),
      archive: flowArchive(knex),
      decided: flowReleases(database.value),
      check: () => check(dialogues, database.value, settings),
      clocks: () => ({
        ...(dialogues.time ? { redis: () => dialogues.time!() } : {}),
        ...(database.value.kind === 'server' ? { postgres: () => postgresTime(sql) } : {}),
      }),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** At debug: each statement by its name, how long it took, and how it failed; never what it was given. */
function tellingSql(sql: Sql, { log, clock }: Pick<StoreDeps, 'log' | 'clock'>): Sql {
  const run = sql.run.bind(sql)
  const told: Sql['run'] = async (prepared, bindings) => {
    const startedMs = clock.now()
    const took = () => ({ statement: prepared.name, ms: Math.max(0, clock.now() - startedMs) })
    try {
      const rows = await run(prepared, bindings)
      log.debug({ ...took(), rows: rows.length }, 'SQL statement')
      return rows
    } catch (error) {
      log.debug({ ...took(), code: (error as { code?: unknown }).code }, 'SQL statement failed')
      throw error
    }
  }
  return Object.assign(sql, {
    run: ((...of) => (tellsDebug(log) ? told(...of) : run(...of))) as Sql['run'],
  })
}

/** The keys of the settings, reloaded while the daemon runs. Undefined: dialogues are stored unencrypted. */
function watchKeys({ settings, log, metrics, clock }: StoreDeps): { sealer: Sealer; stop(): void } | undefined {
  const { storeKeyFile: file, plainUntil } = settings.privacy
  if (file === undefined) return undefined
  const untilMs = plainUntilMs(plainUntil, clock.now())
  if (clock.now() < untilMs) {
    log.warn(
      { plainUntil, remedy: 'remove privacy.plainUntil from the settings when all daemons are new' },
      'privacy.plainUntil is set: unsealed records are still read, so everybody who can write to the store can forge dialogues',
    )
  }
  const { ring, stop } = watchStoreKeys({ file, clock, counters: metrics, log })
  const plain = { allowed: () => clock.now() < untilMs, onRead: () => metrics.count('dialogue_store_plain_total', {}) }
  return { sealer: createSealer({ ring, random: pooled(randomBytes), plain }), stop }
}

/** A dialogue lasts minutes. A longer exception is a hole, not a migration. */
const PLAIN_MAX_MS = 86_400_000

function plainUntilMs(moment: string | undefined, nowMs: number): number {
  const untilMs = moment === undefined ? 0 : Date.parse(moment)
  if (untilMs <= nowMs + PLAIN_MAX_MS) return untilMs
  const remedy = 'dialogues last minutes: set a time just after you replace the last daemon'
  throw new UsageError(`privacy.plainUntil: ${moment} is more than a day away (${remedy})`)
}

/** When the whole machine starts, the database may start after us. */
const START_MS = 30_000
const RETRY_MS = 1_000

/**
 * Opens Postgres and migrates it to the schema of this version, or refuses. Throws UsageError if it cannot be reached.
 */
export async function openDatabase(
  settings: Settings,
  log: Log,
  clock: Clock,
  tls?: StoreTls['postgres'],
): Promise<Postgres> {
  const onNotice = (notice: string) => log.warn({ notice: notice.slice(0, 200) }, 'postgres')
  if (settings.postgres === 'embedded') {
    return migrated(await openPostgres({ embedded: join(settings.data, 'postgres'), onNotice }), true, log)
  }
  const { migrate } = settings.postgres
  const server = serverOf(settings.postgres, tls)
  const untilMs = clock.now() + START_MS
  for (;;) {
    try {
      const open = async () => migrated(await openPostgres({ ...server, onNotice }), migrate, log)
      return await open().catch(async (error: unknown) => {
        if (!isDatabaseMissing(error)) throw error
        if (await makeDatabase(server.url, server.ssl)) log.warn({}, 'the database did not exist: created it')
        return open()
      })
    } catch (error) {
      const why = unreachable(error, 'postgres')
      if (!why) throw error
      if (!why.passes || clock.now() >= untilMs)
        throw new UsageError(`Postgres: ${(error as Error).message} (${why.remedy})`)
      log.error({ err: error, remedy: why.remedy }, 'Postgres does not answer yet')
      await new Promise<void>((done) => clock.after(RETRY_MS, done))
    }
  }
}

async function migrated(postgres: Postgres, mayMigrate: boolean, log: Log): Promise<Postgres> {
  try {
    if (mayMigrate) {
      const done = await migrateDatabase(postgres.knex)
      if (done.length) log.info({ migrations: done }, 'database migrated')
    } else await requireMigrated(postgres.knex)
    return postgres
  } catch (error) {
    await postgres.close()
    throw error
  }
}

interface Opened {
  dialogues: DialogueStore
  shelf: PartShelf
  owed: OwedShelf
  lineShares: Stores['lineShares']
  first: Stores['first']
  closeDialogues(): Promise<void>
}

function limitsOf({ dialogue }: Settings): DialogueLimits {
  const { idleMs, totalMs, tombstoneMs, resumeMs, confirmMs, duplicateBeginMs, snapshotOctetsMax } = dialogue
  return { idleMs, totalMs, tombstoneMs, resumeMs, confirmMs, duplicateBeginMs, snapshotOctetsMax }
}

function boundedRecording({ recording, settings, metrics }: StoreDeps) {
  return (
    recording && {
      ...recording,
      max: settings.records.waitingMax,
      onFull: (count: number) => metrics.count('limits_total', { limit: 'records_waiting_max' }, count),
    }
  )
}

type Journalled = Omit<Parameters<typeof journalDialogues>[0], 'dir'> & { onFault(fault: string): void; sealer: Sealer }

/** Dialogues in files of this daemon, which no other one can have. */
async function openJournal({ settings, log }: StoreDeps, how: Journalled, subscribersMax: number): Promise<Opened> {
  log.warn({}, 'dialogues are in an embedded journal: they survive the end of the process, not a power cut')
  const { onFault, sealer } = how
  const dir = join(settings.data, 'dialogues')
  const dialogues = await journalDialogues({ ...how, dir })
  // In the folder that the journal has locked.
  const shelf = fileParts({ file: join(dir, 'sms-parts.json'), subscribersMax, onFault, sealer })
  const owed = fileOwed({ file: join(dir, 'owed-sms.json'), sealer })
  const closeDialogues = () => dialogues.close()
  return { dialogues, shelf, owed, lineShares: () => undefined, first: undefined, closeDialogues }
}

async function openDialogues(deps: StoreDeps, sealer: Sealer, tls: StoreTls['redis']): Promise<Opened> {
  const { settings, log, metrics, clock } = deps
  const limits = limitsOf(settings)
  const subscribersMax = unfinishedSubscribersMax(settings.sms.long)
  const onFault = (fault: string) => {
    metrics.count('dialogue_store_errors_total', { call: 'record', code: fault })
    log.error({ fault }, 'dialogue store')
  }
  const recording = boundedRecording(deps)
  if (settings.redis === 'embedded') return openJournal(deps, { limits, onFault, sealer, recording }, subscribersMax)
  const { prefix, requireDurable } = settings.redis
  if (!hasPassword(settings.redis)) {
    log.warn(
      { remedy: 'set requirepass or an ACL in Redis, and redis.passwordFile here' },
      'redis has no password: every process that reaches it can end and change dialogues',
    )
  }
  const client = await connect(serversOf(settings.redis, tls), log, clock)
  const onOutdated = () => metrics.count('dialogue_outdated_total')
  const { recordForm } = deps
  const told = { log, onFault, onOutdated }
  const dialogues = await redisDialogues({ client, prefix, limits, sealer, recording, recordForm, ...told })
  const closeDialogues = async () => {
    await dialogues.close()
    await disconnect(client)
  }
  const { durable, notes } = await dialogues.check().catch((error: unknown) => {
    log.error({ err: error }, 'redis does not answer yet')
    return { durable: !requireDurable, notes: [] as string[] }
  })
  for (const note of notes) log.warn({ note }, 'redis')
  try {
    if (requireDurable && !durable)
      throw new UsageError(`redis.requireDurable is set, and this Redis may lose dialogues: ${notes.join('; ')}`)
    await refuseEarlierDialogues(client, prefix)
  } catch (error) {
    await closeDialogues()
    throw error
  }
  const shelf = redisParts({ client, prefix, sealer, subscribersMax, onFault })
  const owed = redisOwed({ client, prefix, sealer })
  const lineShares = (instance: string) => redisShares({ client, prefix, instance })
  return { dialogues, shelf, owed, lineShares, first: redisFirst({ client, prefix }), closeDialogues }
}

/** Whether all the servers that hold dialogues have a password. */
function hasPassword({ url, cluster, password }: RedisSettings): boolean {
  const urls = cluster ?? (url === undefined ? [] : [url])
  return urls.length ? urls.every((one) => new URL(one).password !== '') : password !== undefined
}

type Place = Pick<RedisSettings, 'url' | 'cluster' | 'sentinel' | 'username' | 'password' | 'db' | 'tls'>

/** Where Redis is, from the settings. `tls`: if its files were read before. */
export function serversOf(place: Place, tls = redisTlsOf(place)): RedisServers {
  const { url, cluster, sentinel, username, password, db } = place
  const secure = tls ? { tls } : {}
  if (cluster) return { cluster, ...secure }
  if (!sentinel) return { url: url!, ...secure }
  const { name, nodes } = sentinel
  return {
    sentinel: { name, nodes, ...(sentinel.password ? { password: sentinel.password } : {}) },
    ...(username ? { username } : {}),
    ...(password ? { password } : {}),
    ...(db ? { db } : {}),
    ...secure,
  }
}

const POSTGRES_TIME = statement<{ ms: string }>(
  'clock',
  'SELECT (extract(epoch FROM clock_timestamp()) * 1000)::text AS ms',
)

async function postgresTime(sql: Sql): Promise<number> {
  const [row] = await POSTGRES_TIME(sql, {})
  return Number(row!.ms)
}

async function check(dialogues: DialogueStore, postgres: Postgres, settings: Settings): Promise<StoresCheck> {
  const store = await dialogues.check().then(
    (state) => ({ ok: true, ...state }),
    (error: Error) => ({ ok: false, durable: false, notes: [error.message] }),
  )
  const sql = await checkPostgres(postgres)
  const nodes = dialogues.nodes?.()
  return {
    ok: store.ok && sql.ok,
    dialogues: { kind: settings.redis === 'embedded' ? 'journal' : 'redis', ...store, ...(nodes ? { nodes } : {}) },
    postgres: sql,
  }
}
