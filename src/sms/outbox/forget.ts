/** Removes what the outbox no longer needs, and all rows of a subscriber. */
import { type SqlRunner, statement } from '../../base/index.ts'
import { ORPHAN_MS } from '../receipts/index.ts'

/** Rows removed, or looked at, by one statement: it takes some hundredths of a second. */
const ROWS_MAX = 1_000
/** Statements of one kind in one go. What is left is removed in the next one. */
const TIMES_MAX = 3
/** How long the last text of a subscriber is kept: longer than any SMSC repeats one. */
const INCOMING_MS = 7 * 24 * 3_600_000

/** Ids of SMS: before the first, and after the last. */
export const FROM_THE_START = '0'
const FROM_THE_END = '9223372036854775807'

const ORPHANS = statement<{ id: string }>(
  'forget-receipts',
  `
  DELETE FROM sms_receipt_orphan WHERE id IN (
    SELECT id FROM sms_receipt_orphan WHERE received_at < CAST(:before AS timestamptz)
    ORDER BY received_at LIMIT ${ROWS_MAX})
  RETURNING id`,
)

const INCOMING = statement<{ msisdn: string }>(
  'forget-incoming',
  `
  DELETE FROM sms_incoming WHERE msisdn IN (
    SELECT msisdn FROM sms_incoming WHERE received_at < CAST(:before AS timestamptz)
    ORDER BY received_at LIMIT ${ROWS_MAX})
  RETURNING msisdn`,
)

/**
 * The oldest have the lowest ids, so this walks up from them, and reads no row that is younger. `last`: how far it
 * came; null: to the end, or to those that are too young.
 */
const SETTLED = statement<{ gone: number; last: string | null }>(
  'forget-sms',
  `
  WITH page AS (
    SELECT id, created_at, expires_at, state FROM sms_outbox WHERE id > CAST(:after AS bigint) ORDER BY id LIMIT ${ROWS_MAX}
  ), gone AS (
    DELETE FROM sms_outbox o USING page WHERE o.id = page.id
      AND page.created_at < CAST(:before AS timestamptz) AND page.expires_at < CAST(:before AS timestamptz)
      AND page.state NOT IN ('due', 'submitting', 'ambiguous')
    RETURNING o.id
  )
  SELECT (SELECT CAST(count(*) AS int) FROM gone) AS gone,
    CASE WHEN count(*) = ${ROWS_MAX} AND min(created_at) < CAST(:before AS timestamptz) THEN max(id) END AS last
  FROM page`,
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

export interface Forgotten {
  /** How many rows were removed. */
  rows: number
  /** Where to go on; null: nothing is left that is old. */
  next: string | null
}

/**
 * Removes some of the receipts that matched no SMS within a day, and of the SMS settled `keepMs` ago, from the id
 * `after` on.
 */
export async function forgetSome(
  sql: SqlRunner,
  { nowMs, keepMs, after }: { nowMs: number; keepMs: number; after: string },
): Promise<Forgotten> {
  const before = (ms: number) => new Date(nowMs - ms)
  const orphans = await ORPHANS(sql, { before: before(ORPHAN_MS) })
  const incoming = await INCOMING(sql, { before: before(INCOMING_MS) })
  let rows = orphans.length + incoming.length
  let next: string | null = after
  for (let times = 0; times < TIMES_MAX && next !== null; times++) {
    const [page]: { gone: number; last: string | null }[] = await SETTLED(sql, { after: next, before: before(keepMs) })
    rows += page!.gone
    next = page!.last
  }
  const isMore = orphans.length === ROWS_MAX || incoming.length === ROWS_MAX
  return { rows, next: next ?? (isMore ? FROM_THE_END : null) }
}

/** Removes all of them. Returns how many. */
export async function forgetOld(sql: SqlRunner, nowMs: number, keepMs: number): Promise<number> {
  let rows = 0
  for (let after: string | null = FROM_THE_START; after !== null;) {
    const some: Forgotten = await forgetSome(sql, { nowMs, keepMs, after })
    rows += some.rows
    after = some.next
  }
  return rows
}

/** Removes everything about one MSISDN except its opt-out, which says that no SMS is wanted. Returns how many rows. */
export async function eraseSms(sql: SqlRunner, msisdn: string): Promise<number> {
  const [counted] = await ERASE(sql, { msisdn })
  return counted!.n
}
