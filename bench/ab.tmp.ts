/**
 * The bench: dialogue turns through the installed daemon, from an SMSC in another process, dialogues in a Redis with an
 * append-only file. `npm run bench` measures and writes RESULTS.md; `-- --quick` is shorter and writes nothing;
 * `-- --profile <folder>` leaves a CPU profile of the daemon there. Figures of one machine compare with each other
 * only.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpuSeconds, startStage, writeCalls, type Stage } from './processes.ts'
import { medians, report, table, type Measured } from './report.ts'
import { WALKS } from './walks.ts'

/** The whole run ends by then, whatever happens. */
const LIMIT_MS = 500_000
const CONCURRENT = [500]
/** A turn leaves some 2.5 KB in the append-only file: at most 60 MB before it is emptied. */
const TURNS = { full: { 1: 3_000, more: 24_000 }, quick: { 1: 2_000, more: 12_000 } }
const WARM_UP_TURNS = 8_000

const quick = process.argv.includes('--quick')
const profileAt = process.argv.indexOf('--profile')
const profileDir = profileAt > 0 ? process.argv[profileAt + 1] : undefined
if (profileDir) mkdirSync(profileDir, { recursive: true })

const limit = setTimeout(() => {
  console.error(`not done after ${LIMIT_MS / 1_000} s: the machine is too busy to measure anything`)
  process.exitCode = 1
  void stage.stop().finally(() => process.exit())
}, LIMIT_MS)
const stage = await startStage({ profileDir })
process.once('SIGINT', () => void stage.stop().finally(() => process.exit(130)))
try {
  const rows = medians(await measureAll(stage, quick ? 1 : 3))
  console.log(table(rows))
  if (!quick && !profileDir) writeFileSync(new URL('RESULTS.md', import.meta.url), report(rows))
} finally {
  clearTimeout(limit)
  await stage.stop()
}

/** The runs alternate, so that a busy minute of the machine spoils one of each and not all of one. */
async function measureAll(on: Stage, runs: number): Promise<Measured[]> {
  const turns = TURNS[quick ? 'quick' : 'full']
  for (const { flow } of WALKS) await on.walk({ flow, concurrent: 50, turns: WARM_UP_TURNS })
  const measured: Measured[] = []
  for (let run = 0; run < runs; run++) {
    for (const { flow } of WALKS) {
      for (const concurrent of CONCURRENT) {
        await on.clear()
        measured.push(await measure(on, flow, concurrent, concurrent === 1 ? turns[1] : turns.more))
      }
    }
  }
  return measured
}

async function measure(on: Stage, flow: string, concurrent: number, turns: number): Promise<Measured> {
  const before = await look(on)
  const result = await on.walk({ flow, concurrent, turns })
  const after = await look(on)
  const faults = result.lost + result.refused + result.wrong
  if (faults)
    throw new Error(
      `${flow} at ${concurrent}: ${result.lost} lost, ${result.refused} refused, ${result.wrong} wrong screens`,
    )
  const per = (seconds: number) => (seconds / result.turns) * 10_000
  return {
    flow,
    concurrent,
    perSecond: result.perSecond,
    p50: result.latency.p50,
    p99: result.latency.p99,
    daemon: per(after.daemon - before.daemon),
    redis: per(after.redis - before.redis),
    writesALoop: (after.smppWrites - before.smppWrites) / (after.loops - before.loops),
    callsATurn: (after.calls - before.calls) / result.turns,
  }
}

async function look({ daemon, redis, metrics }: Stage) {
  const figures = await metrics()
  return {
    daemon: cpuSeconds(daemon),
    redis: cpuSeconds(redis),
    calls: writeCalls(daemon) ?? NaN,
    smppWrites: figures.get('smpp_write_total') ?? 0,
    loops: figures.get('event_loop_turns') ?? NaN,
  }
}
