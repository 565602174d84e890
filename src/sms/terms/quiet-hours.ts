/** Quiet hours: instants in, instants out. Pure. luxon handles zones and their clock changes. */
import { DateTime, type Zone } from 'luxon'
import { luxonZone, minutesAhead } from '../../base/index.ts'
import type { QuietHours } from '../../plugin/index.ts'

export type { QuietHours }

export const QUIET_HOURS_DEFAULT: QuietHours = { from: '21:00', to: '07:00' }

/** How long before the quiet hours a moved reminder leaves: time for a few retries. */
const QUIET_MARGIN_MS = 5 * 60_000
/** A clock change can put a moved instant back into quiet hours; no zone ever changed by more than a day. */
const STEPS_BACK_MAX = 48

/** For luxon: by its name it would ask Intl for the offset of each moment. */
export const inZone = (zone: string): { zone: Zone } => ({ zone: luxonZone(zone) as Zone })

/** The end of the quiet hours that include `ms`, or null if none do. */
export function quietUntil(ms: number, quiet: QuietHours | null, zone: string): number | null {
  if (!quiet || !isQuiet(ms, quiet, zone)) return null
  const local = DateTime.fromMillis(ms, inZone(zone))
  const end = at(local, quiet.to)
  let endMs = (end > local ? end : at(local.plus({ days: 1 }), quiet.to)).toMillis()
  // At a clock change, the wall time of the end may be on either side of it.
  for (let steps = 0; isQuiet(endMs, quiet, zone) && steps < STEPS_BACK_MAX; steps++) endMs += 30 * 60_000
  return endMs
}

/** The moment, or before the quiet hours that it is in. */
export function quietBefore(ms: number, quiet: QuietHours | null, zone: string): number {
  if (!quiet || !isQuiet(ms, quiet, zone)) return ms
  const local = DateTime.fromMillis(ms, inZone(zone))
  const today = at(local, quiet.from)
  const begin = today <= local ? today : at(local.minus({ days: 1 }), quiet.from)
  let movedMs = begin.toMillis() - QUIET_MARGIN_MS
  for (let steps = 0; isQuiet(movedMs, quiet, zone) && steps < STEPS_BACK_MAX; steps++) movedMs -= 30 * 60_000
  return movedMs
}

function isQuiet(ms: number, quiet: QuietHours, zone: string): boolean {
  const minute = (((ms / 60_000 + minutesAhead(zone, ms)) % DAY_MINUTES) + DAY_MINUTES) % DAY_MINUTES
  const from = minuteOf(quiet.from)
  const to = minuteOf(quiet.to)
  return from <= to ? minute >= from && minute < to : minute >= from || minute < to
}

const DAY_MINUTES = 1_440

function at(day: DateTime, time: string): DateTime {
  const minute = minuteOf(time)
  return day.startOf('day').set({ hour: Math.floor(minute / 60), minute: minute % 60 })
}

function minuteOf(time: string): number {
  const [hour = '0', minute = '0'] = time.split(':')
  return Number(hour) * 60 + Number(minute)
}
