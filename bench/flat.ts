/** What a turn costs beside so many dialogues that rest in Redis, and what one of them takes there. */
import type { Redis } from 'ioredis'
import { bucketOf } from '../src/dialogue/key.ts'
import type { Asked } from './arguments.ts'
import { measure, type Measured } from './measure.ts'
import { daemonSystem, type DaemonSystem, type System } from './systems.ts'
import { rewritten } from './processes.ts'

export interface FlatRow {
  resting: number
  runs: Measured[]
  /** Octets of Redis' memory for one that rests, its key and its deadline included. */
  octetsEach: number
}

export const RESTING = [1_000, 100_000, 1_000_000] as const
const PHONES = 1_000
/** Of saturation: with all that rests the daemon must have time left, or the rate would not be the same. */
const SHARE = 1 / 3
const WARM_UP = { scenario: 'walk', concurrent: 500, turns: 20_000, seconds: 15 } as const
/** A million takes some 1.1 GB. */
const REDIS_MB = 4_000
/** Above the numbers of the phones. */
const FIRST_MSISDN = 67_600_000_000
/** No dialogue becomes due in this time. */
const REST_MS = 3_600_000
const BATCH = 1_000

export async function playFlat(asked: Asked, tell: (run: Measured) => void): Promise<FlatRow[]> {
  const rows: (FlatRow & { system: System })[] = []
  let perSecond: number | undefined
  for (const resting of RESTING) {
    const daemon = await daemonSystem('daemon', { redisMb: REDIS_MB })
    const warm = await daemon.walk(WARM_UP)
    perSecond ??= warm.perSecond * SHARE
    await daemon.clear()
    const one = await oneAtRest(daemon)
    const octetsEach = await fill(daemon.redis.client, one, resting)
    // What rests stays.
    const system = { ...daemon, clear: () => rewritten(daemon.redis.client) }
    rows.push({ resting, runs: [], octetsEach, system })
  }
  for (let round = 0; round < asked.rounds; round++) {
    for (const { resting, runs, system } of round % 2 ? rows.toReversed() : rows) {
      const load = `${resting.toLocaleString('en')} at rest`
      const order = { concurrent: PHONES, perSecond: perSecond!, seconds: asked.seconds, seed: round + 1 }
      const run = await measure(system, { scenario: 'walk', load, round, ...order })
      tell(run)
      runs.push(run)
    }
  }
  return rows
}

interface AtRest {
  name: string
  msisdn: string
  value: string
}

/** A phone dials and presses twice, and leaves it at that. */
async function oneAtRest(daemon: DaemonSystem): Promise<AtRest> {
  const { client } = daemon.redis
  await daemon.walk({ scenario: 'walk', concurrent: 1, turns: 3 })
  const [, [key = '']] = await client.scan('0', 'MATCH', 'ussd:*:u:*', 'COUNT', 10_000)
  const name = key.replace(/^.*:u:/, '')
  const value = await client.get(key)
  if (value === null) throw new Error('the dialogue that a phone left open is not in Redis')
  return { name, msisdn: name.replace(/^.*:/, ''), value }
}

/** ARGV: what stands for the number, the value, its time to live, its deadline; then bucket, name and number of each. */
const FILL = `
for i = 5, #ARGV, 3 do
  local bucket, name, msisdn = 'ussd:{b' .. ARGV[i] .. '}', ARGV[i + 1], ARGV[i + 2]
  redis.call('SET', bucket .. ':u:' .. name, (string.gsub(ARGV[2], ARGV[1], msisdn)), 'PX', ARGV[3])
  redis.call('ZADD', bucket .. ':deadlines', ARGV[4], name)
end
return 1
`

/** Answers the octets that each of them takes. */
async function fill(client: Redis, { name, msisdn, value }: AtRest, count: number): Promise<number> {
  const before = await memoryOf(client)
  await client.config('SET', 'appendonly', 'no')
  for (let from = 0; from < count; from += BATCH) {
    const each = Array.from({ length: Math.min(BATCH, count - from) }, (_, i) => {
      const other = String(FIRST_MSISDN + from + i)
      const its = name.replace(msisdn, other)
      return [bucketOf(its), its, other]
    })
    await client.eval(FILL, 0, msisdn, value, 2 * REST_MS, Date.now() + REST_MS, ...each.flat())
  }
  await client.config('SET', 'appendonly', 'yes')
  await rewritten(client)
  return ((await memoryOf(client)) - before) / count
}

async function memoryOf(client: Redis): Promise<number> {
  const info = await client.info('memory')
  const of = (name: string) => Number(new RegExp(`${name}:(\\d+)`).exec(info)![1])
  return of('used_memory') - of('mem_aof_buffer') - of('mem_clients_normal')
}
