/** The systems that a bench compares, each with a Redis and phones of its own. */
import { join } from 'node:path'
import type { ChildProcess } from 'node:child_process'
import type { LoadResult } from '../src/simulator/load/index.ts'
import type { Order } from './phones.ts'
import type { Probe } from './probe.ts'
import { benchDir, crewOf, familyCpuSeconds, startPhones, startRedis, type OwnRedis } from './processes.ts'
import { startStage, type StageOptions } from './stage.ts'

export type SystemName = 'daemon' | 'before' | 'raw loop' | 'Kannel'

export interface System {
  name: SystemName
  walk(order: Order): Promise<LoadResult>
  /** CPU seconds so far of each process that takes part, with its children; the phones are none of them. */
  cpu(): Record<string, number>
  metrics?(): Promise<Map<string, number>>
  /** The process that the SMSC speaks with. */
  process: ChildProcess
  probe?: Probe
  clear(): Promise<void>
  stop(): Promise<void>
}

export interface DaemonSystem extends System {
  redis: OwnRedis
  /** Octets of a dialogue in Redis, the mean of some. */
  recordOctets(): Promise<number>
}

const SAMPLE = 200
/** By then a daemon knows that no earlier build runs beside it, and writes the newest form of a record (src/fleet). */
const NEWEST_FORM_MS = 21_000

export async function daemonSystem(name: 'daemon' | 'before', options: StageOptions): Promise<DaemonSystem> {
  const { daemon, redis, postgresPid, shop, probe, ...stage } = await startStage(options)
  if (name === 'daemon') await new Promise((done) => setTimeout(done, NEWEST_FORM_MS))
  return {
    name,
    redis,
    process: daemon,
    ...(options.isProbed ? { probe } : {}),
    walk: stage.walk,
    metrics: stage.metrics,
    clear: stage.clear,
    stop: stage.stop,
    cpu: () => ({
      daemon: familyCpuSeconds(daemon.pid!),
      Redis: familyCpuSeconds(redis.process.pid!),
      Postgres: familyCpuSeconds(postgresPid),
      ...(shop && { 'back end': familyCpuSeconds(shop.pid!) }),
    }),
    async recordOctets() {
      const [, keys] = await redis.client.scan('0', 'MATCH', 'ussd:*:u:*', 'COUNT', SAMPLE)
      const octets = await Promise.all(keys.map((key) => redis.client.strlen(key)))
      return Math.round(octets.reduce((sum, one) => sum + one, 0) / Math.max(1, octets.length))
    },
  }
}

/** Of `walk` only: what Node itself costs for a turn (raw/loop.ts). */
export function rawSystem(recordOctets: number): Promise<System> {
  return crewOf('raw', async (crew) => {
    const redis = await startRedis(crew)
    const phones = await startPhones(crew)
    const args = [phones.port, redis.port, recordOctets].map(String)
    const node = ['--max-semi-space-size=64', '--import', 'tsx', join(benchDir, 'raw/loop.ts')]
    const loop = crew.start('loop', process.execPath, [...node, ...args])
    await crew.until(phones.bound)
    return {
      name: 'raw loop',
      process: loop,
      walk: (order) => crew.until(phones.walk(order)),
      cpu: () => ({ loop: familyCpuSeconds(loop.pid!), Redis: familyCpuSeconds(redis.process.pid!) }),
      clear: redis.clear,
      stop: crew.stop,
    }
  })
}
