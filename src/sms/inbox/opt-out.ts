/** Subscribers who want no SMS: checked by the statement before each SMS leaves. */
import { statement, type SqlRunner } from '../../base/index.ts'

const OPT_OUT = statement<{ msisdn: string }>(
  'sms-opt-out',
  `
  INSERT INTO sms_opt_out (msisdn, opted_out_at) VALUES (:msisdn, CAST(:now AS timestamptz))
  ON CONFLICT (msisdn) DO NOTHING RETURNING msisdn`,
)

const OPT_IN = statement<{ msisdn: string }>(
  'sms-opt-in',
  `
  DELETE FROM sms_opt_out WHERE msisdn = :msisdn RETURNING msisdn`,
)

/** No more SMS to that number, not even those already in the outbox. False: it had opted out before. */
export async function optOut(sql: SqlRunner, msisdn: string, nowMs: number): Promise<boolean> {
  return (await OPT_OUT(sql, { msisdn, now: new Date(nowMs) })).length > 0
}

/** False: it was so before. */
export async function optIn(sql: SqlRunner, msisdn: string): Promise<boolean> {
  return (await OPT_IN(sql, { msisdn })).length > 0
}
