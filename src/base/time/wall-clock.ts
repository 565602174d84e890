/** The real clock and real chance: created once, at the edge, and passed inward. */
import type { Chance, Clock } from '../../ussd/index.ts'
import { UsageError } from '../errors.ts'

/** The clock of this machine, which may be set, and one that never is, in milliseconds. */
export interface WallClock {
  now(): number
  steady(): number
  /** It was found right while it was so far ahead of the steady clock. */
  wasRight?(aheadMs: number): void
}

/** The wall clock counts whole milliseconds: less than this is its rounding. */
const GRAIN_MS = 2

/**
 * The time since the wall clock was last found right, by the steady clock: what a running turn stores after
 * somebody set the clock has the right time. Until it was found right for the first time, it is the wall clock's.
 */
export function carriedTime(wall: WallClock): { now(): number; wall: WallClock } {
  let ahead: number | undefined
  return {
    now: () => (ahead === undefined ? wall.now() : Math.floor(wall.steady() + ahead)),
    wall: {
      ...wall,
      wasRight(aheadMs) {
        if (ahead === undefined || Math.abs(aheadMs - ahead) > GRAIN_MS) ahead = aheadMs
      },
    },
  }
}

/**
 * `frozen`: an ISO 8601 instant at which the calendar (not the deadlines) stands still. `now`: what the time is; default:
 * what this machine says. Throws UsageError.
 */
export function systemClock(frozen?: string, now: () => number = () => Date.now()): Clock {
  const still = frozen === undefined ? undefined : Date.parse(frozen)
  if (still !== undefined && Number.isNaN(still)) {
    throw new UsageError(`USSD_CONNECTOR_FROZEN_CLOCK: '${frozen}' is not a time such as 2025-05-01T09:00:00+10:00`)
  }
  return {
    now,
    today: () => still ?? now(),
    after(ms, run) {
      const timer = setTimeout(run, Math.min(ms, 2 ** 31 - 1))
      return () => clearTimeout(timer)
    },
  }
}

/** The clock of this machine; its timers do not hold the process. */
export function looseClock(): Clock {
  return {
    ...systemClock(),
    after(ms, run) {
      const timer = setTimeout(run, ms).unref()
      return () => clearTimeout(timer)
    },
  }
}

export const systemChance: Chance = () => Math.random()
