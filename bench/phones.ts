/**
 * The network's end of the bench, in a process of its own: a simulated SMSC whose phones walk as the parent says.
 * Speaks over the IPC channel: `{ port }` once it listens, `{ bound }` once a daemon is there, then a result for each
 * order.
 */
import { systemChance, systemClock } from '../src/base/wall-clock.ts'
import { load, type LoadResult } from '../src/simulator/load/index.ts'
import { startSmsc } from '../src/simulator/smsc/smsc.ts'
import { WALKS } from './walks.ts'

export interface Order {
  flow: string
  concurrent: number
  /** The run ends after so many turns, */
  turns?: number
  /** or after so many seconds. */
  seconds?: number
  /** Turns that fall due a second, whatever becomes of those before; absent: each phone as fast as it is answered. */
  perSecond?: number
}

export type Word =
  | { is: 'listening'; port: number }
  | { is: 'bound' }
  | { is: 'done'; result: LoadResult }
  | { is: 'failed'; why: string }

const BOUND_MS = 30_000

const clock = systemClock()
const say = (word: Word) => void process.send!(word)
const smsc = await startSmsc({ clock, chance: systemChance, traceMax: 0 })
process.on('message', ({ flow, ...order }: Order) => {
  const { steps } = WALKS.find((walk) => walk.flow === flow)!
  load({ smsc, clock, script: steps, ...order }).then(
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
