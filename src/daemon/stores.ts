/** The stores as the settings want them: Redis or a journal for dialogues, a server or PGlite for the rest. */
import { join } from 'node:path'
import type { Knex } from 'knex'
import type { Settings } from '../config/schema.ts'
import type { DialogueStore } from '../dialogue/types.ts'
import { UsageError } from '../errors.ts'
import type { FlowArchive } from '../flow/types.ts'
import type { Log } from '../log-port.ts'
import type { Metrics } from '../metrics.ts'
import { journalDialogues } from '../store/journal.ts'
import { flowArchive } from '../store/postgres-archive.ts'
import { migrate, requireMigrated } from '../store/postgres-migrate.ts'
import { openPostgres, type Postgres } from '../store/postgres.ts'
import { redisDialogues } from '../store/redis.ts'

export interface Stores {
  dialogues: DialogueStore
  knex: Knex
  archive: FlowArchive
  /** What /ready says of them. */
  check(): Promise<StoresCheck>
  close(): Promise<void>
}

export interface StoresCheck {
  ok: boolean
  dialogues: { ok: boolean; kind: string; durable: boolean; notes: string[] }
  postgres: { ok: boolean; kind: string; notes: string[] }
}

export interface StoreParts {
  settings: Settings
  log: Log
  metrics: Metrics
}

/** Postgres has this long to answer /ready. */
const PING_MS = 1_000

export async function openStores(parts: StoreParts): Promise<Stores> {
  const { settings, log } = parts
  const postgres = await openDatabase(settings, log)
  try {
    const dialogues = await openDialogues(parts)
    return {
      dialogues, knex: postgres.knex, archive: flowArchive(postgres.knex),
      check: () => check(dialogues, postgres, settings),
      close: async () => {
        await dialogues.close()
        await postgres.close()
      },
    }
  } catch (error) {
    await postgres.close()
    throw error
  }
}

/** Opens Postgres and brings it to this version's schema, or refuses. */
export async function openDatabase(settings: Settings, log: Log): Promise<Postgres> {
  const onNotice = (notice: string) => log.warn({ notice }, 'postgres')
  const postgres = settings.postgres === 'embedded'
    ? await openPostgres({ embedded: join(settings.data, 'postgres'), onNotice })
    : await openPostgres({ url: settings.postgres.url, poolMax: settings.postgres.poolMax, onNotice })
  try {
    if (settings.postgres === 'embedded' || settings.postgres.migrate) {
      const done = await migrate(postgres.knex)
      if (done.length) log.info({ migrations: done }, 'database migrated')
    } else await requireMigrated(postgres.knex)
    return postgres
  } catch (error) {
    await postgres.close()
    throw error
  }
}

async function openDialogues({ settings, log, metrics }: StoreParts): Promise<DialogueStore> {
  const { idleMs, totalMs, tombstoneMs, resumeMs, confirmMs, duplicateBeginMs } = settings.dialogue
  const limits = { idleMs, totalMs, tombstoneMs, resumeMs, confirmMs, duplicateBeginMs, snapshotOctetsMax: 16_384 }
  const onFault = (fault: string) => {
    metrics.count('dialogue_store_errors_total', { call: 'record', code: fault })
    log.error({ fault }, 'dialogue store')
  }
  if (settings.redis === 'embedded') {
    log.warn({}, 'dialogues are in an embedded journal: they survive the end of the process, not a power cut')
    return journalDialogues({ dir: join(settings.data, 'dialogues'), limits, onFault })
  }
  const { url, prefix, requireDurable } = settings.redis
  const dialogues = await redisDialogues({ url, prefix, limits, log, onFault })
  const { durable, notes } = await dialogues.check().catch((error: unknown) => {
    log.error({ err: error }, 'redis does not answer yet')
    return { durable: !requireDurable, notes: [] as string[] }
  })
  for (const note of notes) log.warn({ note }, 'redis')
  if (requireDurable && !durable) {
    await dialogues.close()
    throw new UsageError(`redis.requireDurable is set, and this Redis may lose dialogues: ${notes.join('; ')}`)
  }
  return dialogues
}

async function check(dialogues: DialogueStore, postgres: Postgres, settings: Settings): Promise<StoresCheck> {
  const store = await dialogues.check().then(
    (state) => ({ ok: true, ...state }), (error: Error) => ({ ok: false, durable: false, notes: [error.message] }))
  const sql = await postgres.knex.raw('SELECT 1').timeout(PING_MS).then(() => [], (error: Error) => [error.message.slice(0, 200)])
  return {
    ok: store.ok && sql.length === 0,
    dialogues: { kind: settings.redis === 'embedded' ? 'journal' : 'redis', ...store },
    postgres: { ok: sql.length === 0, kind: postgres.kind, notes: sql },
  }
}
