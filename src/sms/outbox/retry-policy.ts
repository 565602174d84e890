/**
 * The retry policy of SMS, all of it: what each command_status means, how long an SMS waits before it is sent again,
 * how often, and when it is given up. Pure.
 */
import type { ReminderEvent } from '../../../machines/reminder.ts'
import { STATUS } from '../../smpp/pdu/index.ts'
import type { Chance } from '../../ussd/index.ts'
import type { SmsOutcome } from './types.ts'

/**
 * retry: temporary · pause: temporary, and the line must wait · destination: only the queue of this subscriber is full
 * · fail: the SMSC will always refuse this SMS.
 */
export const STATUS_CLASSES = ['retry', 'pause', 'destination', 'fail'] as const
export type StatusClass = (typeof STATUS_CLASSES)[number]

/** Statuses by number in decimal; a setting names them `0x58` or `88`. */
export type StatusClasses = ReadonlyMap<number, StatusClass>

/** Least and most: chance says where between them. */
type Span = readonly [leastMs: number, mostMs: number]

interface StatusPolicy {
  class: StatusClass
  /** Absent: as DOUBLING says. */
  waitMs?: Span
}

/**
 * What is not here fails. 0x102 is ESME_RSERVICEOUT of v5.0; 0x04 says that the bind is gone. The three vague ones, and
 * vendors' own (0x400 to 0x4FF), are as often passing as not. No hurry empties the queue of a subscriber (0x14). (SMPP
 * v3.4 §5.1.3)
 */
const POLICY: ReadonlyMap<number, StatusPolicy> = new Map<number, StatusPolicy>([
  [STATUS.ESME_RSYSERR, { class: 'retry' }],
  [STATUS.ESME_RX_T_APPN, { class: 'retry' }],
  [0x102, { class: 'retry' }],
  [STATUS.ESME_RTHROTTLED, { class: 'pause' }],
  [STATUS.ESME_RMSGQFUL, { class: 'destination', waitMs: [30_000, 180_000] }],
  [STATUS.ESME_RINVBNDSTS, { class: 'retry' }],
  [STATUS.ESME_RSUBMITFAIL, { class: 'retry' }],
  [STATUS.ESME_RDELIVERYFAILURE, { class: 'retry' }],
  [STATUS.ESME_RUNKNOWNERR, { class: 'retry' }],
])
const VENDORS = { from: 0x400, to: 0x4ff, class: 'retry' } as const

/** The wait after the first refusal, twice that after each further one, up to `lastMs`; at least half of it. */
const DOUBLING = { firstMs: 2_000, lastMs: 60_000, atLeast: 0.5 }
/** Refused so often, the SMS has failed: by then the SMSC has asked us to wait for a good quarter of an hour. */
const TRIES_MAX = 20
/** Not sent at all: retry when the bind is likely to be back. It does not count as a try. */
const UNSENT_MS: Span = [1_000, 5_000]
/** Sent without a response: sent once more, never twice. A subscriber rarely gets it two times, never three. */
const LOSSES_MAX = 2
/** How long a receipt may settle an SMS whose response never came; `reminders.ambiguousGraceMs` changes it. */
export const AMBIGUOUS_GRACE_MS = 90_000
/** The pause of a line whose SMSC throttles. The refused SMS itself waits longer. */
const LINE_PAUSE_MS = 1_000

/** The class of a status on a line whose settings say `own`. */
export function statusClass(status: number, own: StatusClasses): StatusClass {
  const vendors = status >= VENDORS.from && status <= VENDORS.to ? VENDORS.class : 'fail'
  return own.get(status) ?? POLICY.get(status)?.class ?? vendors
}

/** The classes of the settings: `{ "0x45": fail }`. The schema has checked the form. */
export function ownClasses(written: Readonly<Record<string, StatusClass>>): StatusClasses {
  return new Map(Object.entries(written).map(([status, is]) => [Number(status), is]))
}

/** The effect of a refusal on the SMS. */
export function refused(status: number, own: StatusClasses): SmsOutcome {
  const is = statusClass(status, own)
  if (is === 'fail') return { is: 'failed', status }
  return { is: 'later', status, pause: is === 'pause', destination: is === 'destination' }
}

/** After a temporary status. `tries` counts from 1. */
export function laterMs(status: number, tries: number, chance: Chance): number {
  const waitMs = POLICY.get(status)?.waitMs
  if (waitMs) return between(waitMs, chance)
  const most = Math.min(DOUBLING.lastMs, DOUBLING.firstMs * 2 ** Math.min(tries - 1, 15))
  return between([DOUBLING.atLeast * most, most], chance)
}

export function unsentMs(chance: Chance): number {
  return between(UNSENT_MS, chance)
}

/** What to do with an SMS after a try. */
export interface NextStep {
  event: ReminderEvent
  /** Until it is looked at again. */
  waitMs: number
  /** Pause of the line before it sends anything else. */
  linePauseMs?: number
  /** Pause of other SMS to this subscriber. */
  isHeldBack?: boolean
  /** Stored in the row. */
  status: number | null
  error: string | null
}

export interface Try {
  /** This one included. */
  attempts: number
  ambiguousGraceMs: number
  chance: Chance
}

/** After a try that ended so. */
export function afterTry(outcome: SmsOutcome, { attempts, ambiguousGraceMs, chance }: Try): NextStep {
  const quiet = { waitMs: 0, status: null, error: null }
  switch (outcome.is) {
    case 'accepted':
      return { ...quiet, event: { type: 'ACCEPTED' } }
    case 'failed':
      return { ...quiet, event: { type: 'REFUSED' }, status: outcome.status, error: 'refused' }
    case 'ambiguous':
      return { ...quiet, event: { type: 'LOST' }, waitMs: ambiguousGraceMs, error: 'no response' }
    case 'unsent':
      return { ...quiet, event: { type: 'UNSENT' }, waitMs: unsentMs(chance) }
    case 'later':
      return {
        event: { type: 'LATER', mayRetry: attempts < TRIES_MAX },
        waitMs: laterMs(outcome.status, attempts, chance),
        ...(outcome.pause ? { linePauseMs: LINE_PAUSE_MS } : {}),
        isHeldBack: outcome.destination ?? false,
        status: outcome.status,
        error: 'the SMSC asked us to wait',
      }
  }
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
    waitMs: laterMs(outcome.status, losses, chance),
  }
}

function between([leastMs, mostMs]: Span, chance: Chance): number {
  return leastMs + (mostMs - leastMs) * chance()
}
