/**
 * More than one core: `npm run build && node --import tsx bench/cores.ts`. One, two and three daemons on one Redis, one
 * daemon with four links, and one daemon on a Redis Cluster, by turns. What a turn costs is what to read: how many turns
 * a second that gives needs a machine with a core for each daemon, one for Redis and one for the phones. Docs:
 * OPERATIONS, "More than one core". It ends after LIMIT seconds with what it has.
 */
import { availableParallelism, loadavg } from 'node:os'
import { leaveOnSignals, runToEnd } from './processes.ts'
import { withSeveral, type SeveralOptions, type Turned } from './several.ts'

const ROUNDS = Number(process.env.ROUNDS ?? 3)
const SECONDS = Number(process.env.SECONDS ?? 8)
const WARM_SECONDS = Number(process.env.WARM ?? 5)
const CONCURRENT = Number(process.env.CONCURRENT ?? 500)
const LIMIT_MS = Number(process.env.LIMIT ?? 600) * 1_000

const CASES: Record<string, SeveralOptions> = {
  '1 daemon': { daemons: 1 },
  '2 daemons': { daemons: 2 },
  '3 daemons': { daemons: 3 },
  '1 daemon, 4 links': { daemons: 1, links: 4 },
  '1 daemon, Redis Cluster of 3': { daemons: 1, isCluster: true },
}

async function main(): Promise<void> {
  leaveOnSignals()
  const untilMs = performance.now() + LIMIT_MS
  const found = new Map<string, Turned[]>()
  console.error(`${availableParallelism()} cores, load ${loadavg()[0]!.toFixed(1)}`)
  for (let round = 0; round < ROUNDS && performance.now() < untilMs; round++) {
    for (const [name, options] of Object.entries(CASES)) {
      if (performance.now() >= untilMs) break
      const turned = await withSeveral(options, async (walk) => {
        await walk({ concurrent: CONCURRENT, seconds: WARM_SECONDS })
        return walk({ concurrent: CONCURRENT, seconds: SECONDS })
      })
      found.set(name, [...(found.get(name) ?? []), turned])
      console.error(`${name}: ${turned.result.perSecond.toFixed(0)} turns/s`)
    }
  }
  console.table(Object.fromEntries([...found].map(([name, all]) => [name, row(all)])))
}

function row(all: readonly Turned[]): Record<string, number> {
  const middle = (of: (one: Turned) => number) => all.map(of).toSorted((a, b) => a - b)[all.length >> 1]!
  const short = (value: number) => Number(value.toFixed(2))
  const redis = middle((one) => one.redis)
  return {
    'turns/s': Math.round(middle(({ result }) => result.perSecond)),
    p50: short(middle(({ result }) => result.latency.p50)),
    p99: short(middle(({ result }) => result.latency.p99)),
    'CPU s per 10,000: daemons': short(middle((one) => one.daemons)),
    Redis: short(redis),
    'turns/s of a core: daemon': Math.round(10_000 / middle((one) => one.daemons)),
    'of Redis': Math.round(10_000 / redis),
    'busiest daemon, cores': short(middle((one) => one.busiest)),
    faults: all.reduce((sum, { result }) => sum + result.lost + result.refused + result.wrong, 0),
  }
}

runToEnd(main)
