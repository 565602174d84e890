/**
 * Calls to Redis over all buckets: what is due, how many there are, everything about one MSISDN, how durable Redis is.
 */
import { Redis } from 'ioredis'
import { BUCKETS, HIDDEN, nameOfKey } from '../../dialogue/index.ts'
import { StoreError } from '../../base/index.ts'
import { patiently } from './connection.ts'
import { addressOf, mastersOf, type Client } from './servers.ts'

/** What one server answers for all buckets at once. In a Cluster each bucket is asked separately. */
export interface WholeIndex {
  due(keys: string[], nowMs: number, limit: number): Promise<string[]>
  count(keys: string[]): Promise<number>
}

/** Keys of the deadline indexes of all buckets. */
export function indexKeys(prefix: string, index: string): string[] {
  return Array.from({ length: BUCKETS }, (_, n) => `${prefix}:{b${n}}:${index}`)
}

/** Names whose deadline has come, the earliest first. If nothing is due: one cheap read. */
export async function listDue(
  client: Client,
  keys: string[],
  { nowMs, limit }: { nowMs: number; limit: number },
  whole?: WholeIndex,
): Promise<string[]> {
  const found = whole ? [await whole.due(keys, nowMs, limit)] : await dueInEach(client, keys, nowMs, limit)
  return found
    .flatMap(pairs)
    .toSorted(order)
    .slice(0, limit)
    .map(({ name }) => name)
}

async function dueInEach(client: Client, keys: string[], nowMs: number, limit: number): Promise<string[][]> {
  const found = await Promise.allSettled(
    keys.map((key) => client.zrangebyscore(key, '-inf', nowMs, 'WITHSCORES', 'LIMIT', 0, limit)),
  )
  const answers = found.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  // One node of a Cluster is unreachable: dialogues on the others have deadlines too.
  if (answers.length === 0) throw (found[0] as PromiseRejectedResult).reason
  return answers
}

/** How many have a deadline. */
export async function countDue(client: Client, keys: string[], whole?: WholeIndex): Promise<number> {
  if (whole) return whole.count(keys)
  const counts = await Promise.all(keys.map((key) => client.zcard(key)))
  return counts.reduce((sum, count) => sum + count, 0)
}

/** Names of dialogues with a deadline, bucket by bucket, at most `limit`. */
export async function* listOpen(client: Client, prefix: string, index: string, limit: number): AsyncIterable<string[]> {
  for (let bucket = 0, left = limit; bucket < BUCKETS && left > 0; bucket++) {
    const names = await client.zrange(`${prefix}:{b${bucket}}:${index}`, '0', String(left - 1))
    left -= names.length
    for (let from = 0; from < names.length; from += READ_COUNT) yield names.slice(from, from + READ_COUNT)
  }
}

/** How many records are requested at once: turns are served between. */
const READ_COUNT = 200

export interface Erasing {
  /** What replaces the number in names that hide it. */
  hidden: string | null
  /** The kinds of names, one letter each, including those put aside (q), and the index with their deadlines. */
  letters: string
  index: string
}

/** Removes everything of this kind and MSISDN. Returns how many, not counting those put aside. Scans all keys. */
export async function eraseAll(
  client: Client,
  prefix: string,
  msisdn: string,
  { hidden, letters, index }: Erasing,
): Promise<number> {
  const suffixes = [
    literal(nameOfKey({ group: '', msisdn })),
    ...(hidden === null ? [] : [`:${HIDDEN}??${literal(hidden)}`]),
  ]
  const patterns = suffixes.map((suffix) => `${literal(prefix)}:{b*}:[${letters}]:*${suffix}`)
  const found = await Promise.all(mastersOf(client).flatMap((node) => patterns.map((pattern) => scan(node, pattern))))
  const removed = await Promise.all([...new Set(found.flat())].map((key) => eraseOne(client, key, index)))
  return removed.reduce((sum, count) => sum + count, 0)
}

/**
 * Whether acknowledged writes survive a restart of Redis; in a Cluster for each node. Throws StoreError 'down' if Redis
 * does not answer, if some dialogues have no node, or if nothing can be written.
 */
export async function checkRedis(client: Client, prefix: string): Promise<{ durable: boolean; notes: string[] }> {
  const nodes = mastersOf(client)
  if (nodes.length === 0) throw new StoreError('down', 'no node of the Redis Cluster is known')
  const checks = await Promise.all(nodes.map(checkNode))
  // Without cluster-require-full-coverage the state stays ok while slots are missing.
  if (
    !(client instanceof Redis) &&
    !/cluster_state:ok[^]*cluster_slots_ok:16384/.test(String(await nodes[0]!.cluster('INFO')))
  ) {
    throw new StoreError('down', 'the Redis Cluster is not whole: some of its slots have no node')
  }
  await mayWrite(client, prefix)
  const told = (n: number, note: string) => (client instanceof Redis ? note : `${addressOf(nodes[n]!)}: ${note}`)
  return {
    durable: checks.every((check) => check.durable),
    notes: checks.flatMap(({ notes }, n) => notes.map((note) => told(n, note))),
  }
}

/**
 * Rejects if every write would be rejected: Redis is full, read-only, without a disk or the required replicas, or
 * forbids writes. Leaves nothing behind: XX overwrites only existing keys.
 */
async function mayWrite(client: Client, prefix: string): Promise<void> {
  await Promise.all(
    Array.from({ length: BUCKETS }, (_, bucket) => client.set(`${prefix}:{b${bucket}}:check`, '', 'XX')),
  )
}

/** The time of Redis, in milliseconds; in a Cluster, of one node. */
export async function redisTime(client: Client): Promise<number> {
  const [node] = mastersOf(client)
  if (!node) throw new StoreError('down', 'no node of the Redis Cluster is known')
  const [seconds, micros] = await node.time()
  return Number(seconds) * 1_000 + Number(micros) / 1_000
}

/** How many nodes that hold data are known, and how many are connected. */
export function connectedTo(client: Client): { known: number; ready: number } {
  const nodes = mastersOf(client)
  return { known: nodes.length, ready: nodes.filter((node) => node.status === 'ready').length }
}

function pairs(flat: string[]): { name: string; atMs: number }[] {
  return Array.from({ length: flat.length / 2 }, (_, n) => ({ name: flat[2 * n]!, atMs: Number(flat[2 * n + 1]) }))
}

function order(a: { name: string; atMs: number }, b: { name: string; atMs: number }): number {
  return a.atMs - b.atMs || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)
}

/**
 * The size of a SCAN step: large enough to be fast over millions of keys, small enough that turns are served between.
 */
const SCAN_COUNT = 1_000

async function scan(node: Redis, pattern: string): Promise<string[]> {
  const found: string[] = []
  let cursor = '0'
  do {
    const [next, keys] = await patiently(() => node.scan(cursor, 'MATCH', pattern, 'COUNT', SCAN_COUNT))
    found.push(...keys)
    cursor = next
  } while (cursor !== '0')
  return found
}

async function eraseOne(client: Client, key: string, index: string): Promise<number> {
  const [, start, kind, name] = /^(.*?\{b\d+\}):([a-z]):(.*)$/s.exec(key) ?? []
  if (start === undefined) return 0
  const removed = await patiently(async (tries) => {
    const [n] = await Promise.all([client.del(key), client.zrem(`${start}:${index}`, name!)])
    return tries > 1 ? 1 : n // what was asked before may have been done
  })
  return kind === 'q' ? 0 : removed
}

function literal(text: string): string {
  return text.replace(/[\\*?[\]^-]/g, '\\$&')
}

async function checkNode(node: Redis): Promise<{ durable: boolean; notes: string[] }> {
  await node.ping()
  const ask = ['appendonly', 'maxmemory-policy', 'appendfsync'].map((name) => setting(node, name))
  const [appendonly, policy, appendfsync] = await Promise.all(ask)
  const notes: string[] = []
  if (appendonly === undefined || policy === undefined) {
    notes.push('Redis does not tell its settings (CONFIG GET is refused): nobody knows what it keeps')
  }
  if (appendonly !== undefined && appendonly !== 'yes') {
    notes.push('appendonly is off: a restart of Redis loses open dialogues')
  }
  if (policy !== undefined && policy !== 'noeviction') {
    notes.push(`maxmemory-policy is ${policy}: Redis may drop open dialogues when it is full`)
  }
  if (appendonly === 'yes' && appendfsync === 'no') {
    notes.push('appendfsync is no: a power failure loses what the system had not written yet')
  }
  return { durable: appendonly === 'yes' && policy === 'noeviction', notes }
}

/** Undefined: refused, as by managed services. */
async function setting(node: Redis, name: string): Promise<string | undefined> {
  try {
    const answer: unknown = await node.config('GET', name)
    return Array.isArray(answer) ? (answer[1] as string | undefined) : (answer as Record<string, string>)[name]
  } catch (error) {
    if ((error as Error).name === 'ReplyError') return undefined
    throw error
  }
}

/** Of a bound on all values or records: what one bucket may have. */
export function perBucket(count: number): number {
  return Math.max(1, Math.ceil(count / BUCKETS))
}
