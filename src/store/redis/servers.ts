/**
 * Where Redis is: one server, a Cluster, or a master known to sentinels. Each makes a client with the same behaviour.
 */
import type { ConnectionOptions } from 'node:tls'
import { Cluster, Redis, type RedisOptions } from 'ioredis'

export type RedisServers = { tls?: ConnectionOptions } & (
  | { url: string; cluster?: undefined; sentinel?: undefined }
  /** The addresses of some nodes. The user and password of the first apply to all. */
  | { cluster: readonly string[]; url?: undefined; sentinel?: undefined }
  | {
      sentinel: { name: string; nodes: readonly string[]; password?: string }
      username?: string
      password?: string
      db?: number
      url?: undefined
      cluster?: undefined
    }
)

export type Client = Redis | Cluster

/** How long until an unreachable server is tried again: dialogues continue within a second of its return. */
const again = (times: number): number => Math.min(times * 50, 500)

/**
 * A client that is passed in must also have these. A subscriber waits: a call fails after half a second and not later,
 * and ioredis never repeats it by itself (a call that timed out may have been applied).
 */
export const REDIS_OPTIONS = {
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  commandTimeout: 500,
  enableOfflineQueue: false,
  connectTimeout: 2_000,
  // A connection that swallows everything is given up; TCP alone would take a quarter of an hour.
  socketTimeout: 2_000,
  retryStrategy: again,
  // A demoted server: the address may lead to the new master by now.
  reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
} satisfies RedisOptions

/**
 * How often a Cluster looks again for the node of a slot, per call, 100 ms apart: together no longer than the timeout
 * of a call. What was sent before may have been applied; every script recognises its own write by the token.
 */
const REDIRECTIONS_MAX = 6

/** How often a Cluster is asked for its slots, besides at each redirection. */
const SLOTS_REFRESH_MS = 5_000

/** A dead sentinel must not delay the question to the next one. */
const SENTINEL_MS = 500

export function clientOf(servers: RedisServers): Client {
  const tls = servers.tls ? { tls: servers.tls } : {}
  if (servers.url !== undefined) return new Redis(servers.url, { ...REDIS_OPTIONS, ...tls })
  if (servers.cluster) return clusterOf(servers.cluster, tls)
  const { sentinel, username, password, db } = servers
  return new Redis({
    ...REDIS_OPTIONS,
    ...tls,
    sentinels: sentinel.nodes.map(hostAndPort),
    name: sentinel.name,
    role: 'master',
    // The sentinels report a failover: a master that is stopped or isolated never says READONLY.
    failoverDetector: true,
    sentinelCommandTimeout: SENTINEL_MS,
    sentinelRetryStrategy: again,
    ...(servers.tls ? { enableTLSForSentinelMode: true, sentinelTLS: servers.tls } : {}),
    ...(sentinel.password ? { sentinelPassword: sentinel.password } : {}),
    ...(username ? { username } : {}),
    ...(password ? { password } : {}),
    ...(db ? { db } : {}),
  })
}

function clusterOf(addresses: readonly string[], tls: Pick<RedisOptions, 'tls'>): Cluster {
  const urls = addresses.map((address) => new URL(address))
  const { username, password, protocol } = urls[0]!
  return new Cluster(
    urls.map(({ host }) => hostAndPort(host)),
    {
      redisOptions: {
        ...REDIS_OPTIONS,
        ...(protocol === 'rediss:' ? { tls: {} } : {}),
        ...tls,
        ...(username ? { username: decodeURIComponent(username) } : {}),
        ...(password ? { password: decodeURIComponent(password) } : {}),
      },
      enableOfflineQueue: false,
      maxRedirections: REDIRECTIONS_MAX,
      slotsRefreshInterval: SLOTS_REFRESH_MS,
      clusterRetryStrategy: again,
    },
  )
}

function hostAndPort(address: string): { host: string; port: number } {
  const { hostname, port } = new URL(`redis://${address}`)
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) || 6_379 }
}

/** The nodes that hold data. */
export function mastersOf(client: Client): Redis[] {
  return client instanceof Redis ? [client] : client.nodes('master')
}

/** `host:port`, in the form that operators know. */
export function addressOf(node: Redis): string {
  const { host, port } = node.options
  return `${host}:${port}`
}
