/**
 * Unfinished SMS of subscribers in Redis: `prefix:{b<0…63>}:s:<group>:<msisdn>` is what one subscriber has, and
 * `prefix:{b<n>}:sms` says when something of its bucket is over. Names and values are hidden as those of dialogues are.
 * A change is read, worked out here, and written if nobody else wrote meanwhile: two parts of one subscriber seldom
 * come at once.
 */
import { BUCKETS, bucketOf, type StoreFault } from '../../dialogue/index.ts'
import { StoreError } from '../../base/index.ts'
import type { Changed, HeldDeps, PartShelf } from '../../sms/inbox/index.ts'
import { asStoreError } from './connection.ts'
import { eraseAll, listDue } from './keyspace.ts'
import type { Client } from './servers.ts'
import { plainSealer, type SealPlace, type Sealer } from '../seal.ts'

export interface RedisPartsOptions {
  /** That of the dialogues: listened to for errors and closed by whoever made it. */
  client: Client
  prefix?: string
  sealer?: Sealer
  /** Subscribers with unfinished texts. Over it the SMSC has to keep them. */
  subscribersMax: number
  onFault?: (fault: StoreFault) => void
}

/** What a value is sealed as: the name is that of a dialogue, too. */
const PARTS = 'sms-parts'
/** So many daemons do not get parts of one subscriber at once. */
const TRIES_MAX = 20
/** A value that nobody looks at goes by itself this long after it was due. */
const BACKSTOP_MS = 3_600_000
/** Letter of the names, and name of the index. */
const KIND = { letters: 's', index: 'sms' } as const

/**
 * KEYS: the value, the index of its bucket, where it was read (its former name, or the same). ARGV: the value that was
 * read, the next one, its name, the former name, when it is due, its time to live, how many a bucket may have. '' is no
 * value. Answers 1, or 0 where another was quicker, or 2 where the bucket is full.
 */
const SWAP = `
if (redis.call('GET', KEYS[3]) or '') ~= ARGV[1] then return 0 end
if KEYS[3] ~= KEYS[1] then
  if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
  redis.call('DEL', KEYS[3])
  redis.call('ZREM', KEYS[2], ARGV[4])
end
if ARGV[2] == '' then
  redis.call('DEL', KEYS[1])
  redis.call('ZREM', KEYS[2], ARGV[3])
  return 1
end
if ARGV[1] == '' and redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[7]) then return 2 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[6])
redis.call('ZADD', KEYS[2], ARGV[5], ARGV[3])
return 1
`

/** Two shelves may be on one client. */
let defined = 0

export function redisParts(options: RedisPartsOptions): PartShelf {
  const { client, prefix = 'ussd', sealer = plainSealer, onFault, subscribersMax } = options
  const swap = define(client)
  const bucketMax = Math.max(1, Math.ceil(subscribersMax / BUCKETS))
  const keyOf = (name: string) => `${prefix}:{b${bucketOf(name)}}:s:${name}`

  /** What stands there, and under which of its names. */
  async function read({ name, former }: SealPlace): Promise<{ stored: string; name: string }> {
    const stored = await client.get(keyOf(name))
    if (stored !== null || former === undefined) return { stored: stored ?? '', name }
    const before = await client.get(keyOf(former))
    return before === null ? { stored: '', name } : { stored: before, name: former }
  }

  /** What was altered is lost; what is sealed with a key that is not here is left to the daemon that has it. */
  function opened(place: SealPlace, stored: string): HeldDeps | null {
    if (stored === '') return null
    try {
      return JSON.parse(place.open(stored, PARTS)) as HeldDeps
    } catch (error) {
      if (error instanceof StoreError && error.code === 'sealed') throw error
      onFault?.(error instanceof StoreError && error.code === 'unsealed' ? 'unsealed' : 'corrupt')
      return null
    }
  }

  async function change<T>(place: SealPlace, run: (held: HeldDeps | null) => Changed<T>): Promise<T> {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const { stored, name } = await read(place)
      const { held, dueMs, liveMs, told } = run(opened(place, stored))
      const next = held === null ? '' : place.seal(JSON.stringify(held), PARTS)
      const keys = [keyOf(place.name), `${prefix}:{b${bucketOf(place.name)}}:${KIND.index}`, keyOf(name)]
      const answer = await swap(
        ...keys,
        stored,
        next,
        place.name,
        name,
        dueMs,
        Math.ceil(liveMs) + BACKSTOP_MS,
        bucketMax,
      )
      if (answer === 1) return told
      if (answer === 2)
        throw new StoreError('too-large', 'as many subscribers have unfinished SMS as sms.long.subscribersMax allows')
    }
    throw new StoreError('down', "parts of one subscriber's SMS came at too many daemons at once")
  }

  return {
    change: (key, run) => ask('parts', () => change(sealer.place(key), run)),
    async changeDue<T>(nowMs: number, limit: number, run: (held: HeldDeps) => Changed<T>) {
      const names = await ask('parts due', () => listDue(client, prefix, { nowMs, limit, start: 0, index: KIND.index }))
      const gone: Changed<null> = { held: null, dueMs: 0, liveMs: 0, told: null }
      const one = (name: string) => change<T | null>(sealer.named(name), (held) => (held ? run(held) : gone))
      const all = await Promise.all(names.map((name) => ask('parts due', () => one(name)).catch(leave)))
      return all.filter((told) => told !== null)
    },
    find: (key) =>
      ask('parts of', async () => {
        const place = sealer.place(key)
        return opened(place, (await read(place)).stored)
      }),
    erase: (msisdn) => ask('erase', () => eraseAll(client, prefix, msisdn, { hidden: sealer.hidden(msisdn), ...KIND })),
  }
}

async function ask<T>(call: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw asStoreError(call, error)
  }
}

/** One that does not open here must not keep the others. */
function leave(error: unknown): null {
  if (error instanceof StoreError && error.code === 'sealed') return null
  throw error
}

type Swap = (...args: (string | number)[]) => Promise<number>

function define(client: Client): Swap {
  const as = `ussd:parts:${++defined}`
  client.defineCommand(as, { lua: SWAP, numberOfKeys: 3 })
  // ioredis hangs it on the client under its name, which the types cannot know.
  const command = (client as unknown as Record<string, Swap>)[as]!
  return (...args) => command.apply(client, args)
}
