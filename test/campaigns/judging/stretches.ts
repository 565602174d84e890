/**
 * No piece of work on outside data may hold the event loop for over 50 ms. It is measured in time of the processor, so
 * a busy machine that stops a process for a while is no harm.
 */
import { watchStretches } from '../../../src/base/tasks/stretch.ts'

/**
 * Tells what held the event loop of a daemon since the last look, in words. To be looked at after each piece of what a
 * campaign does, so that the piece can be repeated: what is too long is so each time.
 */
export function stretchesOf(metrics: () => Promise<string>): () => Promise<string[]> {
  const told = new Map<string, number>()
  return async () => {
    const found: string[] = []
    for (const [, where = '', times] of (await metrics()).matchAll(SLOW)) {
      const more = Number(times) - (told.get(where) ?? 0)
      told.set(where, Number(times))
      if (more > 0) found.push(`${where} held the event loop for over 50 ms, ${more} times`)
    }
    return found
  }
}

const SLOW = /^slow_stretches_total\{where="([\w-]+)"\} (\d+)$/gm

/** A pause of the garbage collector falls into one run of the same work, not into each. */
const TIMES = 5

export interface StretchGuard {
  /** Runs it; if it holds the event loop, again. Answers what held it each time. */
  held(run: () => void): string[]
  /** What held the event loop since the last look. */
  seen(): string[]
  stop(): void
}

/** For campaigns that work in this process. */
export function guardStretches(): StretchGuard {
  let seen: string[] = []
  const stop = watchStretches((where, ms) => void seen.push(`${where} held the event loop for ${Math.round(ms)} ms`))
  return {
    held(run) {
      for (let n = 0; n < TIMES; n++) {
        seen = []
        run()
        if (!seen.length) return []
      }
      return seen
    },
    seen() {
      const found = seen
      seen = []
      return found
    },
    stop,
  }
}
