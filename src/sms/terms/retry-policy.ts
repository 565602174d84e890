/**
 * The retry policy of SMS: how long an SMS waits before it is sent again, how often, and when it is given up. What each
 * command_status means is in `src/ussd/status-policy.ts`, and in the dialect. Pure.
 */
import type { ReminderEvent } from '../../../machines/reminder.ts'
import type { Chance, StatusPolicy } from '../../ussd/index.ts'
import { SMS_ERRORS } from './reason.ts'
import type { SmsOutcome } from './types.ts'

/**
 * The classes of settings. retry: temporary · pause: temporary, and the line must wait · destination: only the queue of
 * this subscriber is full · fail: the SMSC will always refuse this SMS.
 */
export const STATUS_CLASSES = ['retry', 'pause', 'destination', 'fail'] as const
export type StatusClass = (typeof STATUS_CLASSES)[number]

/** Statuses by number in decimal; a setting names them `0x58` or `88`. */
export type StatusClasses = ReadonlyMap<number, StatusClass>

/** Least and most; chance chooses between them. */
type Span = readonly [leastMs: number, mostMs: number]

/** Hurrying does not empty the queue of a subscriber. */
const DESTINATION_MS: Span = [30_000, 180_000]

/** The wait after the first refusal, twice that after each further one, up to `lastMs`; at least half of it. */
const DOUBLING = { firstMs: 2_000, lastMs: 60_000, atLeast: 0.5 }
/** After this many refusals the SMS has failed: by then the SMSC has made us wait for a good quarter of an hour. */
const TRIES_MAX = 20
/** Not sent at all: retry when the bind is probably back. It does not count as a try. */
const UNSENT_MS: Span = [1_000, 5_000]
/** Sent without a response: sent once more, never twice. A subscriber rarely gets it twice, and never three times. */
const LOSSES_MAX = 2
/** How long a receipt may settle an SMS whose response never came. `reminders.ambiguousGraceMs` changes it. */
export const AMBIGUOUS_GRACE_MS = 90_000
/** The pause of a line whose SMSC throttles. The refused SMS itself waits longer. */
const LINE_PAUSE_MS = 1_000

/** The class of a status on a line with the settings `own`. `policy`: what it means in the line's dialect. */
export function statusClass(
  status: number,
  own: StatusClasses,
  { sms, whose }: Pick<StatusPolicy, 'sms' | 'whose'>,
): StatusClass {
  const set = own.get(status)
  if (set) return set
  if (sms === 'never') return 'fail'
  if (sms === 'next-second') return 'pause'
  return whose === 'subscriber' ? 'destination' : 'retry'
}

/** The classes of the settings: `{ "0x45": fail }`. The schema has checked the form. */
export function ownClasses(written: Readonly<Record<string, StatusClass>>): StatusClasses {
  return new Map(Object.entries(written).map(([status, is]) => [Number(status), is]))
}

/** The effect of a refusal on the SMS. */
export function refused(status: number, is: StatusClass): SmsOutcome {
  if (is === 'fail') return { is: 'failed', status }
  return { is: 'later', status, pause: is === 'pause', destination: is === 'destination' }
}

/** The wait after a temporary status. `tries` counts from 1. */
export function laterMs(isFull: boolean, tries: number, chance: Chance): number {
  if (isFull) return between(DESTINATION_MS, chance)
  const most = Math.min(DOUBLING.lastMs, DOUBLING.firstMs * 2 ** Math.min(tries - 1, 15))
  return between([DOUBLING.atLeast * most, most], chance)
}

export function unsentMs(chance: Chance): number {
  return between(UNSENT_MS, chance)
}

/** What to do with an SMS after a try. */
export interface NextStep {
  event: ReminderEvent
  /** The wait before the next look at it. */
  waitMs: number
  /** Pause of other SMS to this subscriber. */
  isHeldBack: boolean
  /** Stored in the row. */
  status: number | null
  error: string | null
}

export interface Try {
  /** Including this one. */
  attempts: number
  ambiguousGraceMs: number
  chance: Chance
}

const ACCEPTED: NextStep = { event: { type: 'ACCEPTED' }, waitMs: 0, isHeldBack: false, status: null, error: null }

/** The next step after a try with this outcome. */
export function afterTry(outcome: SmsOutcome, { attempts, ambiguousGraceMs, chance }: Try): NextStep {
  switch (outcome.is) {
    case 'accepted':
      return ACCEPTED
    case 'failed':
      return {
        event: { type: 'REFUSED' },
        waitMs: 0,
        isHeldBack: false,
        status: outcome.status,
        error: outcome.why ?? SMS_ERRORS.refused,
      }
    case 'ambiguous':
      return {
        event: { type: 'LOST' },
        waitMs: ambiguousGraceMs,
        isHeldBack: false,
        status: null,
        error: SMS_ERRORS.lost,
      }
    case 'unsent':
      return { event: { type: 'UNSENT' }, waitMs: unsentMs(chance), isHeldBack: false, status: null, error: null }
    case 'later':
      return {
        event: { type: 'LATER', mayRetry: attempts < TRIES_MAX },
        waitMs: laterMs(outcome.destination ?? false, attempts, chance),
        isHeldBack: outcome.destination ?? false,
        status: outcome.status,
        error: SMS_ERRORS.wait,
      }
  }
}

/** How long a line pauses before it sends anything else. 0: not. */
export function linePauseMs(outcome: SmsOutcome): number {
  return outcome.is === 'later' && outcome.pause ? LINE_PAUSE_MS : 0
}

/** No response, and no receipt within the grace. `losses`: how often, including this time. */
export function afterGrace(losses: number): ReminderEvent {
  return { type: 'GRACE_OVER', mayRetry: losses < LOSSES_MAX }
}

/** A refusal that came after its deadline. */
export function afterLateRefusal(
  outcome: SmsOutcome & { is: 'failed' | 'later' },
  losses: number,
  chance: Chance,
): Pick<NextStep, 'event' | 'waitMs'> {
  if (outcome.is === 'failed') return { event: { type: 'REFUSED' }, waitMs: 0 }
  return {
    event: { type: 'LATER', mayRetry: losses < LOSSES_MAX },
    waitMs: laterMs(outcome.destination ?? false, losses, chance),
  }
}

function between([leastMs, mostMs]: Span, chance: Chance): number {
  return leastMs + (mostMs - leastMs) * chance()
}
