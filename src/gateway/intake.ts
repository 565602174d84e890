/**
 * Requests are taken up a few in one turn of the event loop. An SMSC without a window hands over a thousand at once:
 * were all of them begun together, none would be finished before the last was begun, and on a machine that is short of
 * processor every time-out of a store or a back end would strike before its answer is read. So what was begun goes on
 * before more is begun. The others wait in order; their own time begins when they are taken up.
 */

/**
 * Measured on a starved machine: at 20 the time-outs of Redis begin to strike, below 10 nothing is won. See
 * docs/WHY.md.
 */
export const REQUESTS_A_TURN = 10

/**
 * Answers a function that runs a request now or, once so many were taken up in this turn of the loop, in one to come.
 */
export function createIntake(perTurn = REQUESTS_A_TURN): <T>(run: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = []
  let taken = 0
  const nextTurn = () => {
    taken = 0
    for (; taken < perTurn && waiting.length > 0; taken++) waiting.shift()!()
    if (taken > 0) setImmediate(nextTurn)
  }
  return async (run) => {
    if (taken === 0) setImmediate(nextTurn)
    if (taken < perTurn) taken++
    else await new Promise<void>((go) => void waiting.push(go))
    return run()
  }
}
