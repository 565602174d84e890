/** One suite, both drivers: a real server in a private schema, and PGlite. */
import knexFactory from 'knex'
import { randomBytes } from 'node:crypto'
import { migrate } from '../../src/store/postgres/migrate.ts'
import { openPostgres, type Postgres, type ServerSettings } from '../../src/store/postgres/connection.ts'
import { emptyEmbedded } from './pglite.ts'
import { describeWith, services } from './services.ts'

/** Opens a private, empty database; it is gone after `close()`. */
export type OpenFresh = (settings?: Partial<ServerSettings>) => Promise<Postgres>

export interface Database {
  kind: Postgres['kind']
  /** A private database with the schema in it, kept for the whole suite. */
  readonly db: Postgres
}

/**
 * These suites stop the clock. A statement that is given up, because the machine had much else to do, would be tried
 * again in a time that never comes.
 */
const PATIENT_MS = 60_000
const PATIENT = { acquireMs: PATIENT_MS, statementMs: PATIENT_MS, lockMs: PATIENT_MS, queryMs: PATIENT_MS }

/** Runs `body` for Postgres and for PGlite, with a migrated database each. */
export function describeBoth(title: string, body: (database: Database) => void): void {
  const suite = (kind: Postgres['kind'], open: OpenFresh) => () => {
    let db: Postgres
    before(async () => {
      db = await open(PATIENT)
      await migrate(db.knex)
    })
    after(() => db?.close())
    body({
      kind,
      get db() {
        return db
      },
    })
  }
  describeWith(['postgres'], `${title} (Postgres)`, suite('server', freshServer))
  describe(`${title} (PGlite)`, suite('embedded', freshEmbedded))
}

export const freshEmbedded: OpenFresh = async () => openPostgres({ embedded: 'memory://', from: await emptyEmbedded() })

export const freshServer: OpenFresh = async (settings) => {
  const schema = await makeSchema()
  const db = await openPostgres({ url: services.postgresUrl!, ...settings, searchPath: [schema] })
  return { ...db, close: () => db.close().then(() => dropSchema(schema)) }
}

export async function makeSchema(): Promise<string> {
  const schema = `t_${randomBytes(6).toString('hex')}`
  await asAdmin(`CREATE SCHEMA ${schema}`)
  return schema
}

export function dropSchema(schema: string): Promise<void> {
  return asAdmin(`DROP SCHEMA IF EXISTS ${schema} CASCADE`)
}

async function asAdmin(sql: string): Promise<void> {
  const knex = knexFactory({ client: 'pg', connection: services.postgresUrl!, pool: { min: 0, max: 1 } })
  try {
    await knex.raw(sql)
  } finally {
    await knex.destroy()
  }
}
