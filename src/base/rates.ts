/**
 * How often something of one key may happen: the generic cell rate algorithm (ITU-T I.371), in which a bucket is one
 * number: when it will be full again. It has no timers.
 */
import { RecentMap } from './memory/index.ts'

export interface RateSettings {
  perSecond: number
  /** At once, after a rest. */
  burst: number
  /** So many keys are remembered, those used last, and at most as many more: never the busiest is forgotten. */
  keysMax: number
}

export interface Rates {
  /** One event of this key, now. False: over the rate; then it costs nothing more. */
  take(key: string, nowMs: number): boolean
  /** Whether the key is at rest: its whole burst is there. */
  rests(key: string, nowMs: number): boolean
}

/** The rounding error of sums of fractions of a millisecond. */
const ROUNDING_MS = 1e-6

export function createRates({ perSecond, burst, keysMax }: RateSettings): Rates {
  const fullAt = new RecentMap<string, number>(keysMax)
  const costMs = 1_000 / perSecond
  const spanMs = costMs * burst
  const fullAgain = (key: string, nowMs: number) => {
    const known = fullAt.get(key) ?? nowMs
    // A time beyond that of an empty bucket means that the clock was set back. Nobody must be locked out for that.
    return known > nowMs + spanMs + ROUNDING_MS ? nowMs : Math.max(known, nowMs)
  }
  return {
    take(key, nowMs) {
      const before = fullAgain(key, nowMs)
      const after = before + costMs
      const within = after - nowMs <= spanMs + ROUNDING_MS
      fullAt.set(key, within ? after : before)
      return within
    },
    rests: (key, nowMs) => fullAgain(key, nowMs) <= nowMs,
  }
}
