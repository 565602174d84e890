/** Certificates and keys of the stores. They may change while the daemon runs: the next connection has the new ones. */
import { checkServerIdentity, type ConnectionOptions } from 'node:tls'
import type { ConfiguredLine, Settings } from '../../config/index.ts'
import { tlsOf } from '../tls.ts'

type Stores = Pick<Settings, 'redis' | 'postgres'>
type StoreName = keyof Stores
const NAMES = ['redis', 'postgres'] as const

export interface StoreTls {
  /** Undefined: without TLS, until a restart. The object stays the same, because clients keep it: its keys change. */
  readonly redis: ConnectionOptions | undefined
  readonly postgres: ConnectionOptions | undefined
  /**
   * `changed`: settings whose files hold something else, such as `redis.tls`. Throws UsageError if a file cannot be
   * read, or is not a certificate or a key. Nothing changes before `commit`.
   */
  prepare(next: Stores): { changed: string[]; commit(): void }
}

/** Throws UsageError for a file that is wrong. */
export function createStoreTls(settings: Stores): StoreTls {
  const own = tlsIn(settings)
  return {
    ...own,
    prepare(next) {
      const files = tlsIn(next)
      const others = NAMES.flatMap((name) => {
        const [mine, read] = [own[name], files[name]]
        return mine && read && said(mine) !== said(read) ? [{ name, mine, read }] : []
      })
      return {
        changed: others.map(({ name }) => `${name}.tls`),
        commit() {
          for (const { mine, read } of others) replace(mine, read)
          for (const name of NAMES) copyTls(next[name], settings[name])
        },
      }
    },
  }
}

interface TlsFiles {
  tls?: NonNullable<ConfiguredLine['smsc']['tls']> | undefined
}

/** How a store is connected to. Throws UsageError for a file that is wrong. */
export const redisTlsOf = ({ tls }: TlsFiles): ConnectionOptions | undefined => {
  return tls && { minVersion: 'TLSv1.2', ...tlsOf(tls, 'redis.tls') }
}

export function postgresTlsOf({ tls }: TlsFiles): ConnectionOptions | undefined {
  if (!tls) return undefined
  const { servername, ...files } = tlsOf(tls, 'postgres.tls')
  const shared = { minVersion: 'TLSv1.2' as const, ...files }
  if (servername === undefined) return shared
  // pg replaces a servername by the host of the URL.
  return { ...shared, checkServerIdentity: (_: string, cert) => checkServerIdentity(servername, cert) }
}

function tlsIn({ redis, postgres }: Stores): Record<StoreName, ConnectionOptions | undefined> {
  return {
    redis: redis === 'embedded' ? undefined : redisTlsOf(redis),
    postgres: postgres === 'embedded' ? undefined : postgresTlsOf(postgres),
  }
}

function said({ ca, cert, key, servername, checkServerIdentity: check }: ConnectionOptions): string {
  return JSON.stringify([ca, cert, key, servername, check !== undefined].map((one) => one?.toString() ?? null))
}

function replace(mine: object, read: object): void {
  for (const key of Object.keys(mine)) if (!(key in read)) delete (mine as Record<string, unknown>)[key]
  Object.assign(mine, read)
}

/** The settings in force name the files in force. */
function copyTls(from: Stores[StoreName], to: Stores[StoreName]): void {
  if (from !== 'embedded' && to !== 'embedded' && from.tls && to.tls) to.tls = from.tls
}
