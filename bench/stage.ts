/** The daemon as it is installed, with a Redis, a Postgres, phones, and the back end that a scenario has. */
import { execFileSync, type ChildProcess } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { ownPostgres } from '../test/campaigns/staging/own-postgres.ts'
import type { LoadResult } from '../src/simulator/load/index.ts'
import type { Order } from './phones.ts'
import { probeOf, type Probe } from './probe.ts'
import {
  benchDir,
  cpuSeconds,
  crewOf,
  freePort,
  root,
  startPhones,
  startRedis,
  type Crew,
  type OwnRedis,
} from './processes.ts'
import { SCENARIOS, type Scenario } from './scenarios.ts'

const OPEN_MAX = 2_000_000

export interface Stage {
  daemon: ChildProcess
  redis: OwnRedis
  /** URL of the database. */
  postgres: string
  /** Id of the server's first process, whose children serve. */
  postgresPid: number
  shop: ChildProcess | undefined
  /** From the start of the daemon's process until its bind stood. */
  started: { wallMs: number; cpuMs: number }
  probe: Probe
  /** Runs one order on the phones. */
  walk(order: Order): Promise<LoadResult>
  /** Sums of the daemon's counters and gauges, all labels together. */
  metrics(): Promise<Map<string, number>>
  /** Empties Redis and its append-only file, and takes out of the database what the last run left in the middle. */
  clear(): Promise<void>
  stop(): Promise<void>
}

export interface StageOptions {
  /** Default: walk. */
  scenario?: Scenario
  /** A process that can be looked into (probe.ts): costs a little, so only where it is asked for. */
  isProbed?: boolean
  /** The line's settings of these names. */
  sms?: object
  window?: number
  /** Settings of this name. Default: into Postgres. */
  records?: object
  /** Both stores in the daemon, in place of Redis and Postgres. */
  embedded?: boolean
  /** A folder with another build, for figures side by side; default: this one. */
  build?: string
  /** Of the daemon's process, besides ours. */
  env?: Record<string, string>
  /** Of Redis, at most. */
  redisMb?: number
  /** Before the daemon starts, with the database migrated. */
  prepare?(postgres: string): Promise<void>
}

export function startStage(options: StageOptions): Promise<Stage> {
  return crewOf('daemon', (crew) => staged(crew, options))
}

async function staged(crew: Crew, options: StageOptions): Promise<Stage> {
  const { build = root, scenario = SCENARIOS[0]! } = options
  const adminPort = await freePort()
  const redis = await startRedis(crew, options.redisMb)
  const phones = await startPhones(crew)
  const postgres = await ownPostgres({ checkpointsRarely: true })
  crew.onStop(() => postgres.close())
  const shopPort = await freePort()
  const shop = scenario.hasShop
    ? crew.start('shop', process.execPath, [join(benchDir, 'shop.mjs'), `${shopPort}`])
    : undefined
  const config = join(crew.dir, 'connector.yaml')
  const places = { smpp: phones.port, redis: redis.port, postgres: postgres.url, admin: adminPort, dir: crew.dir }
  const shopUrl = `http://127.0.0.1:${shopPort}`
  writeFileSync(config, stringify(settingsOf(places, { ...options, scenario, shopUrl })), { mode: 0o600 })
  execFileSync(process.execPath, [join(build, 'dist/src/cli/main.js'), 'migrate', '--config', config], {
    stdio: 'ignore',
  })
  await scenario.seed?.(postgres.url)
  await options.prepare?.(postgres.url)
  const beganMs = performance.now()
  const daemon = startDaemon(crew, config, { ...options, build })
  await crew.until(phones.bound)
  return {
    started: { wallMs: performance.now() - beganMs, cpuMs: Math.round(cpuSeconds(daemon) * 1_000) },
    daemon,
    redis,
    postgres: postgres.url,
    postgresPid: postgres.pid(),
    shop,
    probe: probeOf(daemon),
    walk: (order) => crew.until(phones.walk(order)),
    metrics: () => scrape(adminPort),
    async clear() {
      await redis.clear()
      await scenario.clear?.(postgres.url)
    },
    stop: crew.stop,
  }
}

function startDaemon(
  crew: Crew,
  config: string,
  { isProbed = false, build, env }: StageOptions & { build: string },
): ChildProcess {
  const probe = isProbed ? ['--import', join(benchDir, 'probe-inside.mjs')] : []
  // With the young generation that deploy/ussd-connector.service gives it.
  const args = ['--max-semi-space-size=64', ...probe, join(build, 'dist/src/cli/main.js'), 'run', '--config', config]
  return crew.start('daemon', process.execPath, args, { cwd: build, ipc: isProbed, ...(env && { env }) })
}

type Places = Record<'smpp' | 'redis' | 'admin', number> & Record<'postgres' | 'dir', string>

function settingsOf(
  { smpp, redis, postgres, admin, dir }: Places,
  { scenario, shopUrl, sms, window = 1_000, records, embedded }: StageOptions & { scenario: Scenario; shopUrl: string },
): object {
  return {
    // As many requests in flight as phones: what is measured is the connector, not a window.
    lines: [
      {
        name: 'bench',
        smsc: { host: '127.0.0.1', port: smpp, systemId: 'bench', password: 'bench' },
        window,
        ...(sms && { sms }),
      },
    ],
    services: [{ code: scenario.code, flow: scenario.name }],
    flows: { dir: scenario.flows },
    backends: scenario.backends(shopUrl),
    redis: embedded ? 'embedded' : { url: `redis://127.0.0.1:${redis}/0` },
    postgres: embedded ? 'embedded' : { url: postgres },
    ...(records && { records }),
    data: join(dir, 'data'),
    admin: { port: admin },
    // Phones press keys faster than a thumb can, and a million dialogues rest.
    dialogue: { perSubscriber: { perSecond: 100_000, burst: 100_000 }, openMax: OPEN_MAX },
    stopMs: 200,
  }
}

async function scrape(port: number): Promise<Map<string, number>> {
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`)
  if (!answer.ok) throw new Error(`/metrics answers ${answer.status}`)
  const text = await answer.text()
  const sums = new Map<string, number>()
  for (const [, name, value] of text.matchAll(/^([a-z_:]+)(?:\{[^}]*\})? ([-\d.e+]+)/gim)) {
    sums.set(name!, (sums.get(name!) ?? 0) + Number(value))
  }
  return sums
}
