/**
 * Call detail records that wait in Redis: a hash in each bucket, `prefix:{b<0…63>}:cdr`, so that the script that ends a
 * dialogue stores its record, too.
 */
import { bucketOf, BUCKETS } from '../../dialogue/index.ts'
import type { StoredRecords } from '../register.ts'
import { perBucket } from './keyspace.ts'
import type { Client } from './servers.ts'

/**
 * How many records may wait. To ask for each how many there are costs Redis a tenth of it. So a daemon does not ask
 * while few waited at its last look (of all daemons' records; the collector looks each 15 s) and few of its own came
 * since.
 */
export interface RecordsBound {
  /** What a bucket may have. Undefined: no need to ask. */
  ofBucket(): number | undefined
  kept(count: number): void
  removed(count: number): void
  /** So many wait, of all daemons. */
  looked(count: number): void
}

const UNASKED_SHARE = 1 / 16

export function recordsBound(max: number): RecordsBound {
  // Nobody has looked yet.
  let waiting = Infinity
  return {
    ofBucket: () => (waiting < max * UNASKED_SHARE ? undefined : perBucket(max)),
    kept: (count) => void (waiting += count),
    removed: (count) => void (waiting = Math.max(0, waiting - count)),
    looked: (count) => void (waiting = count),
  }
}

const sumOf = (lengths: readonly number[]) => lengths.reduce((sum, length) => sum + length, 0)

type Ask = <T>(call: string, work: () => Promise<T>) => Promise<T>

export function storedRecords(
  client: Client,
  keyOf: (bucket: number) => string,
  { ask, max, bound }: { ask: Ask; max: number; bound: RecordsBound },
): StoredRecords {
  const buckets = Array.from({ length: BUCKETS }, (_, bucket) => bucket)
  const lengths = async () => {
    const all = await ask('count records', () => Promise.all(buckets.map((bucket) => client.hlen(keyOf(bucket)))))
    bound.looked(sumOf(all))
    return all
  }
  return {
    at: (name, field) => `${bucketOf(name)} ${field}`,
    count: async () => sumOf(await lengths()),
    async *pages(limit) {
      const all = await lengths()
      for (const bucket of buckets.filter((one) => all[one]! > 0)) {
        let cursor = '0'
        do {
          const [next, flat] = await ask('read records', () => client.hscan(keyOf(bucket), cursor, 'COUNT', limit))
          cursor = next
          const found = Array.from({ length: flat.length / 2 }, (_, n) => ({
            at: `${bucket} ${flat[2 * n]}`,
            field: flat[2 * n]!,
            text: flat[2 * n + 1]!,
          }))
          for (let from = 0; from < found.length; from += limit) yield found.slice(from, from + limit)
        } while (cursor !== '0')
      }
    },
    put: (name, { field, text }) =>
      ask('keep a record', async () => {
        const key = keyOf(bucketOf(name))
        if ((await client.hlen(key)) >= perBucket(max) && !(await client.hexists(key, field))) return false
        await client.hset(key, field, text)
        return true
      }),
    async replace(at, text) {
      const { bucket, field } = placeOf(at)
      await ask('replace a record', () => client.hset(keyOf(bucket), field, text))
    },
    async remove(at) {
      const fields = new Map<number, string[]>()
      for (const one of at) {
        const { bucket, field } = placeOf(one)
        if (!fields.has(bucket)) fields.set(bucket, [])
        fields.get(bucket)!.push(field)
      }
      await ask('remove records', () =>
        Promise.all([...fields].map(([bucket, names]) => client.hdel(keyOf(bucket), ...names))),
      )
      bound.removed(at.length)
    },
  }
}

/** As `at` writes it. */
function placeOf(at: string): { bucket: number; field: string } {
  const blank = at.indexOf(' ')
  return { bucket: Number(at.slice(0, blank)), field: at.slice(blank + 1) }
}
