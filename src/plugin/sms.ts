/**
 * SMS of a module: enqueued in the statement or transaction of what they are about; and what subscribers answer to
 * them.
 */
import type { SqlPort } from './sql.ts'

/** One SMS to enqueue, as it is or as `plan` made it. */
export interface NewSms {
  /** 'confirmation', 'reminder' … A subject has one SMS of each kind at a time. */
  kind: string
  /**
   * Its name within the subject, such as `reminder-24h`. The module and `subject/key` are unique, whatever the moment: a
   * name is for one SMS. Absent: kind and moment are unique, and no web-hook is told.
   */
  key?: string
  text: string
  /** The moment that it was asked for. */
  dueMs: number
  /** When it leaves, if that is another moment: quiet hours moved it. */
  leavesMs?: number
  expiresMs: number
  /** The zone of the quiet hours. Null: sent at any hour. */
  quietZone: string | null
}

/**
 * A span of the local day, `HH:mm`: `from` is inside, `to` is outside. It may include midnight. If both are equal,
 * there are no quiet hours. At least one hour of the day must be left.
 */
export interface QuietHours {
  from: string
  to: string
}

export interface ReminderRule {
  /** How long before the start: durations such as `24h`, `90m`, `2d`. */
  leads: readonly string[]
  quietHours: QuietHours | null
}

/** The settings `reminders`. */
export interface ReminderSettings extends ReminderRule {
  /** Send an SMS at once for each booking. */
  confirmation: boolean
}

/** An SMS in the words of a request (docs/SMS.md, "Ask for an SMS"). One of `at`, `in` and `before`; none: now. */
export interface ModuleSmsRequest {
  /** As in NewSms. Default: the class. */
  kind?: string
  /** As in NewSms. */
  key?: string
  text: string
  /** Default: `reminder` with a moment, else `transactional`. */
  class?: 'otp' | 'transactional' | 'reminder' | 'campaign'
  /** ISO 8601. Without an offset it is in the zone. */
  at?: string
  /** A duration from now, such as `90m`. */
  in?: string
  /** So long before an event. */
  before?: { of: string; by: string }
  /** The hours of the local day in which it may go out, in place of the quiet hours. */
  window?: { from: string; to: string }
}

export interface SmsPlanning {
  /** The present of the calendar. */
  nowMs: number
  zone: string
  quietHours: QuietHours | null
}

export interface EnqueueSms {
  /** What the SMS are about: the module's word, a colon, an id (`shop:17`). Answers and cancelling use it. */
  subject: string
  msisdn: string
  /** The line that must send them; '' for any line. */
  line: string
  sms: readonly NewSms[]
}

export interface ModuleSms {
  /** Enqueues them in the transaction of that `sql`. The same subject, kind and moment twice is one SMS. */
  enqueue(sql: SqlPort, what: EnqueueSms): Promise<void>
  /** Cancels the SMS of a subject that have not been sent. Asks the SMSC to discard those that it has already. */
  cancel(sql: SqlPort, subject: string): Promise<void>
  /**
   * The same within one statement: an INSERT for each row of an earlier `owner AS (… subject, msisdn, line)`. It needs
   * `:now`, the wall clock, and `:sms`, which is `binding(…)`.
   */
  readonly insertSql: string
  /** The value of `:sms`. */
  binding(sms: readonly NewSms[]): string
  /** Within one statement: an UPDATE for each row of an earlier `gone AS (… subject)`. It needs `:now`. */
  readonly cancelSql: string
  /**
   * The SMS of these requests, for `binding` or `enqueue`, the earliest first: out of quiet hours, without those whose
   * moment is over, and of several before one event each only until the next one leaves. Pure. Throws a TypeError if
   * the words are wrong.
   */
  plan(requests: readonly ModuleSmsRequest[], how: SmsPlanning): NewSms[]
}

/** A module with SMS that subscribers may answer. */
export interface SmsReplies {
  /** The first word of the subjects of its SMS: `shop` in `shop:17`. */
  readonly subject: string
  /**
   * What a subscriber's words do to the thing that the last SMS was about. Null: nothing; they do not answer it. It may
   * run twice with the same intention. It runs in the transaction that records the answer.
   */
  reply(sql: SqlPort, about: SmsReply): Promise<SmsReplied | null>
  /** The language of a subscriber whom the module knows. */
  languageOf(sql: SqlPort, msisdn: string): Promise<string | null>
}

export interface SmsReply {
  /** What follows the first word in the subject. */
  id: string
  msisdn: string
  words: string
  intention: string
  /** Milliseconds of the calendar. */
  todayMs: number
}

export interface SmsReplied {
  /** 'confirmed', 'cancelled' … It is stored with the reminder. */
  what: string
  /** The answer to the subscriber. */
  text: string
}
