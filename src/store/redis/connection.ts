/** The connection to Redis: it fails fast, repeats nothing, writes once a loop turn, and its errors tell no secrets. */
import type { Writable } from 'node:stream'
import { Redis } from 'ioredis'
import { type Log, StoreError, systemClock } from '../../base/index.ts'
import type { Clock } from '../../ussd/index.ts'
import { unreachable } from '../unreachable.ts'
import { addressOf, clientOf, mastersOf, type Client, type RedisServers } from './servers.ts'

/** After ioredis has given up; as often as it tries by itself (servers.ts). */
const AGAIN_MS = 500
/** Those that we have done with. */
const left = new WeakSet<Client>()

/** Connects in the background for ever; returns when the first attempt succeeded or failed. */
export async function connect(servers: RedisServers, log: Log, clock: Clock = systemClock()): Promise<Client> {
  const client = clientOf(servers)
  watch(client, log)
  // The news of a failover, where it comes while ioredis asks the sentinels for the master already, makes it give up
  // for good: dialogues would get the busy text until the daemon is started anew.
  client.on('end', () => {
    const again = () => left.has(client) || void client.connect().catch(() => undefined) // told as 'error'
    // Not at once: a connection that ends as soon as it is tried would take the whole processor.
    if (!left.has(client)) clock.after(AGAIN_MS, again)
  })
  await new Promise<void>((done) => {
    client.once('ready', () => done())
    client.once('close', () => done())
    client.once('end', () => done())
  })
  return client
}

/** The end that we want: nothing is connected again. */
export async function disconnect(client: Client): Promise<void> {
  left.add(client)
  await client.quit().catch(() => undefined)
  client.disconnect()
}

/** Says when the connection goes and comes. Without an error listener ioredis writes to the terminal by itself. */
function watch(client: Client, log: Log): void {
  let lost: string | undefined
  client.on('error', (error: Error) => {
    const why = reasonOf(error)
    const known = unreachable(error, 'redis')
    if (why !== lost) log.warn({ why, ...(known ? { remedy: known.remedy } : {}) }, 'the connection to Redis is lost')
    lost = why
  })
  client.on('ready', () => {
    if (lost !== undefined) log.info({}, 'the connection to Redis is back')
    lost = undefined
  })
  if (client instanceof Redis) return
  client.on('-node', (node: Redis) => log.warn({ node: addressOf(node) }, 'a node of the Redis Cluster is lost'))
  client.on('+node', (node: Redis) => log.debug({ node: addressOf(node) }, 'a node of the Redis Cluster is known'))
}

/**
 * Answers a function to call before a command: what is written until the event loop comes round leaves in one write.
 * (Measured: auto-pipelining loses against this with scripts.)
 */
export function gather(client: Client): () => void {
  let corked: Writable[] = []
  const release = () => {
    const streams = corked
    corked = []
    for (const stream of streams) stream.uncork()
  }
  return () => {
    if (corked.length > 0) return
    corked = mastersOf(client).flatMap((node) => {
      const { stream } = node as unknown as { stream?: Writable }
      return node.status === 'ready' && stream ? [stream] : []
    })
    if (corked.length === 0) return
    for (const stream of corked) stream.cork()
    setImmediate(release)
  }
}

/**
 * Whatever Redis or the connection said, as a StoreError. The cause is left behind: ioredis hangs the command with its
 * arguments on it, and those are the subscriber's.
 */
export function asStoreError(call: string, error: unknown): StoreError {
  return error instanceof StoreError ? error : new StoreError('down', `Redis failed at '${call}': ${reasonOf(error)}`)
}

/** A value of another type stands where a dialogue should. */
export function isWrongType(error: unknown): boolean {
  return error instanceof Error && error.message.includes('WRONGTYPE')
}

/** A code, or one of our own sentences: the server's may quote keys. */
function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  if (code) return code
  if (/^[A-Z]{2,}\b/.test(message)) return message.split(' ', 1)[0]!
  return REASONS.find(([pattern]) => pattern.test(message))?.[1] ?? 'an error that is not known here'
}

const REASONS: [RegExp, string][] = [
  [/^(Command timed out|Socket timeout)/, 'no answer in time'],
  [/^Connection is closed/, 'the connection is closed'],
  [/max retries per request/i, 'the connection was lost'],
  [/^(Stream isn't writeable|Cluster isn't ready)/, 'not connected'],
  [/^Too many Cluster redirections/, 'the node that has this slot is away'],
  [/^Failed to refresh slots cache|startup nodes/, 'no node of the Cluster answers'],
  [/sentinels/, 'no sentinel knows a master'],
]
