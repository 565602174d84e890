/** Removes what the outbox no longer needs, and all rows of a subscriber. */
import { type SqlRunner, statement } from '../../base/index.ts'
import { ORPHAN_MS } from './settings.ts'

/** Rows removed in one purge, so that it does not hold the table. The next purge removes more. */
const ROWS_MAX = 5_000
/** How long the last text of a subscriber is kept: longer than any SMSC repeats one. */
const INCOMING_MS = 7 * 24 * 3_600_000

const ORPHANS = statement<{ id: string }>(
  'forget-receipts',
  `
  DELETE FROM sms_receipt_orphan WHERE received_at < CAST(:before AS timestamptz) RETURNING id`,
)

const INCOMING = statement<{ msisdn: string }>(
  'forget-incoming',
  `
  DELETE FROM sms_incoming WHERE received_at < CAST(:before AS timestamptz) RETURNING msisdn`,
)

const SETTLED = statement<{ id: string }>(
  'forget-sms',
  `
  DELETE FROM sms_outbox WHERE id IN (
    SELECT id FROM sms_outbox
    WHERE created_at < CAST(:before AS timestamptz) AND expires_at < CAST(:before AS timestamptz)
      AND state NOT IN ('due', 'submitting', 'ambiguous') LIMIT ${ROWS_MAX})
  RETURNING id`,
)

const ERASE = statement<{ n: number }>(
  'erase-sms',
  `
  WITH receipts AS (DELETE FROM sms_receipt_orphan WHERE sender = :msisdn RETURNING 1),
    incoming AS (DELETE FROM sms_incoming WHERE msisdn = :msisdn RETURNING 1),
    owed AS (DELETE FROM sms_outbox WHERE msisdn = :msisdn RETURNING 1)
  SELECT CAST((SELECT count(*) FROM receipts) + (SELECT count(*) FROM incoming) + (SELECT count(*) FROM owed) AS integer)
    AS n`,
)

/** Removes receipts that matched no SMS within a day, and SMS settled `keepMs` ago. Answers how many. */
export async function forgetOld(sql: SqlRunner, nowMs: number, keepMs: number): Promise<number> {
  const before = (ms: number) => ({ before: new Date(nowMs - ms) })
  const orphans = await ORPHANS(sql, before(ORPHAN_MS))
  const incoming = await INCOMING(sql, before(INCOMING_MS))
  const settled = await SETTLED(sql, before(keepMs))
  return orphans.length + incoming.length + settled.length
}

/** Removes everything about one MSISDN but its opt-out, which says that no SMS is wanted. Answers how many rows. */
export async function eraseSms(sql: SqlRunner, msisdn: string): Promise<number> {
  const [counted] = await ERASE(sql, { msisdn })
  return counted!.n
}
