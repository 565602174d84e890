/** SMS that flows, back ends and applications ask for: what a request may say, and what becomes of it. */
import { z } from 'zod'
import type { Sql } from '../../base/index.ts'
import { msisdnOf, numberingOf, type Clock, type NumberedLine } from '../../ussd/index.ts'
import {
  cancelSms,
  findSms,
  mayBeReplaced,
  putSms,
  replaceKeyed,
  type AtSmsc,
  type Cancelled,
  type KeyedRow,
  type Put,
} from '../outbox/index.ts'
import { templateFault, vendorTlvs, type Reminders, type SmsLine } from '../settings/index.ts'
import { classOf, durationMsOf, quietZoneOf, SMS_CLASSES, whenOf } from '../terms/index.ts'

/** The longest text: ten SMS of GSM 7-bit. */
const SMS_TEXT_MAX = 1_600
/** The longest name that an owner may give an SMS. */
const SMS_KEY_MAX = 100
/** The most SMS that one answer of a back end, or one screen, may ask for: each costs money. */
export const SMS_TOGETHER_MAX = 5

const language = z.string().regex(/^[a-z]{2,3}$/, 'a language such as en')
const text = z.string().min(1).max(SMS_TEXT_MAX)
const clockTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'HH:MM, such as "08:00"')
const duration = z.string().refine((written) => durationMsOf(written) !== null, 'a duration such as 90m, 24h or 2d')

/** The body of one request, the same from everywhere. */
export const smsRequestSchema = z.strictObject({
  text: z.union([text, z.record(language, text)]).describe('the text, or one for each language'),
  key: z
    .string()
    .min(1)
    .max(SMS_KEY_MAX)
    .regex(/^[\x21-\x7e]+$/, 'printable ASCII without spaces')
    .optional()
    .describe("the owner's name of the SMS: the same key again replaces it"),
  to: z.string().min(1).max(30).optional().describe('the number that gets it; default: the subscriber'),
  at: z.string().max(40).optional().describe('ISO 8601; without an offset in reminders.zone'),
  in: duration.optional().describe('so long from now, such as 90m'),
  before: z
    .strictObject({ of: z.string().max(40), by: duration })
    .optional()
    .describe('so long before an event'),
  window: z
    .strictObject({ from: clockTime, to: clockTime })
    .optional()
    .describe('the hours of the day in which it may go out'),
  class: z
    .enum(SMS_CLASSES)
    .optional()
    .describe('otp and transactional go out at any hour; default: reminder with a moment, else transactional'),
  template: z
    .string()
    .min(1)
    .max(64)
    .optional()
    .describe('the registered template of the text (lines[].sms.templates)'),
  tlvs: vendorTlvs.optional().describe('parameters of the operator or the regulator, by tag'),
})

export type SmsRequest = z.infer<typeof smsRequestSchema>

/** Who asks, and for whom. */
export interface SmsAsker {
  /** `flow:dental`, `backend:dental`, `token:clinic`. */
  owner: string
  /** The subscriber of the dialogue. Null: there is none, so the request must say `to`, and may say any number. */
  msisdn: string | null
  /** '' for any line. */
  line: string
  language: string
  /** The key if the request has none. */
  key: string
}

export type SmsAnswer =
  | (Put & { key: string; dueMs: number; leavesMs: number; moved: 'earlier' | 'later' | null })
  /** Its moment is over, so nobody gets it. */
  | { is: 'past' }
  /** The number may not get SMS from here. */
  | { is: 'not-allowed' }
  | { is: 'wrong'; what: string }

export interface SmsRequests {
  /**
   * Durable when it resolves. Rejects if Postgres is unreachable. `askedMs`: when it was asked for, in milliseconds of
   * the calendar. Default: now.
   */
  put(asker: SmsAsker, asked: SmsRequest, askedMs?: number): Promise<SmsAnswer>
  cancel(owner: string, key: string): Promise<Cancelled>
  find(owner: string, key: string): Promise<KeyedRow | undefined>
}

export interface SmsRequestsDeps {
  sql: Sql
  clock: Clock
  settings: {
    /** Lines may change while we run, so they are looked up each time. */
    lines: readonly (SmsLine & NumberedLine)[]
    reminders: Pick<Reminders, 'zone' | 'quietHours'>
  }
  /** For SMS that have left. Absent: those stay as they are. */
  atSmsc?: AtSmsc
  /** The web-hook that is told what becomes of the SMS of this owner. */
  hookOf(owner: string): string | null
  count(owner: string, result: string): void
}

export function smsRequests({ sql, clock, settings, atSmsc, hookOf, count }: SmsRequestsDeps): SmsRequests {
  const lineOf = (name: string) => settings.lines.find((line) => line.name === name)
  const manages = (name: string) => lineOf(name)?.sms?.manage === true

  async function put(asker: SmsAsker, asked: SmsRequest, nowMs: number): Promise<SmsAnswer> {
    const { at, in: ahead, before, window } = asked
    const kind = classOf(asked)
    const { zone, quietHours } = settings.reminders
    const when = whenOf(asked, { class: kind, zone, quietHours, nowMs })
    const key = asked.key ?? asker.key
    // What was asked for under this key is no longer so.
    if (when.is === 'past') await cancelSms(sql, { owner: asker.owner, key }, { clock, manages })
    if (when.is !== 'due') return when
    const line = lineOf(asker.line)
    const msisdn = recipientOf(asked.to, asker.msisdn, line)
    if (msisdn === null) return { is: 'not-allowed' }
    const { dueMs, leavesMs, expiresMs, moved } = when
    const quietZone = quietZoneOf(asked, zone)
    const words = JSON.stringify([at ?? null, ahead ?? null, before ?? null, window ?? null])
    const { owner } = asker
    const owed = { owner, key, kind, msisdn, line: line?.sms ? asker.line : '', quietZone, hook: hookOf(owner) }
    const text = textIn(asked.text, asker.language)
    const fault = line?.sms && templateFault(text, asked.template, line.sms)
    if (fault) return { is: 'wrong', what: `on line '${line.name}' ${fault}` }
    const tlvs = asked.tlvs && JSON.stringify(asked.tlvs)
    const sms = { ...owed, text, template: asked.template, tlvs, asked: words, dueMs, leavesMs, expiresMs }
    const first = await putSms(sql, sms, clock)
    const hasLeft = atSmsc && first.is === 'too-late' && mayBeReplaced(first.state)
    const said = hasLeft ? await replaceKeyed({ sql, clock, ...atSmsc }, first.id, sms) : first
    return { ...said, key, dueMs, leavesMs, moved }
  }

  return {
    async put(asker, asked, nowMs = clock.today()) {
      const answer = await put(asker, asked, nowMs)
      count(asker.owner, answer.is)
      return answer
    },
    async cancel(owner, key) {
      const answer = await cancelSms(sql, { owner, key }, { clock, manages })
      count(owner, answer)
      return answer
    },
    find: (owner, key) => findSms(sql, owner, key),
  }
}

/** Null: not a number, or it may not get SMS from this subscriber's dialogue. */
function recipientOf(
  to: string | undefined,
  msisdn: string | null,
  line: (SmsLine & NumberedLine) | undefined,
): string | null {
  if (to === undefined) return msisdn
  const wanted = msisdnOf(to, numberingOf(line))
  if (wanted === null || msisdn === null || wanted === msisdn) return wanted
  return line?.sms?.recipients.some((prefix) => wanted.startsWith(prefix)) ? wanted : null
}

/** The first language serves all others. */
function textIn(text: SmsRequest['text'], language: string): string {
  return typeof text === 'string' ? text : (text[language] ?? Object.values(text)[0]!)
}
