/** A connection URL made whole, and a database made where it is missing. */
import { userInfo } from 'node:os'
import type { ConnectionOptions } from 'node:tls'
import knexFactory, { type Knex } from 'knex'

/** invalid_catalog_name: there is no such database. */
const NO_DATABASE = '3D000'
/** duplicate_database: another daemon was quicker. */
const DUPLICATE = new Set(['42P04', '23505'])

/**
 * With a user, as libpq has it: the URL's, else PGUSER, else who runs this process. A password given apart wins over
 * the URL's: pg lets the URL win over all other options, so it must be in it.
 */
export function wholeUrl(url: string, password?: string, env: NodeJS.ProcessEnv = process.env): string {
  const whole = new URL(url)
  if (!whole.username && !whole.searchParams.has('user'))
    whole.username = encodeURIComponent(env.PGUSER ?? userInfo().username)
  if (password !== undefined) whole.password = encodeURIComponent(password)
  return whole.toString()
}

/**
 * Makes the database of the URL if the server is there and the database is not. True: it was made. Throws what the
 * server says: no right to make one, not reachable.
 */
export async function ensureDatabase(url: string, ssl?: ConnectionOptions): Promise<boolean> {
  const whole = wholeUrl(url)
  const name = decodeURIComponent(new URL(whole).pathname.slice(1))
  if (await reaches(whole, ssl)) return false
  const server = new URL(whole)
  server.pathname = '/postgres'
  // What says how to connect stays (sslmode); what the other database may not have, goes.
  server.searchParams.delete('options')
  const admin = oneConnection(server.toString(), ssl)
  try {
    await admin.raw('CREATE DATABASE ??', [name])
    return true
  } catch (error) {
    if (DUPLICATE.has((error as { code: string }).code)) return false
    throw error
  } finally {
    await admin.destroy()
  }
}

/** False only for a missing database. */
async function reaches(url: string, ssl: ConnectionOptions | undefined): Promise<boolean> {
  const probe = oneConnection(url, ssl)
  try {
    await probe.raw('SELECT 1')
    return true
  } catch (error) {
    if ((error as { code?: unknown }).code === NO_DATABASE) return false
    throw error
  } finally {
    await probe.destroy()
  }
}

function oneConnection(url: string, ssl: ConnectionOptions | undefined): Knex {
  const quiet = { warn: () => undefined, error: () => undefined, deprecate: () => undefined, debug: () => undefined }
  const connection = { connectionString: url, ...(ssl ? { ssl } : {}) }
  return knexFactory({
    client: 'pg',
    connection,
    pool: { min: 0, max: 1 },
    acquireConnectionTimeout: 5_000,
    log: quiet,
  })
}
