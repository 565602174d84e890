/** Passwords of the stores, from their files into the addresses that are used. */
import type { Settings } from './schema.ts'

export type ReadSecret = (file: string, path: PropertyKey[]) => string

export function readStoreSecrets({ redis, postgres }: Settings, read: ReadSecret): void {
  if (postgres !== 'embedded' && postgres.passwordFile) {
    postgres.url = withPassword(postgres.url, read(postgres.passwordFile, ['postgres', 'passwordFile']))
  }
  if (redis === 'embedded') return
  if (redis.sentinel?.passwordFile) {
    redis.sentinel.password = read(redis.sentinel.passwordFile, ['redis', 'sentinel', 'passwordFile'])
  }
  if (!redis.passwordFile) return
  const password = read(redis.passwordFile, ['redis', 'passwordFile'])
  if (redis.url) redis.url = withPassword(redis.url, password)
  else if (redis.cluster) redis.cluster = redis.cluster.map((url) => withPassword(url, password))
  else redis.password = password
}

function withPassword(address: string, password: string): string {
  const url = new URL(address)
  url.password = encodeURIComponent(password)
  return url.toString()
}
