/** Dates and times as people read them: in a zone, by patterns of each language. */
import { DateTime } from 'luxon'
import { remembered } from './remembered.ts'

export interface DateFormat {
  /** Luxon pattern, e.g. `dd/MM/yyyy`. */
  date: string
  /** Luxon pattern of a full hour, e.g. `h a`. */
  time: string
  /** Luxon pattern of any other time, e.g. `h:mm a`. */
  timeMinutes: string
  /** BCP 47 tag for the words in it (AM, names of months). */
  locale: string
}

export const DEFAULT_DATE_FORMAT: DateFormat = {
  date: 'dd/MM/yyyy',
  time: 'h a',
  timeMinutes: 'h:mm a',
  locale: 'en',
}

/** `10/05/2025`; '' if it is neither an ISO 8601 date nor milliseconds. */
export function showDate(at: unknown, zone: string, format: DateFormat = DEFAULT_DATE_FORMAT): string {
  return shownOnce(at, `d|${zone}|${format.locale}|${format.date}`, () => {
    const moment = momentOf(at, zone)
    return moment ? plainBlanks(moment.setLocale(format.locale).toFormat(format.date)) : ''
  })
}

/** `9 AM`, `9:30 AM`, `12 PM`; '' if it is neither an ISO 8601 date nor milliseconds. */
export function showTime(at: unknown, zone: string, format: DateFormat = DEFAULT_DATE_FORMAT): string {
  return shownOnce(at, `t|${zone}|${format.locale}|${format.time}|${format.timeMinutes}`, () => {
    const moment = momentOf(at, zone)
    if (!moment) return ''
    const pattern = moment.minute === 0 ? format.time : format.timeMinutes
    return plainBlanks(moment.setLocale(format.locale).toFormat(pattern))
  })
}

/** How many formatted moments are cached. Many subscribers see the same slots, and formatting one takes 20 µs. */
const MOMENTS_MAX = 2000
const shown = remembered<string>(MOMENTS_MAX)
/** Longer texts of a moment are not cached. */
const WRITTEN_MAX = 40

function shownOnce(at: unknown, how: string, show: () => string): string {
  return typeof at !== 'string' || at.length > WRITTEN_MAX ? show() : shown(`${at}|${how}`, show)
}

/** Whether the zone database has it. */
export function isZone(zone: string): boolean {
  return DateTime.local({ zone }).isValid
}

/** Whether text in this pattern identifies a day. */
export function isDayFormat(format: string, zone: string): boolean {
  const day = DateTime.fromISO('2024-11-28', { zone })
  return DateTime.fromFormat(day.toFormat(format), format, { zone }).toISODate() === '2024-11-28'
}

/** Whether a date pattern distinguishes days and months, and a time pattern hours. */
export function tellsApart(of: 'date' | 'time' | 'timeMinutes', pattern: string): boolean {
  const shown = (at: string) => DateTime.fromISO(at, { zone: 'UTC' }).toFormat(pattern)
  const at = shown('2024-11-27T10:00')
  return (of === 'date' ? ['2024-11-28T10:00', '2024-10-27T10:00'] : ['2024-11-27T11:00']).every(
    (other) => shown(other) !== at,
  )
}

/** Makes all kinds of blanks plain and removes direction marks: either would force a page into UCS-2. */
export function plainBlanks(text: string): string {
  return text.replace(/[\u00a0\u202f\u2007\u2009]/g, ' ').replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '')
}

/** The day of this moment in the zone: `2025-05-10`. Undefined if it is not a moment. */
export function dayOf(at: unknown, zone: string): string | undefined {
  return shownOnce(at, `y|${zone}`, () => momentOf(at, zone)?.toISODate() ?? '') || undefined
}

/** `18:05`: the time of day of a moment in the zone. Undefined: it is not a moment. */
export function timeOfDay(at: unknown, zone: string): string | undefined {
  return shownOnce(at, `t|${zone}`, () => momentOf(at, zone)?.toFormat('HH:mm') ?? '') || undefined
}

function momentOf(at: unknown, zone: string): DateTime | undefined {
  const moment =
    typeof at === 'number'
      ? DateTime.fromMillis(at, { zone })
      : typeof at === 'string' && at.length <= WRITTEN_MAX
        ? DateTime.fromISO(at, { zone })
        : undefined
  return moment?.isValid ? moment : undefined
}
