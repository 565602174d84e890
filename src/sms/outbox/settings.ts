/** The settings of reminders, and what they depend on. */
import type { Log, Counters, Sql } from '../../base/index.ts'
import type { Chance, Clock } from '../../ussd/index.ts'
import type { GivingUp } from './given-up.ts'
import type { SmsRoute } from './lanes.ts'
import type { IdBases } from './message-id.ts'
import { QUIET_HOURS_DEFAULT, type QuietHours } from './schedule.ts'
import { AMBIGUOUS_GRACE_MS } from './retry-policy.ts'
import type { RecallOutcome, SmsSubmit, SmsToRecall } from './types.ts'

export interface OutboxSettings {
  /** An SMS that respects them is not sent within these hours. Null: none. */
  quietHours: QuietHours | null
  /** How often to look into the outbox. */
  pollMs: number
  /** How long a submitting row belongs to one daemon. Longer than the SMSC may take to answer. */
  leaseMs: number
  /** How long a receipt may settle an SMS whose response never came. */
  ambiguousGraceMs: number
  /** How many rows one statement claims of a line, or looks at for other work. */
  batchMax: number
  /** How many SMS a line sends at the same time, whatever its window holds. */
  inFlightMax: number
  /** How long what is to be stored gathers, while there is more than one. */
  gatherMs: number
  /** How many database connections SMS and receipts use at once. The turns of dialogues never wait for them. */
  connectionsMax: number
  /** How long settled SMS are kept. */
  keepMs: number
  /** The service of each owner: a subscriber may want no SMS of it. */
  services: Readonly<Record<string, string>>
}

export const OUTBOX_DEFAULTS: OutboxSettings = {
  quietHours: QUIET_HOURS_DEFAULT,
  pollMs: 1_000,
  leaseMs: 30_000,
  ambiguousGraceMs: AMBIGUOUS_GRACE_MS,
  batchMax: 50,
  inFlightMax: 10,
  gatherMs: 0,
  connectionsMax: 4,
  keepMs: 90 * 86_400_000,
  services: {},
}

/** Whether this daemon can send SMS: now, not now (no line is bound), or never (no line has SMS). Default: now. */
export type CanSend = () => 'now' | 'not-now' | 'never'

export interface OutboxDeps {
  sql: Sql
  submit: SmsSubmit
  canSend?: CanSend
  /**
   * Which line takes an SMS of this one (`''`: of any), and how many SMS it may have open. Null: none takes it now.
   * Absent: each its own, with room for `inFlightMax`.
   */
  route?: (line: string) => SmsRoute | null
  /** The lines that have SMS. SMS of all others go as those for any line. */
  smsLines?: () => readonly string[]
  /** False: the clock of this machine is wrong, so nothing is due and nothing has expired. Absent: it is right. */
  mayRun?: (() => boolean) | undefined
  /** Absent: SMS at the SMSC are not cancelled. */
  recall?: (sms: SmsToRecall) => Promise<RecallOutcome>
  clock: Clock
  chance: Chance
  log: Log
  counters: Counters
  /** Gets each SMS that nobody gets any more. Absent: nobody is told. */
  givenUp?: GivingUp
  /** SMS have another state, by receipts that came before it too: perhaps they have met their end. */
  settled?(): void
  settings?: Partial<OutboxSettings>
  /**
   * How a line writes message ids. Null: its ids identify nothing (they are all the same), so receipts are not matched
   * by them.
   */
  messageIds?: (line: string) => IdBases | null
  /**
   * The lines that lead to the same SMSC as this one, including itself. Default: itself. A receipt may come on any of
   * them.
   */
  linesOfSmsc?: (line: string) => readonly string[]
}

/** How long a receipt without an SMS is kept. */
export const ORPHAN_MS = 24 * 3_600_000
