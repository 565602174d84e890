/** Subscribers who want no SMS, of one service or at all. The statement before each SMS is sent checks it. */
import { statement, type SqlRunner } from '../../base/index.ts'

/** What a subscriber wishes. `service`: '' for all of them. */
export interface SmsWish {
  msisdn: string
  service: string
}

/** A wish about all of them ends what was wished about each. */
const OPT_OUT = statement<{ was_out: boolean | null }>(
  'sms-opt-out',
  `
  WITH was AS (
    SELECT is_out FROM sms_opt_out WHERE msisdn = CAST(:msisdn AS text) AND service IN ('', CAST(:service AS text))
    ORDER BY service DESC LIMIT 1
  ), others AS (
    DELETE FROM sms_opt_out WHERE msisdn = CAST(:msisdn AS text) AND service <> '' AND CAST(:service AS text) = ''
    RETURNING is_out
  ), kept AS (
    INSERT INTO sms_opt_out (msisdn, service, is_out, opted_out_at)
    VALUES (CAST(:msisdn AS text), CAST(:service AS text), true, CAST(:now AS timestamptz))
    ON CONFLICT (msisdn, service) DO UPDATE SET is_out = true, opted_out_at = EXCLUDED.opted_out_at
      WHERE NOT sms_opt_out.is_out
  )
  SELECT (SELECT is_out FROM was) AND NOT EXISTS (SELECT FROM others WHERE NOT is_out) AS was_out`,
)

/** Who has stopped all and wants one service again has that written down: an exception. */
const OPT_IN = statement<{ was_out: boolean | null }>(
  'sms-opt-in',
  `
  WITH was AS (
    SELECT is_out FROM sms_opt_out WHERE msisdn = CAST(:msisdn AS text) AND service IN ('', CAST(:service AS text))
    ORDER BY service DESC LIMIT 1
  ), whole AS (
    SELECT FROM sms_opt_out WHERE msisdn = CAST(:msisdn AS text) AND service = '' AND CAST(:service AS text) <> ''
  ), gone AS (
    DELETE FROM sms_opt_out WHERE msisdn = CAST(:msisdn AS text) AND NOT EXISTS (SELECT FROM whole)
      AND CAST(:service AS text) IN ('', service)
    RETURNING is_out
  ), kept AS (
    INSERT INTO sms_opt_out (msisdn, service, is_out, opted_out_at)
    SELECT CAST(:msisdn AS text), CAST(:service AS text), false, CAST(:now AS timestamptz) FROM whole
    ON CONFLICT (msisdn, service) DO UPDATE SET is_out = false, opted_out_at = EXCLUDED.opted_out_at
  )
  SELECT (SELECT is_out FROM was) OR EXISTS (SELECT FROM gone WHERE is_out) AS was_out`,
)

/** No more SMS of that service, not even those in the outbox. False: it was so before. */
export async function optOut(sql: SqlRunner, { msisdn, service }: SmsWish, nowMs: number): Promise<boolean> {
  const [said] = await OPT_OUT(sql, { msisdn, service, now: new Date(nowMs) })
  return said?.was_out !== true
}

/** False: it was so before. */
export async function optIn(sql: SqlRunner, { msisdn, service }: SmsWish, nowMs: number): Promise<boolean> {
  const [said] = await OPT_IN(sql, { msisdn, service, now: new Date(nowMs) })
  return said?.was_out === true
}
