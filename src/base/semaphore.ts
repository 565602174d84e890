/** A semaphore: so many inside at once, so many waiting in their order, and nobody waits past his deadline. */

export interface Semaphore {
  /** in: go, and call `leave` afterwards · full: too many wait already · late: the deadline came while waiting. */
  enter(signal: AbortSignal): Promise<'in' | 'full' | 'late'>
  leave(): void
}

/** So many at once, the others in their order, however long it takes. */
export type Gate = <T>(run: () => Promise<T>) => Promise<T>

export function semaphore(insideMax: number, waitingMax: number): Semaphore {
  let inside = 0
  const waiting: { go(): void }[] = []
  return {
    async enter(signal) {
      if (inside < insideMax) {
        inside++
        return 'in'
      }
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
    // Whoever leaves hands his place on: `inside` stays as it is, and nobody who comes meanwhile is before the next.
    leave() {
      const next = waiting.shift()
      if (next) next.go()
      else inside--
    },
  }
}

/** A semaphore for work that may wait without an end. */
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
