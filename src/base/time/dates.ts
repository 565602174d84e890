/** Dates and times as people read them: in a zone, by patterns of each language. */
import { DateTime, IANAZone, Info, type Zone } from 'luxon'
import { remembered } from '../memory/index.ts'

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

/** `18:05`, `6.30`: a time of day, without a day. */
const CLOCK = /^([01]?\d|2[0-3])[:.]([0-5]\d)(?::[0-5]\d)?$/

/** A time of day as `06:30`. Undefined: it is not one. */
export function clockOf(written: unknown): string | undefined {
  const [, hours, minutes] = (typeof written === 'string' ? CLOCK.exec(written) : null) ?? []
  return hours === undefined ? undefined : `${hours.padStart(2, '0')}:${minutes}`
}

/** `10/05/2025`; '' if it is neither an ISO 8601 date nor milliseconds. */
export function showDate(at: unknown, zone: string, format: DateFormat = DEFAULT_DATE_FORMAT): string {
  return shownOnce(at, `d|${zone}|${format.locale}|${format.date}`, () => {
    const moment = momentOf(at, zone)
    return moment ? plainBlanks(moment.setLocale(format.locale).toFormat(format.date)) : ''
  })
}

/** `9 AM`, `9:30 AM`, `12 PM`; '' if it is neither an ISO 8601 date, a time of day, nor milliseconds. */
export function showTime(at: unknown, zone: string, format: DateFormat = DEFAULT_DATE_FORMAT): string {
  return shownOnce(at, `t|${zone}|${format.locale}|${format.time}|${format.timeMinutes}`, () => {
    const clock = clockOf(at)
    const moment = clock === undefined ? momentOf(at, zone) : DateTime.fromISO(`2000-01-01T${clock}`, { zone: 'UTC' })
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
  if (typeof at === 'number') return shown(`#${at}|${how}`, show)
  return typeof at !== 'string' || at.length > WRITTEN_MAX ? show() : shown(`${at}|${how}`, show)
}

const DAY_MS = 86_400_000
/** Of each zone. */
const DAYS_MAX = 1_000

/** A zone that asks for its offset once a day: Intl takes 5 µs for it, and a list of moments asks for each. */
class DayZone extends IANAZone {
  /** By days of UTC. NaN: the clocks change within it, so each moment is asked for. */
  readonly #days = new Map<number, number>()

  override offset(ms: number): number {
    const day = Math.floor(ms / DAY_MS)
    const offset = this.#days.get(day) ?? this.#ofDay(day)
    return Number.isNaN(offset) ? super.offset(ms) : offset
  }

  #ofDay(day: number): number {
    const [begins, ends] = [super.offset(day * DAY_MS), super.offset((day + 1) * DAY_MS)]
    const offset = begins === ends ? begins : NaN
    if (this.#days.size >= DAYS_MAX) this.#days.clear()
    this.#days.set(day, offset)
    return offset
  }
}

const ZONES_MAX = 500
const zones = remembered<Zone>(ZONES_MAX)

/** The zone of this name for luxon. Not valid if the zone database does not have it. */
function zoneOf(name: string): Zone {
  return zones(name, namedZone)
}

/** The same without a type of luxon, which plug-ins would need then: they see the types of what is exported here. */
export function luxonZone(name: string): object {
  return zoneOf(name)
}

/** By how many minutes the zone is ahead of UTC at a moment. NaN: the zone database does not have it. */
export function minutesAhead(zone: string, ms: number): number {
  return zoneOf(zone).offset(ms)
}

function namedZone(name: string): Zone {
  const zone = Info.normalizeZone(name)
  return zone instanceof IANAZone && zone.isValid ? new DayZone(zone.name) : zone
}

/** ISO 8601 with the zone's offset; without milliseconds if there are none. */
export function isoIn(ms: number, zone: string): string {
  const found = zoneOf(zone)
  const minutes = found.offset(ms)
  const local = new Date(ms + minutes * 60_000)
  const year = local.getUTCFullYear()
  // Not a moment, or one that is far away: as luxon writes it.
  if (!(year >= 1 && year <= 9999 && Number.isInteger(minutes)))
    return DateTime.fromMillis(ms, { zone: found }).toISO({ suppressMilliseconds: true })!
  const written = local.toISOString().slice(0, ms % 1_000 === 0 ? -5 : -1)
  return minutes === 0 && found.isUniversal ? `${written}Z` : written + offsetText(minutes)
}

function offsetText(minutes: number): string {
  const ahead = Math.abs(minutes)
  const digits = (part: number) => String(part).padStart(2, '0')
  return `${minutes < 0 ? '-' : '+'}${digits(Math.trunc(ahead / 60))}:${digits(ahead % 60)}`
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

/** Nearly no text has one of them. */
const ODD = /[\u00a0\u061c\u2007\u2009\u200e\u200f\u202a-\u202f\u2066-\u2069]/

/**
 * Makes all kinds of blanks plain and removes direction marks: either would force a page into UCS-2. A right-to-left
 * text keeps the two marks that handsets know.
 */
export function plainBlanks(text: string, isRtl = false): string {
  if (!ODD.test(text)) return text
  const plain = text.replace(/[\u00a0\u202f\u2007\u2009]/g, ' ').replace(/[\u061c\u202a-\u202e\u2066-\u2069]/g, '')
  return isRtl ? plain : plain.replace(/[\u200e\u200f]/g, '')
}

const PLAIN_DAY = /^(\d{4})-(\d{2})-(\d{2})$/

/** A day of the calendar without a time: that of any zone. Rows have a thousand of them. */
function isPlainDay(written: string): boolean {
  const [, year, month, day] = PLAIN_DAY.exec(written) ?? []
  if (year === undefined) return false
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)))
  return date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day) && Number(year) > 99
}

/** The day of this moment in the zone: `2025-05-10`. Undefined if it is not a moment. */
export function dayOf(at: unknown, zone: string): string | undefined {
  if (typeof at === 'string' && isPlainDay(at)) return at
  return shownOnce(at, `y|${zone}`, () => momentOf(at, zone)?.toISODate() ?? '') || undefined
}

const UNITS = { day: 'days', week: 'weeks', month: 'months', year: 'years' } as const
export type DayUnit = keyof typeof UNITS
export const DAY_UNITS = Object.keys(UNITS) as DayUnit[]

/** The day so many units later; 29 February less a year is 28 February. Undefined: no day of the years 0 to 9999. */
export function dayLater(day: string, amount: number, unit: DayUnit): string | undefined {
  const later = DateTime.fromISO(day, { zone: 'UTC' }).plus({ [UNITS[unit]]: amount })
  return later.isValid && later.year >= 0 && later.year <= 9999 ? later.toFormat('yyyy-MM-dd') : undefined
}

/**
 * Whole years from one day to the other: as many as can be taken from the second without passing the first. Negative if
 * the second is earlier.
 */
export function yearsBetween(from: string, to: string): number {
  if (to < from) return -yearsBetween(to, from)
  const [year = '', day = ''] = [from.slice(0, -6), from.slice(-6)]
  return Number(to.slice(0, -6)) - Number(year) - (to.slice(-6) < day ? 1 : 0)
}

/** `18:05`: the time of day of a moment in the zone, or a time of day itself. Undefined: it is neither. */
export function timeOfDay(at: unknown, zone: string): string | undefined {
  const clock = clockOf(at)
  return clock ?? (shownOnce(at, `t|${zone}`, () => momentOf(at, zone)?.toFormat('HH:mm') ?? '') || undefined)
}

function momentOf(at: unknown, zone: string): DateTime | undefined {
  const moment =
    typeof at === 'number'
      ? DateTime.fromMillis(at, { zone: zoneOf(zone) })
      : typeof at === 'string' && at.length <= WRITTEN_MAX && clockOf(at) === undefined
        ? DateTime.fromISO(at, { zone: zoneOf(zone) })
        : undefined
  return moment?.isValid ? moment : undefined
}

/** In UTC, with milliseconds (RFC 3339). */
export function isoOf(ms: number): string {
  return new Date(ms).toISOString()
}

/** The day in UTC, as Postgres reads it. */
export function utcDayOf(ms: number): string {
  return isoOf(ms).slice(0, 10)
}
