/** The settings of reminders, and what they depend on. */
import type { Counters } from '../../base/index.ts'
import {
  QUIET_HOURS_DEFAULT,
  type QuietHours,
  AMBIGUOUS_GRACE_MS,
  type RecallOutcome,
  type SmsSubmit,
  type SmsToRecall,
} from '../terms/index.ts'
import type { ReceiptDeps } from '../receipts/index.ts'
import type { SmsRoute } from './lanes.ts'

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

export interface OutboxDeps extends ReceiptDeps {
  submit: SmsSubmit
  canSend?: CanSend
  /**
   * Which line takes an SMS of this one (`''`: of any), and how many SMS it may have open. Null: none takes it now.
   * Absent: each its own, with room for `inFlightMax`.
   */
  route?: (line: string) => SmsRoute | null
  /** The lines that have SMS. SMS of all others go as those for any line. */
  smsLines?: () => readonly string[]
  /** Absent: SMS at the SMSC are not cancelled. */
  recall?: (sms: SmsToRecall) => Promise<RecallOutcome>
  counters: Counters
  /** SMS have another state, by receipts that came before it too: perhaps they have met their end. */
  settled?(): void
  settings?: Partial<OutboxSettings>
}
