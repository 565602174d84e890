/**
 * When an SMS that somebody asked for is due, and when it leaves. Pure: words and the present in, instants out. luxon
 * handles zones.
 */
import { DateTime } from 'luxon'
import { inZone, quietBefore, quietUntil, type QuietHours } from './quiet-hours.ts'
import { ANSWER, ANSWER_ON_SCREEN } from './types.ts'

/**
 * What an SMS is for. A one-time password and what a subscriber just did go out at any hour, also to those who opted
 * out; a reminder and a campaign do not.
 */
export const SMS_CLASSES = ['otp', 'transactional', 'reminder', 'campaign'] as const
export type SmsClass = (typeof SMS_CLASSES)[number]

/** At most one of `at`, `in` and `before`. None: now. */
export interface AskedMoment {
  /** ISO 8601. Without an offset it is in the zone. */
  at?: string | undefined
  /** A duration: `90m`, `24h`, `2d`. */
  in?: string | undefined
  /** So long before an event. */
  before?: { of: string; by: string } | undefined
  /** The hours of the local day in which it may go out, in place of the quiet hours of the settings. */
  window?: { from: string; to: string } | undefined
}

export interface MomentRules {
  class: SmsClass
  zone: string
  quietHours: QuietHours | null
  /** The present of the calendar. */
  nowMs: number
}

export type When =
  | {
      is: 'due'
      /** What was asked for. */
      dueMs: number
      leavesMs: number
      /** Of no use from then on. */
      expiresMs: number
      /** Quiet hours moved it. */
      moved: 'earlier' | 'later' | null
    }
  /** Its moment is over. */
  | { is: 'past' }
  /** `what` says what is wrong with the request. */
  | { is: 'wrong'; what: string }

/**
 * Of SMS that are due, the lowest leave first. A kind that is not here, such as those of a module, is one of
 * ORDINARY_URGENCY.
 */
export const URGENCY: Readonly<Record<string, number>> = {
  otp: 0,
  transactional: 1,
  [ANSWER]: 1,
  [ANSWER_ON_SCREEN]: 1,
  reminder: 2,
  campaign: 3,
}
export const ORDINARY_URGENCY = 2

export const urgencyOf = (kind: string): number => URGENCY[kind] ?? ORDINARY_URGENCY

/** What it is for, if the request does not say. */
export function classOf({
  class: of,
  at,
  in: ahead,
  before,
}: AskedMoment & { class?: SmsClass | undefined }): SmsClass {
  return of ?? ((at ?? ahead ?? before) === undefined ? 'transactional' : 'reminder')
}

/** The zone whose quiet hours it respects when it leaves. Null: none. */
export function quietZoneOf(asked: Parameters<typeof classOf>[0], zone: string): string | null {
  return isUrgent(classOf(asked)) || asked.window ? null : zone
}

export const isUrgent = (kind: string): boolean => kind === 'otp' || kind === 'transactional'

/** How late a request may be: the clocks of two machines differ, and a request takes its time. */
const PAST_MS = 60_000
/** Moments further away than this are mistakes, such as milliseconds for seconds. */
const AHEAD_MS_MAX = 2 * 366 * 86_400_000
const OF_USE_MS: Record<SmsClass, number> = {
  otp: 10 * 60_000,
  transactional: 86_400_000,
  reminder: 86_400_000,
  campaign: 86_400_000,
}

export function whenOf(asked: AskedMoment, rules: MomentRules): When {
  const { nowMs, zone } = rules
  const given = [asked.at, asked.in, asked.before].filter((one) => one !== undefined)
  if (given.length > 1) return { is: 'wrong', what: 'give one of at, in and before' }
  const moment = momentOf(asked, zone, nowMs)
  if (typeof moment === 'string') return { is: 'wrong', what: moment }
  const { dueMs, eventMs } = moment
  if (dueMs > nowMs + AHEAD_MS_MAX) return { is: 'wrong', what: 'its moment is more than two years ahead' }
  if (dueMs < nowMs - PAST_MS) return { is: 'past' }
  const quiet = quietFor(asked, rules)
  const isBefore = eventMs !== undefined
  const startMs = Math.max(dueMs, nowMs)
  const leavesMs = isBefore ? quietBefore(startMs, quiet, zone) : (quietUntil(startMs, quiet, zone) ?? startMs)
  if (leavesMs < nowMs - PAST_MS) return { is: 'past' }
  const expiresMs = eventMs ?? leavesMs + OF_USE_MS[rules.class]
  return { is: 'due', dueMs, leavesMs, expiresMs, moved: movedFrom(startMs, leavesMs) }
}

function movedFrom(startMs: number, leavesMs: number): 'earlier' | 'later' | null {
  if (leavesMs === startMs) return null
  return leavesMs < startMs ? 'earlier' : 'later'
}

function quietFor({ window }: AskedMoment, { class: of, quietHours }: MomentRules): QuietHours | null {
  if (window) return { from: window.to, to: window.from }
  return isUrgent(of) ? null : quietHours
}

type Moment = { dueMs: number; eventMs?: number }

function momentOf({ at, in: ahead, before }: AskedMoment, zone: string, nowMs: number): Moment | string {
  if (at !== undefined) {
    const dueMs = instantOf(at, zone)
    return dueMs === null ? noInstant('at') : { dueMs }
  }
  if (ahead !== undefined) {
    const ms = durationMsOf(ahead)
    return ms === null ? noDuration('in') : { dueMs: nowMs + ms }
  }
  if (before === undefined) return { dueMs: nowMs }
  const [eventMs, ms] = [instantOf(before.of, zone), durationMsOf(before.by)]
  if (eventMs === null) return noInstant('before.of')
  return ms === null ? noDuration('before.by') : { dueMs: eventMs - ms, eventMs }
}

const noInstant = (what: string) =>
  `${what} is not a moment in ISO 8601, such as 2026-12-01T09:00 or 2026-12-01T09:00+10:00`
const noDuration = (what: string) => `${what} is not a duration, such as 90m, 24h or 2d`

const UNIT_MS = { m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Elapsed time: a day is 24 hours, also where the clocks change. Null: not a duration. */
export function durationMsOf(written: string): number | null {
  const [, count, unit] = /^(\d{1,4})([mhd])$/.exec(written.trim()) ?? []
  return unit === undefined ? null : Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS]
}

/**
 * A local time that a clock change skips is as far behind the change as it would have been: 02:30 is 03:30. One that
 * comes twice is the first. Null: not a moment.
 */
export function instantOf(written: string, zone: string): number | null {
  if (written.length > 40) return null
  const local = DateTime.fromISO(written.trim(), inZone(zone))
  if (!local.isValid) return null
  if (/(?:Z|[+-]\d\d(?::?\d\d)?)$/i.test(written.trim().slice(10))) return local.toMillis()
  return Math.min(...local.getPossibleOffsets().map((one) => one.toMillis()))
}
