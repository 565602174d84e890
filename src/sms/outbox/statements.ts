/** The outbox's rows as parts of another statement: one transaction with what the SMS are about. */
import type { NewSms } from '../../plugin/index.ts'
import type { Clock } from '../../ussd/index.ts'
import { statesFor } from './rows.ts'

export type { NewSms }

/** Whose SMS they are: `module:dental`; and the web-hook that is told what becomes of them. */
export interface SmsModule {
  owner: string
  hook: string | null
}

/** The value of `:sms` in WRITE_SMS. */
export function smsBinding(sms: readonly NewSms[], { owner, hook }: SmsModule, clock: Clock): string {
  return JSON.stringify(
    sms.map((one) => ({
      kind: one.kind,
      body: one.text,
      due_at: new Date(one.dueMs).toISOString(),
      wake_at: new Date(wallMs(one.leavesMs ?? one.dueMs, clock)).toISOString(),
      expires_at: new Date(one.expiresMs).toISOString(),
      quiet_zone: one.quietZone,
      module: owner,
      key: one.key ?? null,
      hook,
    })),
  )
}

/** A moment of the calendar (which may be frozen) on the wall clock. */
export function wallMs(calendarMs: number, clock: Clock): number {
  return clock.now() + calendarMs - clock.today()
}

/**
 * Writes the rows of `:sms` for each row of an earlier part `owner(subject, msisdn, line)`. `:now` is the wall clock.
 * The same subject, kind and moment twice is one row, and so is the same key of a subject.
 */
export const WRITE_SMS = `
  INSERT INTO sms_outbox
    (subject, kind, msisdn, line, text, quiet_zone, due_at, expires_at, wake_at, created_at, owner, key, hook)
  SELECT owner.subject, sms.kind, owner.msisdn, owner.line, sms.body, sms.quiet_zone, sms.due_at, sms.expires_at,
    sms.wake_at, CAST(:now AS timestamptz), sms.module, owner.subject || '/' || sms.key, sms.hook
  FROM owner, jsonb_to_recordset(CAST(:sms AS jsonb))
    AS sms(kind text, body text, due_at timestamptz, wake_at timestamptz, expires_at timestamptz, quiet_zone text,
      module text, key text, hook text)
  ON CONFLICT DO NOTHING`

const UNLEFT = statesFor({ type: 'CANCEL' })

/**
 * Cancels unsent SMS for each row of an earlier part `gone(subject)`. Marks SMS that the SMSC has (or is getting now)
 * for cancelling there. `:now` is the wall clock.
 */
export const CANCEL_SMS = `
  UPDATE sms_outbox SET
    state = CASE WHEN state IN (${UNLEFT}) THEN 'cancelled' ELSE state END,
    lease = CASE WHEN state IN (${UNLEFT}) THEN NULL ELSE lease END,
    settled_at = CASE WHEN state IN (${UNLEFT}) THEN CAST(:now AS timestamptz) END,
    recall_at = CASE WHEN state IN (${UNLEFT}) THEN NULL ELSE CAST(:now AS timestamptz) END
  WHERE subject IN (SELECT subject FROM gone) AND state IN (${UNLEFT}, ${statesFor({ type: 'RECALLED' })}, 'submitting')`
