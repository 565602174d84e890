/** The connection to Redis: it fails fast, repeats nothing, and its errors reveal no secrets. */
import { Redis } from 'ioredis'
import { type Log, StoreError, systemClock } from '../../base/index.ts'
import type { Clock } from '../../ussd/index.ts'
import { unreachable } from '../unreachable.ts'
import { addressOf, clientOf, type Client, type RedisServers } from './servers.ts'

/** The pause after ioredis has given up: as long as its own pauses (servers.ts). */
const AGAIN_MS = 500
/** Clients that were disconnected on purpose. */
const left = new WeakSet<Client>()

/** Connects in the background for ever. Returns when the first attempt has succeeded or failed. */
export async function connect(servers: RedisServers, log: Log, clock: Clock = systemClock()): Promise<Client> {
  const client = clientOf(servers)
  watch(client, log)
  // If the news of a failover arrives while ioredis is asking the sentinels for the master, ioredis gives up for good:
  // dialogues would get the busy text until the daemon is restarted.
  client.on('end', () => {
    const again = () => left.has(client) || void client.connect().catch(() => undefined) // reported by the 'error' event
    // Not at once: a connection that ends as soon as it is tried would use the whole processor.
    if (!left.has(client)) clock.after(AGAIN_MS, again)
  })
  await new Promise<void>((done) => {
    client.once('ready', () => done())
    client.once('close', () => done())
    client.once('end', () => done())
  })
  return client
}

/** The end that we want: nothing reconnects. */
export async function disconnect(client: Client): Promise<void> {
  left.add(client)
  await client.quit().catch(() => undefined)
  client.disconnect()
}

/** Logs when the connection is lost and restored. Without an error listener ioredis writes to the terminal. */
function watch(client: Client, log: Log): void {
  let lost: string | undefined
  client.on('error', (error: Error) => {
    const why = reasonOf(error)
    const known = unreachable(error, 'redis')
    if (why !== lost) log.warn({ why, ...(known ? { remedy: known.remedy } : {}) }, 'the connection to Redis is lost')
    lost = why
  })
  client.on('reconnecting', (ms: number) => log.debug({ ms }, 'connecting to Redis again'))
  client.on('ready', () => {
    if (lost !== undefined) log.info({}, 'the connection to Redis is back')
    lost = undefined
  })
  if (client instanceof Redis) return
  client.on('-node', (node: Redis) => log.warn({ node: addressOf(node) }, 'a node of the Redis Cluster is lost'))
  client.on('+node', (node: Redis) => log.debug({ node: addressOf(node) }, 'a node of the Redis Cluster is known'))
}

/**
 * Whatever Redis or the connection reports, as a StoreError. The cause is dropped: ioredis attaches the command and its
 * arguments to it, and those are the subscriber's.
 */
export function asStoreError(call: string, error: unknown): StoreError {
  return error instanceof StoreError ? error : new StoreError('down', `Redis failed at '${call}': ${reasonOf(error)}`)
}

/** Redis has a value of another type where a dialogue should be. */
export function isWrongType(error: unknown): boolean {
  return error instanceof Error && error.message.includes('WRONGTYPE')
}

/** ioredis gave the command up after `commandTimeout`. */
export function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.message === 'Command timed out'
}

/**
 * How often each command of an erasure is asked while Redis does not answer: no handset waits for it, and an operator
 * should not have to begin again because Redis stood still for a moment.
 */
const ERASURE_TRIES = 4

/** `ask` may be done twice: it is told how often it was asked, this time included. */
export async function patiently<T>(ask: (tries: number) => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await ask(tries)
    } catch (error) {
      if (tries === ERASURE_TRIES || !isTimeout(error)) throw error
    }
  }
}

/** A code, or one of our own sentences: the server's message may quote keys. */
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
  [/^Too many Cluster redirections/, 'the node that has this slot is unreachable'],
  [/^Failed to refresh slots cache|startup nodes/, 'no node of the Cluster answers'],
  [/sentinels/, 'no sentinel knows a master'],
]
