/** SMS that go into files without a table (own-files.ts): those that met their end and are in none yet. */
import { type SqlRunner, statement } from '../base/index.ts'
import type { FileRow } from './file-format.ts'
import { SMS_EPOCH, SMS_IS_SETTLED, SMS_IS_UNRECEIPTED, SMS_OVER_AT, SMS_TOTAL_MS } from './rows.ts'

export interface UnrecordedSms extends FileRow {
  id: string
  /** When it met its end, as Postgres writes it: one that is sent again has another moment. */
  over_at: string
}

const UNRECORDED = statement<UnrecordedSms>(
  'cdr-sms-unrecorded',
  `
  WITH pick AS (
    SELECT o.*, ${SMS_OVER_AT} AS over_at FROM sms_outbox o
    WHERE NOT recorded AND (${SMS_IS_SETTLED} OR (${SMS_IS_UNRECEIPTED}))
    ORDER BY o.id LIMIT CAST(:limit AS int)
  )
  SELECT CAST(id AS text) AS id, CAST(over_at AS text) AS over_at, ${SMS_EPOCH} AS epoch, 'sms' AS kind,
    created_at AS opened_at, GREATEST(created_at, over_at) AS ended_at, msisdn, COALESCE(sent_line, line) AS line, '' AS code,
    COALESCE(owner, split_part(subject, ':', 1)) AS flow, state AS reason, attempts AS turns, ${SMS_TOTAL_MS} AS total_ms,
    COALESCE(parts, 1) AS parts, '' AS language, 'sms' AS channel
  FROM pick`,
)

const FILED = statement<{ id: string }>(
  'cdr-sms-filed',
  `
  UPDATE sms_outbox o SET recorded = true
  FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(id bigint, over_at text)
  WHERE o.id = r.id AND CAST(${SMS_OVER_AT} AS text) = r.over_at
  RETURNING o.id`,
)

/** An SMS that its SMSC took before that moment gets no receipt any more. */
export function unrecordedSms(sql: SqlRunner, limit: number, beforeMs: number): Promise<UnrecordedSms[]> {
  return UNRECORDED(sql, { limit, before: new Date(beforeMs) })
}

/** They are in a file. */
export async function smsFiled(sql: SqlRunner, rows: readonly UnrecordedSms[]): Promise<void> {
  await FILED(sql, { rows: JSON.stringify(rows.map(({ id, over_at }) => ({ id, over_at }))) })
}
