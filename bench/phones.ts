/**
 * The network's end of the bench, in a process of its own: a simulated SMSC whose phones walk as the parent says.
 * Speaks over the IPC channel: `{ port }` once it listens, `{ bound }` once a daemon is there, then a result for each
 * order.
 */
import { systemChance, systemClock } from '../src/base/time/wall-clock.ts'
import { load, type LoadResult } from '../src/simulator/load/index.ts'
import { seededChance } from '../src/simulator/smsc/chaos.ts'
import { startSmsc } from '../src/simulator/smsc/smsc.ts'
import { SCENARIOS, type ScenarioName } from './scenarios.ts'

export interface Order {
  scenario: ScenarioName
  concurrent: number
  /** The run ends after so many turns, */
  turns?: number
  /** or after so many seconds. */
  seconds?: number
  /** Turns that become due per second, whatever becomes of those before. Absent: each phone as fast as it gets screens. */
  perSecond?: number
  /** They become due at random, from this seed on. Absent: evenly. */
  seed?: number
}

export type Word =
  | { is: 'listening'; port: number }
  | { is: 'bound' }
  | { is: 'done'; result: LoadResult }
  | { is: 'failed'; why: string }

const BOUND_MS = 60_000

const clock = systemClock()
const say = (word: Word) => void process.send!(word)
const smsc = await startSmsc({ clock, chance: systemChance, traceMax: 0 })
process.on('message', ({ scenario, seed, ...order }: Order) => {
  const { steps } = SCENARIOS.find(({ name }) => name === scenario)!
  const chance = seed === undefined ? {} : { chance: seededChance(seed) }
  load({ smsc, clock, script: steps, ...order, ...chance }).then(
    (result) => say({ is: 'done', result }),
    (error: Error) => say({ is: 'failed', why: error.message }),
  )
})
process.on('disconnect', () => process.exit(0))
say({ is: 'listening', port: smsc.port })
await smsc.bound(1, BOUND_MS).then(
  () => say({ is: 'bound' }),
  (error: Error) => say({ is: 'failed', why: error.message }),
)
