/** One run of one system, and what it was. */
import { join } from 'node:path'
import type { LoadResult } from '../src/simulator/load/index.ts'
import { writeCalls } from './processes.ts'
import type { ScenarioName } from './scenarios.ts'
import type { System, SystemName } from './systems.ts'

/** Closed loop: so many phones, each as fast as it gets its screens. Open loop: so many turns become due per second. */
export interface Run {
  scenario: ScenarioName
  /** What stands in the tables: `500 phones`, `2/3 of saturation`. */
  load: string
  concurrent: number
  seconds: number
  perSecond?: number
  seed?: number
  /** Counts from 0. */
  round: number
  /** A folder for a CPU profile. */
  profileDir?: string | undefined
}

export interface Measured extends Pick<Run, 'scenario' | 'load' | 'round'> {
  system: SystemName
  perSecond: number
  p50: number
  p99: number
  p999: number
  /** CPU seconds of 10,000 turns, by process. */
  cpu: Record<string, number>
  /** The sum of it. */
  cost: number
  /** Turns without a screen, refused, with another screen than expected; open loop: that found every phone waiting. */
  faults: Pick<LoadResult, 'lost' | 'refused' | 'wrong' | 'unsent'>
  /** Writes to the SMSC's socket in one turn of the event loop. */
  writesALoop: number
  /** Write system calls of the process that the SMSC speaks with, to whatever, in one turn of a dialogue. */
  callsATurn: number
  /** p99 of how late the phones themselves were with a turn. */
  lag: number
  /** Octets of the heap allocated in a turn, and the share of the time that collecting them took. */
  allocated?: number
  collecting?: number
}

/** A turn: a deliver_sm in, the submit_sm that answers it out. */
const TURNS = 10_000

export async function measure(system: System, run: Run): Promise<Measured> {
  const { scenario, load, round, profileDir, ...order } = run
  await system.clear()
  const before = await look(system)
  const file = `${scenario}-${load}-${round}.cpuprofile`.replaceAll(/[ /]/g, '-')
  system.probe?.begin(profileDir && join(profileDir, file))
  const result = await system.walk({ scenario, ...order })
  const insight = await system.probe?.end()
  const after = await look(system)
  const { turns, latency, lag, lost, refused, wrong, unsent } = result
  if (turns === 0) throw new Error(`${system.name} answered nothing in ${run.seconds} s of ${scenario}, ${load}`)
  const cpu = Object.fromEntries(
    Object.entries(after.cpu).map(([name, seconds]) => [name, ((seconds - before.cpu[name]!) / turns) * TURNS]),
  )
  return {
    scenario,
    load,
    round,
    system: system.name,
    perSecond: result.perSecond,
    p50: latency.p50,
    p99: latency.p99,
    p999: latency.p999,
    cpu,
    cost: Object.values(cpu).reduce((sum, one) => sum + one, 0),
    faults: { lost, refused, wrong, unsent },
    writesALoop: (after.smppWrites - before.smppWrites) / (after.loops - before.loops),
    callsATurn: (after.calls - before.calls) / turns,
    lag: lag.p99,
    ...(insight && { allocated: insight.allocated / turns, collecting: insight.collectionMs / result.seconds / 1_000 }),
  }
}

async function look({ cpu, process, metrics }: System) {
  const figures = await metrics?.()
  return {
    cpu: cpu(),
    calls: writeCalls(process) ?? NaN,
    smppWrites: figures?.get('smpp_write_total') ?? NaN,
    loops: figures?.get('event_loop_turns') ?? NaN,
  }
}
