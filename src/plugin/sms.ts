/** SMS of a module: owed in the statement or transaction of what they speak of, and what subscribers answer to them. */
import type { SqlPort } from './sql.ts'

/** One SMS to be owed. */
export interface NewSms {
  /** 'confirmation', 'reminder' … A subject has one of a kind at a time. */
  kind: string
  text: string
  dueMs: number
  expiresMs: number
  /** Quiet hours are kept in this zone; null: sent at any hour. */
  quietZone: string | null
}

/**
 * A span of the local day, `HH:mm`; `from` is inside it, `to` is not. May run over midnight. Equal: none. At least an
 * hour of the day must be left.
 */
export interface QuietHours {
  from: string
  to: string
}

export interface ReminderRule {
  /** How long before the start, elapsed time. */
  leadsMs: readonly number[]
  quietHours: QuietHours | null
}

/** What `reminders` of the settings says. */
export interface ReminderSettings extends ReminderRule {
  /** An SMS at once for each booking. */
  confirmation: boolean
}

export interface PlannedSms {
  dueMs: number
  /** Useless from then on: the next one is due, or it has begun. */
  expiresMs: number
}

export interface EnqueueSms {
  /** What the SMS are about: the module's word, a colon, an id (`shop:17`). Answers and cancelling go by it. */
  subject: string
  msisdn: string
  /** Which line must send them; '' for any. */
  line: string
  sms: readonly NewSms[]
}

export interface ModuleSms {
  /** Owes them, in the transaction of that `sql`. The same subject, kind and moment twice is one SMS. */
  enqueue(sql: SqlPort, what: EnqueueSms): Promise<void>
  /** Calls off what has not left of a subject; what the SMSC has already, it is asked to throw away. */
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
  /** The reminders of something that starts then, soonest first: moved out of quiet hours, none that is past. Pure. */
  planReminders(start: { startsMs: number; zone: string }, nowMs: number, rule: ReminderRule): PlannedSms[]
}

/** A module whose SMS subscribers may answer. */
export interface SmsReplies {
  /** The first word of the subjects of its SMS: `shop` of `shop:17`. */
  readonly subject: string
  /**
   * What a subscriber's words do to the thing that the last SMS was about; null: nothing, they are no answer to it. May
   * run twice with the same intention. Inside the transaction that notes the answer.
   */
  reply(sql: SqlPort, about: SmsReply): Promise<SmsReplied | null>
  /** Of a subscriber that the module knows. */
  languageOf(sql: SqlPort, msisdn: string): Promise<string | null>
}

export interface SmsReply {
  /** What stands after the first word in the subject. */
  id: string
  msisdn: string
  words: string
  intention: string
  /** The calendar's milliseconds. */
  todayMs: number
}

export interface SmsReplied {
  /** 'confirmed', 'cancelled' … kept with the reminder. */
  what: string
  /** What the subscriber is told. */
  text: string
}
