/** Moments in questions to the admin server: how far to look back. In the zone of the settings, where none is given. */
import { clockOf, dayLater, dayOf } from '../base/index.ts'
import { durationMsOf, instantOf } from '../sms/terms/index.ts'

export const MOMENT_FORMS = 'a time of day (10:00), a duration ago (90m, 2h, 3d), or a moment (2026-12-01T10:00)'

/** In milliseconds of the wall clock: of a time of day the last one that has been. Null: not a moment. */
export function momentBackMs(written: string, { zone, nowMs }: { zone: string; nowMs: number }): number | null {
  const agoMs = durationMsOf(written)
  if (agoMs !== null) return nowMs - agoMs
  const time = clockOf(written.trim())
  if (time === undefined) return instantOf(written, zone)
  const today = dayOf(nowMs, zone)!
  const at = instantOf(`${today}T${time}`, zone)!
  return at <= nowMs ? at : instantOf(`${dayLater(today, -1, 'day')}T${time}`, zone)
}

export interface MomentsAsked {
  since: string | undefined
  until: string | undefined
}

/** A range that somebody asked for: without `since` the last `usualMs`, without `until` up to now. */
export function rangeBack(
  asked: MomentsAsked,
  { zone, nowMs, usualMs }: { zone: string; nowMs: number; usualMs: number },
): { sinceMs: number; untilMs: number } | { refused: string } {
  const moment = (written: string) => momentBackMs(written, { zone, nowMs })
  const sinceMs = asked.since === undefined ? nowMs - usualMs : moment(asked.since)
  const untilMs = asked.until === undefined ? nowMs + 1 : moment(asked.until)
  if (sinceMs === null) return { refused: `since: '${asked.since}' is not ${MOMENT_FORMS}` }
  if (untilMs === null) return { refused: `until: '${asked.until}' is not ${MOMENT_FORMS}` }
  return sinceMs < untilMs ? { sinceMs, untilMs } : { refused: 'until must be later than since' }
}
