/**
 * Takes up a few requests per turn of the event loop. An SMSC without a window delivers a thousand at once. If all of
 * them began together, none would finish before the last had begun, and on a machine with little processor time every
 * timeout of a store or a back end would expire before its answer is read. So work in progress continues before new
 * work begins. The others wait in order; their own time starts when they are taken up.
 */

/**
 * How many requests one turn of the event loop starts. Measured on a machine with little processor time: at 20, calls
 * to Redis begin to time out; below 10, there is no further gain. While turns of the loop are short, it starts more,
 * and more requests then share a write to Redis and to the SMSC. See docs/WHY.md.
 */
export const REQUESTS_A_TURN = { least: 10, most: 30 }
/** If a turn of the loop is shorter than this, the next turn has time for more requests. */
const SHORT_MS = 8
const MORE = 5

export interface IntakeOptions {
  /** Milliseconds of a monotonic clock. */
  now(): number
  perTurn?: { least: number; most: number }
}

export interface Intake {
  /** Runs a request now or, if this turn of the loop has taken up enough, in a later turn. */
  takeUp<T>(run: () => Promise<T>): Promise<T>
  /** How many requests wait. */
  waiting(): number
}

export function createIntake({ now, perTurn = REQUESTS_A_TURN }: IntakeOptions): Intake {
  const waiting: (() => void)[] = []
  let taken = 0
  let most = perTurn.least
  let beganMs = 0
  const begin = () => {
    beganMs = now()
    setImmediate(nextTurn)
  }
  const nextTurn = () => {
    most = now() - beganMs < SHORT_MS ? Math.min(most + MORE, perTurn.most) : perTurn.least
    const ready = waiting.splice(0, most)
    taken = ready.length
    for (const go of ready) go()
    if (taken > 0) begin()
  }
  return {
    takeUp(run) {
      if (taken === 0) begin()
      if (taken >= most) return new Promise<void>((go) => void waiting.push(go)).then(run)
      taken++
      return run()
    },
    waiting: () => waiting.length,
  }
}
