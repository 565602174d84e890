/** The schema's migrations: the files in `migrations/`, beside the code in development and in the image alike. */
import knexFactory, { type Knex } from 'knex'
import { readdir } from 'node:fs/promises'
import { UsageError } from '../../base/index.ts'

export interface MigrationStatus {
  applied: string[]
  pending: string[]
  /** Applied, but not known to this code: the schema is newer. */
  unknown: string[]
}

const FOLDER = new URL('../../../migrations/', import.meta.url)
const TABLE = 'schema_migration'
/** Any fixed number: whoever migrates this product's schema holds it. */
const LOCK = 7_553_384_001
const LOCK_TRIES_MAX = 240
const LOCK_PAUSE_SECONDS = 0.25

/**
 * Brings the schema up to this code, all or nothing, and answers what was applied now. Safe when several daemons start
 * at once: they take turns. Throws UsageError if the schema is newer than the code, or nobody lets go of the lock.
 */
export async function migrate(knex: Knex): Promise<string[]> {
  const patient = await withoutDeadlines(knex)
  try {
    return await patient.transaction(async (trx) => {
      // Of this transaction: behind a pooler the limits are the role's, and made for a subscriber's patience.
      await trx.raw("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '5s'")
      await takeTurn(trx)
      const before = await migrationStatus(trx)
      if (before.unknown.length) throw newer(before.unknown)
      if (before.pending.length) await trx.migrate.latest(settings())
      return before.pending
    })
  } finally {
    if (patient !== knex) await patient.destroy()
  }
}

/** Which migrations are applied, pending, or from newer code. Changes nothing. */
export async function migrationStatus(knex: Knex): Promise<MigrationStatus> {
  const known = await list()
  const applied = (await knex.schema.hasTable(TABLE))
    ? (await knex(TABLE).select<{ name: string }[]>('name').orderBy('id')).map((row) => row.name)
    : []
  return {
    applied: applied.filter((name) => known.includes(name)),
    pending: known.filter((name) => !applied.includes(name)),
    unknown: applied.filter((name) => !known.includes(name)),
  }
}

/** Throws UsageError unless the schema is exactly what this code knows. */
export async function requireMigrated(knex: Knex): Promise<void> {
  const status = await migrationStatus(knex)
  if (status.unknown.length) throw newer(status.unknown)
  if (status.pending.length) {
    throw new UsageError(`the database lacks ${status.pending.join(', ')}: run \`ussd-connector migrate\``)
  }
}

function newer(names: string[]): UsageError {
  return new UsageError(
    `the database's schema is newer than this program: it has ${names.join(', ')}. Run the newer program`,
  )
}

// Polled inside the server, so that no statement outlives the connection's own time-outs.
async function takeTurn(trx: Knex.Transaction): Promise<void> {
  for (let tries = 0; tries < LOCK_TRIES_MAX; tries++) {
    const { rows } = await trx.raw('SELECT pg_try_advisory_xact_lock(?) AS mine', [LOCK])
    if (rows[0].mine) return
    await trx.raw('SELECT pg_sleep(?)', [LOCK_PAUSE_SECONDS])
  }
  throw new UsageError('another process has been migrating this database for a minute: look at it, then try again')
}

// A migration may take longer than a subscriber would wait. Embedded: the one connection has no time-outs.
async function withoutDeadlines(knex: Knex): Promise<Knex> {
  const { connection, ...config } = knex.client.config as Knex.Config
  const own = typeof connection === 'function' ? await connection() : connection
  if (typeof own !== 'object' || !('connectionString' in own)) return knex
  const patient = { ...own, query_timeout: 0 }
  return knexFactory({ ...config, connection: patient as Knex.PgConnectionConfig, pool: { min: 0, max: 1 } })
}

function settings(): Knex.MigratorConfig {
  return { tableName: TABLE, migrationSource: source, disableTransactions: true }
}

// Names carry no extension: .ts here and .js in the image are one and the same migration.
const source: Knex.MigrationSource<string> = {
  getMigrations: list,
  getMigrationName: (name) => name,
  async getMigration(name) {
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
    return (await import(new URL(`${name}.${extension}`, FOLDER).href)) as Knex.Migration
  },
}

async function list(): Promise<string[]> {
  const files = await readdir(FOLDER)
  const names = files.flatMap((file) => /^(\d{3}_[a-z0-9_]+)\.(ts|js)$/.exec(file)?.[1] ?? [])
  return [...new Set(names)].toSorted()
}
