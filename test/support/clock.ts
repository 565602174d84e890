/** A clock that moves only when a test says so. */
import type { Clock } from '../../src/ussd/vocabulary.ts'

export interface FakeClock extends Clock {
  /** Moves time on, running what falls due, in order, and lets promises settle between. */
  advance(ms: number): Promise<void>
  /** Sets the wall clock forth or back; what waits goes on waiting as long as it would have. */
  set(byMs: number): void
}

/** Starts at `startMs` (default 2025-05-01 09:00 Port Moresby). */
export function fakeClock(startMs = Date.parse('2025-05-01T09:00:00+10:00')): FakeClock {
  let now = startMs
  let serial = 0
  const waiting = new Map<number, { at: number; run: () => void }>()
  return {
    now: () => now,
    today: () => now,
    after(ms, run) {
      const id = ++serial
      waiting.set(id, { at: now + ms, run })
      return () => void waiting.delete(id)
    },
    set(byMs) {
      now += byMs
      for (const one of waiting.values()) one.at += byMs
    },
    async advance(ms) {
      const until = now + ms
      for (;;) {
        await settle()
        const next = [...waiting]
          .filter(([, w]) => w.at <= until)
          .toSorted((a, b) => a[1].at - b[1].at || a[0] - b[0])[0]
        if (!next) break
        waiting.delete(next[0])
        now = Math.max(now, next[1].at)
        next[1].run()
      }
      now = until
      await settle()
    },
  }
}

/** Lets everything that is ready run: promises and immediates. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((done) => setImmediate(done))
}

/** No other timer is that long. */
export const HELD_MS = 77_777

/** The real clock, but that a timer of HELD_MS runs when the test says so. */
export function heldClock(): Clock & { release(): void } {
  const held = new Set<() => void>()
  return {
    ...realClock,
    after(ms, run) {
      if (ms !== HELD_MS) return realClock.after(ms, run)
      const one = () => run()
      held.add(one)
      return () => void held.delete(one)
    },
    release() {
      for (const run of held) {
        held.delete(run)
        run()
      }
    },
  }
}

/** The real clock, for tests over real sockets. */
export const realClock: Clock = {
  now: () => Date.now(),
  today: () => Date.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
}
