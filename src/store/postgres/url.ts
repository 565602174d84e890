/** Completes a connection URL, and creates a missing database. */
import { userInfo } from 'node:os'
import type { ConnectionOptions } from 'node:tls'
import knexFactory, { type Knex } from 'knex'

/** invalid_catalog_name: the database does not exist. */
const NO_DATABASE = '3D000'
/** duplicate_database: another daemon was quicker. */
const DUPLICATE = new Set(['42P04', '23505'])

/**
 * Adds a user, like libpq: from the URL, or PGUSER, or the user of this process. A separate password takes precedence
 * over the URL's: for pg the URL takes precedence over all other options, so the password must be in it.
 */
export function wholeUrl(url: string, password?: string, env: NodeJS.ProcessEnv = process.env): string {
  const whole = new URL(url)
  if (!whole.username && !whole.searchParams.has('user'))
    whole.username = encodeURIComponent(env.PGUSER ?? userInfo().username)
  if (password !== undefined) whole.password = encodeURIComponent(password)
  return whole.toString()
}

/**
 * Creates the URL's database if the server has none of that name. True: it was created. Throws what the server reports:
 * no right to create one, unreachable.
 */
export async function ensureDatabase(url: string, ssl?: ConnectionOptions): Promise<boolean> {
  const probe = oneConnection(wholeUrl(url), ssl)
  try {
    await probe.raw('SELECT 1')
    return false
  } catch (error) {
    if (!isDatabaseMissing(error)) throw error
  } finally {
    await probe.destroy()
  }
  return makeDatabase(url, ssl)
}

/** Whether the error means that the database does not exist. */
export function isDatabaseMissing(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === NO_DATABASE
}

/** Creates the database of the URL. False: another process was quicker. Throws what the server reports. */
export async function makeDatabase(url: string, ssl?: ConnectionOptions): Promise<boolean> {
  const server = new URL(wholeUrl(url))
  const name = decodeURIComponent(server.pathname.slice(1))
  server.pathname = '/postgres'
  // Keeps what says how to connect (sslmode), and removes options that the other database may not have.
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
