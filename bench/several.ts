/** Several daemons on the same stores and lines, as the systemd template starts them; and what they and Redis cost. */
import { execFileSync, type ChildProcess } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { ownPostgres } from '../test/campaigns/staging/own-postgres.ts'
import { clusterFleet } from '../test/campaigns/staging/redis-fleet.ts'
import type { LoadResult } from '../src/simulator/load/index.ts'
import {
  cpuSeconds,
  crewOf,
  familyCpuSeconds,
  freePort,
  root,
  startPhones,
  startRedis,
  type Crew,
} from './processes.ts'
import { SCENARIOS } from './scenarios.ts'

export interface SeveralOptions {
  daemons: number
  /** Of the line, in each daemon. Default 1. */
  links?: number
  /** Three masters with a replica each, in place of one server. */
  isCluster?: boolean
  /** The program of the daemons. Default: ours. */
  node?: string
}

export interface Turned {
  result: LoadResult
  /** CPU seconds of 10,000 turns: of all daemons, and of Redis. */
  daemons: number
  redis: number
  /** Share of a core that one daemon used, the busiest. */
  busiest: number
}

const [WALK] = SCENARIOS
const TURNS = 10_000
const READY_MS = 60_000
const LOOK_MS = 100

interface Stores {
  redis: object
  cpu(): number
}

/** Runs `work` with them, and ends them. */
export function withSeveral<T>(options: SeveralOptions, work: (walk: Walk) => Promise<T>): Promise<T> {
  return crewOf('several', async (crew) => {
    try {
      return await work(await started(crew, options))
    } finally {
      await crew.stop()
    }
  })
}

export type Walk = (order: { concurrent: number; seconds: number }) => Promise<Turned>

async function started(crew: Crew, options: SeveralOptions): Promise<Walk> {
  const stores = options.isCluster ? await cluster(crew) : await oneRedis(crew)
  const phones = await startPhones(crew)
  const postgres = await ownPostgres({ checkpointsRarely: true })
  crew.onStop(() => postgres.close())
  const daemons: ChildProcess[] = []
  for (let n = 0; n < options.daemons; n++) {
    const settings = settingsOf(options.links ?? 1, { smpp: phones.port, redis: stores.redis, postgres: postgres.url })
    daemons.push(await startDaemon(crew, `daemon-${n}`, settings, options.node ?? process.execPath))
  }
  return async (order) => {
    const look = () => ({ each: daemons.map(cpuSeconds), redis: stores.cpu() })
    const before = look()
    const result = await crew.until(phones.walk({ scenario: WALK!.name, ...order }))
    const after = look()
    const spent = after.each.map((seconds, n) => seconds - before.each[n]!)
    const of = (seconds: number) => (seconds / result.turns) * TURNS
    return {
      result,
      daemons: of(spent.reduce((sum, one) => sum + one, 0)),
      redis: of(after.redis - before.redis),
      busiest: Math.max(...spent) / result.seconds,
    }
  }
}

async function oneRedis(crew: Crew): Promise<Stores> {
  const { port, process: server } = await startRedis(crew)
  return { redis: { url: `redis://127.0.0.1:${port}/0` }, cpu: () => cpuSeconds(server) }
}

async function cluster(crew: Crew): Promise<Stores> {
  const fleet = await clusterFleet()
  crew.onStop(() => fleet.close())
  return {
    redis: { cluster: fleet.servers.map(({ port }) => `redis://127.0.0.1:${port}`) },
    cpu: () => fleet.servers.reduce((sum, { pid }) => sum + familyCpuSeconds(pid), 0),
  }
}

/** Resolves when its line is bound. Its data and its port are its own. */
async function startDaemon(crew: Crew, name: string, settings: object, node: string): Promise<ChildProcess> {
  const dir = join(crew.dir, name)
  mkdirSync(dir)
  const port = await freePort()
  const config = join(dir, 'connector.yaml')
  writeFileSync(config, stringify({ ...settings, data: join(dir, 'data'), admin: { port } }), { mode: 0o600 })
  const program = join(root, 'dist/src/cli/main.js')
  execFileSync(node, [program, 'migrate', '--config', config], { stdio: 'ignore' })
  const daemon = crew.start(name, node, ['--max-semi-space-size=64', program, 'run', '--config', config])
  await crew.until(isReady(port))
  return daemon
}

async function isReady(port: number): Promise<void> {
  for (let leftMs = READY_MS; leftMs > 0; leftMs -= LOOK_MS) {
    const answer = await fetch(`http://127.0.0.1:${port}/ready`).catch(() => undefined)
    if (answer?.status === 200) return
    await new Promise((done) => setTimeout(done, LOOK_MS))
  }
  throw new Error('a daemon does not get ready')
}

function settingsOf(
  links: number,
  { smpp, redis, postgres }: { smpp: number; redis: object; postgres: string },
): object {
  const smsc = { host: '127.0.0.1', port: smpp, systemId: 'bench', password: 'bench' }
  return {
    lines: [{ name: 'bench', smsc, window: 1_000, links }],
    services: [{ code: WALK!.code, flow: WALK!.name }],
    flows: { dir: WALK!.flows },
    redis,
    postgres: { url: postgres },
    dialogue: { perSubscriber: { perSecond: 100_000, burst: 100_000 } },
    stopMs: 200,
  }
}
