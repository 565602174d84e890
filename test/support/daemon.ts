/** A whole daemon in the test's process: real Redis, real Postgres (a schema of its own), a real SMSC to bind to. */
import { randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import knexFactory, { type Knex } from 'knex'
import { parseSettings } from '../../src/config/load.ts'
import type { Settings } from '../../src/config/schema.ts'
import { startDaemon, type Daemon, type DaemonOptions } from '../../src/daemon/daemon.ts'
import { createLog } from '../../src/base/log/log.ts'
import { migrate } from '../../src/store/postgres/migrate.ts'
import type { Clock } from '../../src/ussd/vocabulary.ts'
import { realClock } from './clock.ts'
import { seedDental } from './dental.ts'
import { layEmbedded } from './pglite.ts'
import { services, until } from './services.ts'
import { root } from '../style/tree.ts'

/** 1 May 2025, 9 in the morning, Port Moresby: for the calendar only; deadlines are real. */
export const FROZEN = Date.parse('2025-05-01T09:00:00+10:00')

export interface Staged {
  daemon: Daemon
  settings: Settings
  /** The test's own connections, which wait for none of the daemon's; where the database is embedded, the daemon's. */
  knex: Knex
  /** Everything that it logged. */
  logged(): Record<string, unknown>[]
  /** Stops the daemon and removes what it left. */
  close(): Promise<void>
}

export interface StageOptions {
  smscPort: number
  /** Laid over the settings. */
  change?: (settings: Settings) => void
  frozen?: boolean
  /** The calendar, where a test moves it. Default: stands at FROZEN. */
  today?: () => number
  /** The wall clock, where a test moves it on: what is due by then is due at once. Timers stay real. */
  now?: () => number
  /** As that of the daemon: its clock is then compared with those of the stores. */
  wall?: DaemonOptions['wall']
  /** Default: chance. */
  chance?: DaemonOptions['chance']
  /** False: it is not ready, and the test wants it so. */
  awaitReady?: boolean
  /** Share data with another stage (several daemons on one set of stores). */
  with?: Stage
  embedded?: boolean
  /** As that of the daemon. */
  watch?: DaemonOptions['watch']
  /** The settings read again. */
  read?: () => Settings
}

/** Where several daemons of one test meet: one key prefix, one database schema, one folder. */
export interface Stage {
  prefix: string
  schema: string
  data: string
}

export function newStage(): Stage {
  const id = randomBytes(5).toString('hex')
  return { prefix: `t${id}`, schema: `t_${id}`, data: mkdtempSync(join(tmpdir(), 'ussd-e2e-')) }
}

export async function stageDaemon(options: StageOptions): Promise<Staged> {
  const stage = options.with ?? newStage()
  const settings = settingsFor(options, stage)
  const lines: string[] = []
  const destination = new Writable({ write: (chunk, _, done) => (lines.push(String(chunk)), done()) })
  const log = createLog({
    level: 'debug',
    key: Buffer.from('test'),
    services: settings.services,
    destination: destination as never,
  })
  const { now = realClock.now, today = options.frozen === false ? realClock.today : () => FROZEN } = options
  const clock: Clock = { ...realClock, now, today }
  const knex = options.embedded ? undefined : await openSchema(stage.schema)
  if (options.embedded && !existsSync(join(stage.data, 'postgres'))) await layEmbedded(stage.data)
  const daemon = await startDaemon({
    settings,
    clock,
    chance: options.chance ?? Math.random,
    log,
    processMetrics: false,
    ...(options.wall ? { wall: options.wall } : {}),
    ...(options.read ? { read: options.read } : {}),
    ...(options.watch ? { watch: options.watch } : {}),
  })
  if (!options.with) await seedDental(daemon.stores.sql, { atMs: FROZEN })
  if (options.awaitReady !== false)
    await until(async () => (await daemon.readiness()).ready, 'the daemon does not get ready')
  return {
    daemon,
    settings,
    knex: knex ?? daemon.stores.knex,
    logged: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>),
    async close() {
      await daemon.stop()
      if (!options.with) {
        await knex?.raw(`DROP SCHEMA IF EXISTS "${stage.schema}" CASCADE`)
        rmSync(stage.data, { recursive: true, force: true })
      }
      await knex?.destroy()
    },
  }
}

/** The calendar of a test was moved on by so much: what waits in the outbox leaves as much earlier on the wall clock. */
export async function leaveEarlier(knex: Knex, ms: number): Promise<void> {
  const wake = knex.raw(`wake_at - ? * interval '1 millisecond'`, [ms])
  await knex('sms_outbox').where({ state: 'due' }).update({ wake_at: wake })
}

export function settingsFor(options: StageOptions, stage: Stage): Settings {
  const source = `
lines:
  - name: test
    smsc: { host: 127.0.0.1, port: ${options.smscPort}, systemId: ussd, password: secret }
    sms: { source: "123" }
services:
  - { code: "*123#", flow: dental }
flows: { dir: ${join(root, 'flows')}, reloadMs: 0 }
backends:
  dental: { module: dental }
redis: embedded
postgres: embedded
data: ${stage.data}
admin: { port: 0 }
# Phones here press keys faster than a thumb can.
dialogue: { perSubscriber: { perSecond: 10000, burst: 10000 } }
stopMs: 2000
`
  const { settings } = parseSettings(source, 'test', {})
  if (!options.embedded) {
    const url = new URL(services.postgresUrl!)
    url.searchParams.set('options', `-c search_path=${stage.schema}`)
    settings.postgres = { url: url.toString(), poolMax: 5, migrate: true }
    settings.redis = { url: services.redisUrl!, prefix: stage.prefix, requireDurable: false }
  }
  options.change?.(settings)
  return settings
}

/** The schema of a stage, with its tables, for a test whose daemons are processes. */
export async function stageTables({ schema }: Stage): Promise<Knex> {
  const knex = await openSchema(schema)
  await migrate(knex)
  return knex
}

async function openSchema(schema: string): Promise<Knex> {
  const knex = knexFactory({
    client: 'pg',
    connection: services.postgresUrl!,
    searchPath: [schema],
    pool: { min: 0, max: 4 },
  })
  await knex.raw(`CREATE SCHEMA IF NOT EXISTS "${schema}"`)
  return knex
}
