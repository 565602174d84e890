/** `migrate` and `seed`. */
import { join } from 'node:path'
import { DateTime } from 'luxon'
import { loadSettings, type Settings } from '../config/index.ts'
import { loadModule, sampleModule, serverOf } from '../daemon/index.ts'
import { createMetrics, silentLog, systemChance, systemClock, UsageError } from '../base/index.ts'
import { migrate, migrationStatus, ensureDatabase, openPostgres, type Postgres } from '../store/postgres/index.ts'
import { unreachable } from '../store/index.ts'
import { asJson } from './admin.ts'
import type { Say } from './arguments.ts'
import { tableOf } from './table.ts'

export interface MigrateOptions {
  config: string
  /** Only shows what is done and what is not. */
  status?: boolean
  json?: boolean
}

export async function migrateCommand({ config, status, json }: MigrateOptions, say: Say): Promise<void> {
  await withDatabase(config, async ({ knex }) => {
    if (status) {
      const { applied, pending, unknown } = await migrationStatus(knex)
      if (json) return say(asJson({ applied, pending, unknown }))
      const rows = [
        ...applied.map((name) => [name, 'done']),
        ...pending.map((name) => [name, 'to do']),
        ...unknown.map((name) => [name, 'newer: this release is too old for this database']),
      ]
      for (const line of tableOf(['MIGRATION', 'IS'], rows)) say(line)
      return
    }
    const migrated = await migrate(knex)
    if (json) return say(asJson({ migrated }))
    for (const name of migrated) say(`migrated ${name}`)
    if (!migrated.length) say("nothing to do: the database has this version's schema")
  })
}

export interface SeedOptions {
  service: string
  config: string
  /** `2025-05-01`. Absent: today. */
  at: string | undefined
}

export async function seedCommand(options: SeedOptions, say: Say): Promise<void> {
  const { service } = options
  await withDatabase(options.config, async ({ sql, knex }, settings) => {
    const clock = systemClock()
    const atMs = options.at === undefined ? clock.today() : dayOf(options.at)
    const how = settings.backends[service] ?? { module: service, settings: {} }
    if (!('module' in how) || (how.module === service && !sampleModule(service)))
      throw new UsageError(
        `there is no sample service '${service}': use dental, or a back end of the settings that is a module`,
      )
    const host = {
      settings,
      sql,
      clock,
      chance: systemChance,
      metrics: createMetrics({ process: false }),
      log: silentLog,
    }
    const { seed } = await loadModule(service, how, host)
    if (!seed) throw new UsageError(`the module of back end '${service}' has no sample data (no function 'seed')`)
    await migrate(knex)
    await seed({ atMs, relative: options.at === undefined })
    const { zone } = settings.reminders
    say(`seeded ${service} around ${DateTime.fromMillis(atMs, { zone }).toISODate()}, zone ${zone}`)
  })
}

/** 9 in the morning of this day in the sample's zone. */
function dayOf(written: string): number {
  const at = /^\d{4}-\d{2}-\d{2}$/.test(written) ? Date.parse(`${written}T09:00:00+10:00`) : Date.parse(written)
  if (Number.isNaN(at)) throw new UsageError(`--at '${written}' is not a date such as 2025-05-01`)
  return at
}

async function withDatabase(
  config: string,
  run: (postgres: Postgres, settings: Settings) => Promise<void>,
): Promise<void> {
  const { settings } = loadSettings(config, process.env)
  try {
    const postgres = await open(settings)
    await run(postgres, settings).finally(() => postgres.close())
  } catch (error) {
    throw told(error)
  }
}

/** Connects to Postgres as the settings say. Throws UsageError if it is unreachable. */
export async function connectDatabase(settings: Settings): Promise<Postgres> {
  return open(settings).catch((error: unknown) => {
    throw told(error)
  })
}

function told(error: unknown): unknown {
  const why = unreachable(error, 'postgres')
  return why ? new UsageError(`Postgres: ${(error as Error).message} (${why.remedy})`) : error
}

async function open(settings: Settings): Promise<Postgres> {
  if (settings.postgres === 'embedded') return openPostgres({ embedded: join(settings.data, 'postgres') })
  const server = serverOf(settings.postgres)
  await ensureDatabase(server.url, server.ssl)
  return openPostgres(server)
}
