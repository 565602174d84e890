/** The real clock and real chance: created once, at the edge, and passed inward. */
import type { Chance, Clock } from '../ussd/index.ts'
import { UsageError } from './errors.ts'

/** `frozen`: an ISO 8601 instant at which the calendar (not the deadlines) stands still. Throws UsageError. */
export function systemClock(frozen?: string): Clock {
  const still = frozen === undefined ? undefined : Date.parse(frozen)
  if (still !== undefined && Number.isNaN(still)) {
    throw new UsageError(`USSD_CONNECTOR_FROZEN_CLOCK: '${frozen}' is not a time such as 2025-05-01T09:00:00+10:00`)
  }
  return {
    now: () => Date.now(),
    today: () => still ?? Date.now(),
    after(ms, run) {
      const timer = setTimeout(run, Math.min(ms, 2 ** 31 - 1))
      return () => clearTimeout(timer)
    },
  }
}

export const systemChance: Chance = () => Math.random()
