/** The migrations of the schema: the files in `migrations/`, beside the code in development and in the image. */
import knexFactory, { type Knex } from 'knex'
import { readdir } from 'node:fs/promises'
import { UsageError } from '../../base/index.ts'

export interface MigrationStatus {
  applied: string[]
  pending: string[]
  /** Applied, but unknown to this code: the schema is newer. */
  unknown: string[]
}

const FOLDER = new URL('../../../migrations/', import.meta.url)
const TABLE = 'schema_migration'
/** undefined_table */
const NO_TABLE = '42P01'
/** Any fixed number: a process that migrates this product's schema holds the lock. */
const LOCK = 7_553_384_001
const LOCK_TRIES_MAX = 240
const LOCK_PAUSE_SECONDS = 0.25

/**
 * Migrates the schema to this code, all or nothing, and returns what was applied. Safe if several daemons start at
 * once: they take turns. Throws UsageError if the schema is newer than the code, or if the lock is not released.
 */
export async function migrate(knex: Knex): Promise<string[]> {
  // At nearly every start nothing is pending, so no lock is needed.
  const now = await migrationStatus(knex)
  if (now.unknown.length) throw newer(now.unknown)
  if (now.pending.length === 0) return []
  const patient = await withoutDeadlines(knex)
  try {
    return await patient.transaction(async (trx) => {
      // For this transaction only: behind a pooler the limits are those of the role, made for a subscriber's patience.
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
  const applied = await appliedNames(knex)
  return {
    applied: applied.filter((name) => known.includes(name)),
    pending: known.filter((name) => !applied.includes(name)),
    unknown: applied.filter((name) => !known.includes(name)),
  }
}

/**
 * One statement if the schema exists. In a transaction the table is checked first: a failed read would end the
 * transaction.
 */
async function appliedNames(knex: Knex): Promise<string[]> {
  const rows = () => knex(TABLE).select<{ name: string }[]>('name').orderBy('id')
  if (knex.isTransaction) return (await knex.schema.hasTable(TABLE)) ? (await rows()).map(({ name }) => name) : []
  try {
    return (await rows()).map(({ name }) => name)
  } catch (error) {
    if ((error as { code?: unknown }).code === NO_TABLE) return []
    throw error
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

// Polled inside the server, so that no statement outlives the timeouts of the connection.
async function takeTurn(trx: Knex.Transaction): Promise<void> {
  for (let tries = 0; tries < LOCK_TRIES_MAX; tries++) {
    const { rows } = await trx.raw('SELECT pg_try_advisory_xact_lock(?) AS mine', [LOCK])
    if (rows[0].mine) return
    await trx.raw('SELECT pg_sleep(?)', [LOCK_PAUSE_SECONDS])
  }
  throw new UsageError('another process has been migrating this database for a minute: look at it, then try again')
}

// A migration may take longer than a subscriber would wait. Embedded: its one connection has no timeouts.
async function withoutDeadlines(knex: Knex): Promise<Knex> {
  const { connection, ...config } = knex.client.config as Knex.Config
  const own = typeof connection === 'function' ? await connection() : connection
  if (typeof own !== 'object' || !('connectionString' in own)) return knex
  return knexFactory({ ...config, connection: own, pool: { min: 0, max: 1 } })
}

function settings(): Knex.MigratorConfig {
  return { tableName: TABLE, migrationSource: source, disableTransactions: true }
}

// Names have no extension: .ts here and .js in the image are the same migration.
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
