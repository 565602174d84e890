/** So many at once, the others in their order: what SMS may take of the connections to the database. */

export type Gate = <T>(run: () => Promise<T>) => Promise<T>

export function gate(most: number): Gate {
  const waiting: (() => void)[] = []
  let free = most
  return async (run) => {
    if (free > 0) free--
    else await new Promise<void>((go) => waiting.push(go))
    try {
      return await run()
    } finally {
      const next = waiting.shift()
      // Its place goes straight on: nobody who comes meanwhile is before it.
      if (next) next()
      else free++
    }
  }
}
