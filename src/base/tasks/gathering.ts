/**
 * Work that is cheaper for many at once. What is asked for while one bulk runs, and for a moment after it, makes up the
 * next one: a single one is done at once, or after the same moment, and the busier it gets, the larger the bulks.
 */
import type { Clock } from '../../ussd/index.ts'

export interface Gathering<In, Out> {
  ask(one: In): Promise<Out>
  /** Resolves when all that was asked for before is done, or has failed. */
  settled(): Promise<void>
}

interface Asked<In, Out> {
  one: In
  done(out: Out): void
  fail(error: unknown): void
}

export interface GatheringOptions {
  /** The most in one bulk. */
  most: number
  /** How long the next bulk gathers after the last, unless it is full. */
  gatherMs: number
  /** The first bulk gathers for as long, too. Default: it begins at once. */
  isPatient?: boolean
  clock: Clock
}

/** `run` does them in the order in which they were asked for, and answers in the same order. */
export function gathering<In, Out>(
  { most, gatherMs, isPatient = false, clock }: GatheringOptions,
  run: (all: In[]) => Promise<readonly Out[]>,
): Gathering<In, Out> {
  const waiting: Asked<In, Out>[] = []
  let isRunning = false
  let last: Promise<unknown> = Promise.resolve()

  async function runAll(): Promise<void> {
    isRunning = true
    // What one turn of the event loop asks for goes together.
    await undefined
    if (isPatient) await gathered()
    while (waiting.length) {
      const bulk = waiting.splice(0, most)
      try {
        const out = await run(bulk.map(({ one }) => one))
        for (const [n, asked] of bulk.entries()) asked.done(out[n]!)
      } catch (error) {
        for (const asked of bulk) asked.fail(error)
      }
      await gathered()
    }
    isRunning = false
  }

  async function gathered(): Promise<void> {
    if (gatherMs > 0 && waiting.length < most) await new Promise<void>((over) => clock.after(gatherMs, over))
  }

  return {
    ask(one) {
      const answer = new Promise<Out>((done, fail) => waiting.push({ one, done, fail }))
      last = answer
      if (!isRunning) void runAll()
      return answer
    },
    settled: () =>
      last.then(
        () => undefined,
        () => undefined,
      ),
  }
}
