/** Which daemon does something that one of them must do, while Postgres cannot say: `prefix:first:<what>` in Redis. */
import type { Client } from './servers.ts'

/** True for the first that asks, until `ms` are over. Rejects while Redis is unreachable. */
export function redisFirst({ client, prefix }: { client: Client; prefix: string }) {
  return async (what: string, ms: number): Promise<boolean> =>
    (await client.set(`${prefix}:first:${what}`, '1', 'PX', ms, 'NX')) === 'OK'
}
