/**
 * A semaphore: a fixed number of tasks inside at once, a limited number waiting in order, each until its own deadline.
 */

export interface Semaphore {
  /**
   * in: go, and call `leave` afterwards · full: too many are waiting already · late: the deadline came while waiting.
   */
  enter(signal: AbortSignal): Promise<'in' | 'full' | 'late'>
  /** Without waiting. False: there is no room now. */
  enterNow(): boolean
  leave(): void
}

/** Runs a fixed number of tasks at once; the others wait in order, without a time limit. */
export type Gate = <T>(run: () => Promise<T>) => Promise<T>

export function semaphore(insideMax: number, waitingMax: number): Semaphore {
  let inside = 0
  const waiting: { go(): void }[] = []
  const enterNow = () => {
    if (inside >= insideMax) return false
    inside++
    return true
  }
  return {
    enterNow,
    async enter(signal) {
      if (enterNow()) return 'in'
      if (signal.aborted) return 'late'
      if (waiting.length >= waitingMax) return 'full'
      return new Promise((answer) => {
        const place = { go: () => (signal.removeEventListener('abort', late), answer('in')) }
        const late = () => {
          waiting.splice(waiting.indexOf(place), 1)
          answer('late')
        }
        signal.addEventListener('abort', late, { once: true })
        waiting.push(place)
      })
    },
    // The task that leaves passes its place on: `inside` stays the same, so a task that arrives meanwhile cannot
    // overtake.
    leave() {
      const next = waiting.shift()
      if (next) next.go()
      else inside--
    },
  }
}

/** A semaphore for work that may wait without a time limit. */
export function gate(insideMax: number): Gate {
  const places = semaphore(insideMax, Infinity)
  return async (run) => {
    await places.enter(new AbortController().signal)
    try {
      return await run()
    } finally {
      places.leave()
    }
  }
}
