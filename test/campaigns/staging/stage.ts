/**
 * Where a campaign plays: a database schema and a Redis prefix of its own, clinics that name one slot each, settings.
 */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import knexFactory, { type Knex } from 'knex'
import { stringify } from 'yaml'
import { parseSettings } from '../../../src/config/load.ts'
import type { RedisSettings } from '../../../src/config/schema-stores.ts'
import type { Settings } from '../../../src/config/schema.ts'
import { packageRoot } from '../../../src/base/package-root.ts'
import { migrate } from '../../../src/store/postgres/migrate.ts'
import type { Chance } from '../../../src/ussd/vocabulary.ts'
import { noteSettings, sourceAt, type Pace } from '../settings.ts'
import { LEAD_MS } from '../judging/checker.ts'

const ZONE = 'Pacific/Port_Moresby'

/** As in the settings: one server, a Cluster, or sentinels. */
export type RedisPlace = Pick<RedisSettings, 'url' | 'cluster' | 'sentinel'>

export interface StageDeps {
  /** Default: short. */
  pace?: Pace | undefined
  redis: RedisPlace
  postgresUrl: string
  chance: Chance
  /** Makes the schema. Default: as this build has it. */
  migrate?(knex: Knex): Promise<unknown>
}

export interface Stage {
  pace: Pace
  /** Connected past every proxy. */
  knex: Knex
  redis: RedisPlace
  postgresUrl: string
  prefix: string
  data: string
  /** Of this stage alone: a stray daemon of another run is refused by the bind, and not served. At most 8 characters. */
  smscPassword: string
  chance: Chance
  /** `N67575000003`: what the service calls that subscriber, so that a foreign screen shows. */
  enrol(msisdns: readonly string[]): Promise<void>
  /**
   * Sees that so many slots are free; each at a clinic of its own. One that is held is not: who held it may have been
   * cut off, and whoever tries the same again must not meet that.
   */
  refill(free: number, spread: { fromMs: number; toMs: number }): Promise<void>
  /**
   * What autovacuum does, which a test server may be without: else plans made for empty tables take seconds in the end.
   */
  vacuum(): Promise<void>
  /** Writes the settings file of one daemon. */
  configure(name: string, settings: Settings | string): string
  close(): Promise<void>
}

export async function openStage({
  redis,
  postgresUrl,
  chance,
  pace = 'short',
  migrate: making = migrate,
}: StageDeps): Promise<Stage> {
  const id = randomBytes(4).toString('hex')
  const schema = `f_${id}`
  const url = new URL(postgresUrl)
  url.searchParams.set('options', `-c search_path=${schema}`)
  const knex = knexFactory({ client: 'pg', connection: url.toString(), pool: { min: 0, max: 4 } })
  await knex.raw(`CREATE SCHEMA "${schema}"`)
  await making(knex)
  await knex('dental_type').insert({ id: 'checkup', position: 1, every_days: null })
  await knex('dental_type_name').insert({ type: 'checkup', language: 'en', name: 'Checkup' })
  const data = mkdtempSync(join(tmpdir(), 'ussd-faults-'))
  let serial = 0
  return {
    pace,
    knex,
    redis,
    prefix: `f${id}`,
    smscPassword: randomBytes(4).toString('hex'),
    data,
    chance,
    postgresUrl: url.toString(),
    async enrol(msisdns) {
      const rows = msisdns.map((msisdn) => ({ msisdn, name: nameOf(msisdn), language: 'en', created_at: new Date() }))
      await knex('dental_profile').insert(rows)
    },
    async refill(free, { fromMs, toMs }) {
      const { rows } = await knex.raw<{ rows: { n: number }[] }>(`SELECT count(*)::int AS n FROM dental_slot s
        WHERE NOT EXISTS (SELECT FROM dental_appointment a WHERE a.slot = s.id)
          AND NOT EXISTS (SELECT FROM dental_hold h WHERE h.slot = s.id AND h.expires_at > now())`)
      const wanted = free - rows[0]!.n
      if (wanted <= 0) return
      const fresh = Array.from({ length: wanted }, () => `C${String(++serial).padStart(5, '0')}`)
      await knex('dental_clinic').insert(fresh.map((clinic) => ({ id: clinic, name: clinic, zone: ZONE, position: 1 })))
      await knex('dental_slot').insert(
        fresh.map((clinic) => ({
          clinic,
          type: 'checkup',
          starts_at: new Date(Date.now() + LEAD_MS + fromMs + chance() * (toMs - fromMs)),
        })),
      )
    },
    async vacuum() {
      const { rows } = await knex.raw<{ rows: { tablename: string }[] }>(
        'SELECT tablename FROM pg_tables WHERE schemaname = ?',
        [schema],
      )
      await knex.raw(`VACUUM (ANALYZE) ${rows.map(({ tablename }) => `"${schema}"."${tablename}"`).join(', ')}`)
    },
    configure(name, settings) {
      const file = join(data, `${name}.yaml`)
      const text = typeof settings === 'string' ? settings : stringify(JSON.parse(JSON.stringify(settings)))
      writeFileSync(file, text, { mode: 0o600 })
      return file
    },
    async close() {
      await knex.raw(`DROP SCHEMA IF EXISTS "${schema}" CASCADE`)
      await knex.destroy()
      rmSync(data, { recursive: true, force: true })
    },
  }
}

export function nameOf(msisdn: string): string {
  return `N${msisdn.slice(-6)}`
}

export interface DaemonWishes {
  smscPort: number
  adminPort: number
  redis?: RedisPlace
  postgresUrl?: string
  change?: (settings: Settings) => void
}

/** Settings of one daemon, at the pace of the stage. */
export function settingsOf(stage: Stage, wishes: DaemonWishes): Settings {
  const { settings } = parseSettings(sourceOf(stage, wishes), 'faults', {})
  wishes.change?.(settings)
  noteSettings(settings)
  return settings
}

/** The same as a file with no more in it than what differs from the defaults, which another release has, too. */
export function sourceOf(stage: Stage, wishes: Omit<DaemonWishes, 'change'>): string {
  const smsc = { host: '127.0.0.1', port: wishes.smscPort, systemId: 'ussd', password: stage.smscPassword }
  return sourceAt(stage.pace, {
    lines: [{ name: 'test', smsc, sms: { source: '123' } }],
    services: [{ code: '*123#', flow: 'dental' }],
    flows: { dir: join(packageRoot, 'flows') },
    backends: { dental: { module: 'dental' } },
    redis: { ...(wishes.redis ?? stage.redis), prefix: stage.prefix },
    postgres: { url: wishes.postgresUrl ?? stage.postgresUrl },
    data: stage.data,
    admin: { port: wishes.adminPort },
  })
}
