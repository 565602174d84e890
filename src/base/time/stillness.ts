/**
 * Whether this process stood still: it was stopped, its machine slept, or its event loop was blocked. What is read next
 * may then have waited in a socket all that time, and others may have dealt with it since.
 */

export interface Stillness {
  /** The last standstill, if what is read now may have waited since then. Undefined: it is fresh. */
  last(): Standstill | undefined
  stop(): void
}

/** From when until when. Wall-clock milliseconds. */
export interface Standstill {
  fromMs: number
  toMs: number
}

export interface StillnessDeps {
  clock: { now(): number; after(ms: number, run: () => void): () => void }
  /** Milliseconds of a clock that is never set. */
  monotonicMs(): number
}

const LOOK_MS = 250
/** A busy loop is late by less. */
const STILL_MS = 1_000
/** For so long afterwards, what is read may still be from before. */
const AFTERMATH_MS = 2_000

export function createStillness({ monotonicMs, clock }: StillnessDeps): Stillness {
  let seenMs = monotonicMs()
  let last = { fromMs: 0, toMs: -Infinity }
  let cancel = clock.after(LOOK_MS, look)

  function note(nowMs: number): void {
    if (nowMs - seenMs >= STILL_MS) last = { fromMs: seenMs, toMs: nowMs }
    seenMs = nowMs
  }

  function look(): void {
    note(monotonicMs())
    cancel = clock.after(LOOK_MS, look)
  }

  return {
    last() {
      const nowMs = monotonicMs()
      // The socket may be read before the timer runs.
      note(nowMs)
      if (nowMs >= last.toMs + AFTERMATH_MS) return undefined
      const aheadMs = clock.now() - nowMs
      return { fromMs: aheadMs + last.fromMs, toMs: aheadMs + last.toMs }
    },
    stop: () => cancel(),
  }
}
