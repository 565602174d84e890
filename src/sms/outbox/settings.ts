/** What may be set of the reminders, and what they are given. */
import type { Log, Counters, Sql } from '../../base/index.ts'
import type { Chance, Clock } from '../../ussd/index.ts'
import type { IdBases } from './message-id.ts'
import { QUIET_HOURS_DEFAULT, type QuietHours } from './schedule.ts'
import { AMBIGUOUS_GRACE_MS } from './retry-policy.ts'
import type { RecallOutcome, SmsSubmit, SmsToRecall } from './types.ts'

export interface OutboxSettings {
  /** No SMS that keeps them leaves in these; null: none. */
  quietHours: QuietHours | null
  /** How often to look into the outbox. */
  pollMs: number
  /** How long a claimed or submitting row belongs to one daemon. Longer than the SMSC may take to answer. */
  leaseMs: number
  /** How long a receipt may settle an SMS whose response never came. */
  ambiguousGraceMs: number
  /** Rows claimed at once. */
  batchMax: number
  /** SMS that lines send at the same time. */
  inFlightMax: number
  /** Connections to the database that SMS and receipts take at once: the turns of dialogues wait for none of theirs. */
  connectionsMax: number
  /** How long settled SMS are kept. */
  keepMs: number
}

export const OUTBOX_DEFAULTS: OutboxSettings = {
  quietHours: QUIET_HOURS_DEFAULT,
  pollMs: 1_000,
  leaseMs: 30_000,
  ambiguousGraceMs: AMBIGUOUS_GRACE_MS,
  batchMax: 50,
  inFlightMax: 10,
  connectionsMax: 4,
  keepMs: 90 * 86_400_000,
}

/** Whether this daemon can send SMS: now, not now (no line is bound), or never (no line has SMS). Default: now. */
export type CanSend = () => 'now' | 'not-now' | 'never'

export interface OutboxDeps {
  sql: Sql
  submit: SmsSubmit
  canSend?: CanSend
  /** Absent: SMS at the SMSC are not cancelled. */
  recall?: (sms: SmsToRecall) => Promise<RecallOutcome>
  clock: Clock
  chance: Chance
  log: Log
  counters: Counters
  settings?: Partial<OutboxSettings>
  /** How a line writes message ids; null: its ids name nothing (all the same), so no receipt is matched by them. */
  messageIds?: (line: string) => IdBases | null
  /**
   * The lines that lead to the same SMSC as this one, itself among them; default: itself. A receipt may come on any.
   */
  linesOfSmsc?: (line: string) => readonly string[]
}

/** How long a receipt without an SMS is kept. */
export const ORPHAN_MS = 24 * 3_600_000
