/** The statements of receipts: parts of SMS by their message id, and receipts that match no SMS yet. */
import { statement } from '../../base/index.ts'
import { statesHearing, type ReminderState } from '../../../machines/reminder.ts'
import type { Receipt } from '../terms/index.ts'

export interface OrphanRow {
  id: string
  line: string
  message_id: string
  message_key: string
  sender: string
  state: Receipt['state']
  error: string
  reference: number | null
}

export type PartState = 'accepted' | 'delivered' | 'failed'

export interface PartRow {
  sms: string
  part: number
  part_state: PartState
  state: ReminderState
  kind: string
  msisdn: string
  attempts: number
}

const PART_COLUMNS = 'p.sms, p.part, p.state AS part_state, o.state, o.kind, o.msisdn, o.attempts'

/** Shorter numbers are service numbers. */
const NATIONAL_DIGITS_MIN = 6
/** How long a lost attempt may still be the one to which a receipt belongs. */
const RIVAL = `interval '1 day'`

export const ORPHAN_COLUMNS = 'id, line, message_id, message_key, sender, state, error, reference'

/** A receipt and its response may be stored at the same moment without seeing each other. A lock puts them in order. */
export const LOCK_KEY = statement('receipt-lock', `SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))`)

/** The same for all of `:keys`, in the same order everywhere. The next statement reads what it protects. */
const LOCKED_KEYS = `(SELECT count(pg_advisory_xact_lock(hashtextextended('sms:' || key, 0))) FROM (
    SELECT key FROM jsonb_array_elements_text(CAST(:keys AS jsonb)) AS one(key) ORDER BY key COLLATE "C"
  ) sorted) AS locked`

/**
 * Message ids of parts of an SMS: `:ids` is `[{ part, message_id, message_key }]`. A receipt that came earlier is found
 * by a separate statement, after the lock is held.
 */
export const STORE_PARTS = statement(
  'receipt-parts',
  `
  WITH stored AS (
    INSERT INTO sms_part (sms, part, line, message_id, message_key)
    SELECT CAST(:sms AS bigint), one.part, CAST(:line AS text), one.message_id, one.message_key
    FROM jsonb_to_recordset(CAST(:ids AS jsonb)) AS one(part int, message_id text, message_key text)
    ON CONFLICT DO NOTHING
  )
  SELECT ${LOCKED_KEYS}`,
)

/** `:linesOfSmsc`: the lines of one SMSC, as a list. Empty: any line. */
const LINES_OF_SMSC = '(SELECT jsonb_array_elements_text(CAST(:linesOfSmsc AS jsonb)))'

/** Of which SMS a receipt may have come before its ids were known: `:keys` is `[{ sms, key }]`. Mostly of none. */
export const EARLY_OF = statement<{ sms: string }>(
  'receipt-early-of',
  `
  SELECT DISTINCT one.sms FROM jsonb_to_recordset(CAST(:keys AS jsonb)) AS one(sms bigint, key text)
  JOIN sms_receipt_orphan r ON r.message_key = one.key ORDER BY one.sms`,
)

/**
 * Whether a receipt from `from` can be one of an SMS to `o.msisdn`: it names no subscriber, or this one, perhaps
 * without the country code.
 */
function isTo(from: string): string {
  return `(${from} IN ('', o.msisdn) OR length(${from}) >= ${NATIONAL_DIGITS_MIN} AND right(o.msisdn, length(${from})) = ${from})`
}

/**
 * Takes the receipts that came before these ids were known; `:line` '' means any line. From another line of the SMSC it
 * takes only those that name the subscriber: each line may number messages separately. `:own`: the key that is only the
 * reference. References repeat, so it counts only for this subscriber.
 */
export const TAKE_EARLY = statement<OrphanRow>(
  'receipt-early',
  `
  DELETE FROM sms_receipt_orphan
  WHERE message_key = ANY(ARRAY(SELECT jsonb_array_elements_text(CAST(:keys AS jsonb))))
    AND ((CAST(:line AS text) IN ('', line) AND message_key <> CAST(:own AS text)
        AND EXISTS (SELECT FROM sms_outbox o WHERE o.id = CAST(:sms AS bigint) AND ${isTo('sender')}))
      OR ((CAST(:line AS text) IN ('', line) OR line IN ${LINES_OF_SMSC})
        AND sender = (SELECT msisdn FROM sms_outbox WHERE id = CAST(:sms AS bigint))))
  RETURNING ${ORPHAN_COLUMNS}`,
)

/**
 * Receipts that may belong to an SMS without a response: with its reference; or without a reference, if no other SMS of
 * that subscriber is equally likely.
 */
export const POSSIBLE = statement<OrphanRow>(
  'receipt-possible',
  `
  SELECT ${ORPHAN_COLUMNS} FROM sms_receipt_orphan r
  WHERE r.sender = :msisdn AND r.received_at >= CAST(:submitted AS timestamptz) AND (CAST(:line AS text) = '' OR r.line IN ${LINES_OF_SMSC})
    AND (r.reference = CAST(:reference AS int) OR (r.reference IS NULL AND NOT EXISTS (
      SELECT FROM sms_outbox other WHERE other.msisdn = r.sender AND other.id <> CAST(:sms AS bigint)
        AND (other.state IN ('submitting', 'ambiguous') OR other.losses > 0)
        AND other.created_at <= r.received_at AND other.submitted_at > r.received_at - ${RIVAL})))
  ORDER BY r.reference NULLS LAST, r.received_at, r.id FOR UPDATE`,
)

export const DROP_ORPHANS = statement(
  'receipt-drop',
  `
  DELETE FROM sms_receipt_orphan WHERE id IN (SELECT CAST(jsonb_array_elements_text(CAST(:ids AS jsonb)) AS bigint))`,
)

/** A repeated receipt is stored once; one that says again that a part failed that was then sent again, never. */
export const KEEP_ORPHAN = statement<{ id: string }>(
  'receipt-keep',
  `
  INSERT INTO sms_receipt_orphan (line, message_id, message_key, sender, reference, state, error, received_at)
  SELECT CAST(:line AS text), CAST(:id AS text), CAST(:key AS text), CAST(:from AS text), CAST(:reference AS int),
    CAST(:state AS text), CAST(:error AS text), CAST(:now AS timestamptz)
  WHERE CAST(:state AS text) = 'delivered' OR NOT EXISTS (
    SELECT FROM sms_part_before b JOIN sms_outbox o ON o.id = b.sms
    WHERE b.message_key = CAST(:key AS text) AND b.line IN (CAST(:line AS text), '') AND ${isTo('CAST(:from AS text)')})
  ON CONFLICT DO NOTHING RETURNING id`,
)

/**
 * Only of an SMS to the subscriber that the receipt names. Ordered by: the id as given, the subscriber, its own line,
 * the newest (ids wrap). On another line a receipt must name its subscriber.
 */
export const FIND_PART = statement<PartRow>(
  'receipt-part',
  `
  SELECT ${PART_COLUMNS}
  FROM sms_part p JOIN sms_outbox o ON o.id = p.sms
  WHERE p.message_key = :key AND (p.line IN (:line, '') AND ${isTo('CAST(:from AS text)')}
    OR (o.msisdn = :from AND p.line IN ${LINES_OF_SMSC}))
  ORDER BY p.message_id = :id DESC, o.msisdn = :from DESC, p.line = :line DESC, p.sms DESC
  LIMIT 1 FOR UPDATE OF o`,
)

/** Of which of `:keys` this subscriber has an SMS that waits for a receipt. */
export const FIND_OTHERS = statement<{ message_key: string }>(
  'receipt-others',
  `
  SELECT DISTINCT p.message_key FROM sms_part p JOIN sms_outbox o ON o.id = p.sms
  WHERE p.message_key = ANY(ARRAY(SELECT jsonb_array_elements_text(CAST(:keys AS jsonb)))) AND o.msisdn = CAST(:from AS text)
    AND p.line IN ${LINES_OF_SMSC} AND p.state = 'accepted'`,
)

/** The newest SMS to this subscriber with this reference, and an unsettled part of it. */
export const FIND_REFERENCE = statement<PartRow>(
  'receipt-reference',
  `
  SELECT ${PART_COLUMNS}
  FROM sms_part p JOIN sms_outbox o ON o.id = p.sms
  WHERE o.msisdn = :from AND o.id % 65535 + 1 = CAST(:reference AS int) AND (p.line IN (:line, '') OR p.line IN ${LINES_OF_SMSC})
  ORDER BY p.sms DESC, p.state = 'accepted' DESC, p.part
  LIMIT 1 FOR UPDATE OF o`,
)

/** Those of `settled` that a receipt of that kind still changes. */
const hears = (type: 'DELIVERED' | 'UNDELIVERED') =>
  `o.state IN (${statesHearing({ type })
    .map((state) => `'${state}'`)
    .join(', ')})`
const CHANGES = `CASE settled.state WHEN 'delivered' THEN ${hears('DELIVERED')} ELSE ${hears('UNDELIVERED')} END`

/** `n`: which receipt it was; the rest is of its SMS, as it is now. */
export interface SettledSms {
  n: number
  id: string
  kind: string
  msisdn: string
  attempts: number
  state: string
  error: string | null
}

/** `part`: that of an SMS in several parts, of which nothing was changed. Null: that of one part is settled. */
export type FoundSms = SettledSms & { part: number | null }

/**
 * Everything that the usual receipts do, in one statement for many: for SMS in one part, with their ids, on their
 * lines, from their subscribers. `:receipts` is `[{ n, key, id, line, sender, state, error }]`, each for another part.
 * One that is not told is another kind of receipt, or changes nothing. Those of SMS in several parts are only found:
 * SETTLE_PARTS settles them. (`parts < 2`: an equality would be rare to the planner, which then joins row by row.)
 */
export const SETTLE_SINGLES = statement<FoundSms>(
  'receipt-singles',
  `
  WITH found AS (
    SELECT g.n, g.state, g.error, f.sms, f.part, f.parts
    FROM jsonb_to_recordset(CAST(:receipts AS jsonb))
      AS g(n int, key text, id text, line text, sender text, state text, error text)
    CROSS JOIN LATERAL (
      SELECT p.sms, p.part, o.parts FROM sms_part p JOIN sms_outbox o ON o.id = p.sms
      WHERE p.message_key = g.key AND p.line = g.line AND o.msisdn = g.sender
      ORDER BY p.message_id = g.id DESC, p.sms DESC LIMIT 1 FOR UPDATE OF o
    ) f
  ), settled AS (
    UPDATE sms_part p SET state = found.state, told_at = CAST(:now AS timestamptz) FROM found
    WHERE p.sms = ANY(ARRAY(SELECT sms FROM found)) AND p.sms + 0 = found.sms AND p.part = found.part
      AND found.parts < 2 AND p.state = 'accepted'
    RETURNING p.sms, found.n, found.state, found.error
  ), done AS (
  UPDATE sms_outbox o SET state = CASE WHEN ${CHANGES} THEN settled.state ELSE o.state END,
    last_error = CASE WHEN ${CHANGES} THEN settled.error ELSE o.last_error END,
    settled_at = CASE WHEN ${CHANGES} THEN CAST(:now AS timestamptz) ELSE o.settled_at END
  FROM settled WHERE o.id = ANY(ARRAY(SELECT sms FROM settled)) AND o.id + 0 = settled.sms
  RETURNING settled.n, o.id, o.kind, o.msisdn, o.attempts, o.state, o.last_error AS error
  )
  SELECT n, id, CAST(NULL AS int) AS part, kind, msisdn, attempts, state, error FROM done
  UNION ALL SELECT n, sms, part, '', '', 0, '', NULL FROM found WHERE parts > 1`,
)

/** Locks these SMS, each in the same order everywhere. The next statement sees their parts as they are. */
export const HOLD_PARTS = statement<{ id: string }>(
  'receipt-hold',
  `
  SELECT id FROM sms_outbox WHERE id = ANY(CAST(:ids AS bigint[])) ORDER BY id FOR UPDATE`,
)

/** Of an SMS whose parts are not all settled, `state` is null. */
export type SettledPart = Omit<SettledSms, 'state'> & { state: string | null }

/**
 * Settles parts of SMS that HOLD_PARTS holds, and the SMS of which all parts are delivered, or one failed. `:receipts`
 * is `[{ n, sms, part, key, state, error }]`. One that is not told changes nothing.
 */
export const SETTLE_PARTS = statement<SettledPart>(
  'receipt-several',
  `
  WITH given AS (
    SELECT * FROM jsonb_to_recordset(CAST(:receipts AS jsonb))
      AS one(n int, sms bigint, part int, key text, state text, error text)
  ), settled AS (
    UPDATE sms_part p SET state = given.state, told_at = CAST(:now AS timestamptz) FROM given
    WHERE p.sms = ANY(ARRAY(SELECT sms FROM given)) AND p.sms + 0 = given.sms AND p.part = given.part
      AND p.message_key = given.key AND p.state = 'accepted'
    RETURNING p.sms, p.part, given.n, given.state, given.error
  ), whole AS (
    SELECT p.sms, count(*) AS parts, bool_or(COALESCE(s.state, p.state) = 'failed') AS has_failed,
      bool_and(COALESCE(s.state, p.state) = 'delivered') AS is_delivered,
      (array_agg(s.error ORDER BY s.n) FILTER (WHERE s.state = 'failed'))[1] AS error
    FROM sms_part p LEFT JOIN settled s ON s.sms = p.sms AND s.part = p.part
    WHERE p.sms = ANY(ARRAY(SELECT sms FROM settled)) GROUP BY p.sms
  ), done AS (
    UPDATE sms_outbox o SET state = CASE WHEN has_failed THEN 'failed' ELSE 'delivered' END,
      last_error = CASE WHEN has_failed THEN COALESCE(whole.error, o.last_error) END,
      settled_at = CAST(:now AS timestamptz)
    FROM whole WHERE o.id = ANY(ARRAY(SELECT sms FROM whole)) AND o.id + 0 = whole.sms
      AND CASE WHEN has_failed THEN ${hears('UNDELIVERED')}
        ELSE is_delivered AND whole.parts >= o.parts AND ${hears('DELIVERED')} END
    RETURNING o.id, o.kind, o.msisdn, o.attempts, o.state, o.last_error
  )
  SELECT s.n, s.sms AS id, done.kind, done.msisdn, done.attempts, done.state, done.last_error AS error
  FROM settled s LEFT JOIN done ON done.id = s.sms`,
)

/** One part of a known SMS. */
export const PART_AT = statement<PartRow>(
  'receipt-part-at',
  `
  SELECT ${PART_COLUMNS}
  FROM sms_part p JOIN sms_outbox o ON o.id = p.sms
  WHERE p.sms = CAST(:sms AS bigint) AND p.part = CAST(:part AS int) FOR UPDATE OF o`,
)

export const SETTLE_PART = statement(
  'receipt-settle-part',
  `
  UPDATE sms_part SET state = CAST(:state AS text), told_at = CAST(:now AS timestamptz)
  WHERE sms = CAST(:sms AS bigint) AND part = CAST(:part AS int)`,
)

/** The states of the parts of one SMS; `parts`: how many it has. */
export const PART_STATES = statement<{ state: PartState; parts: number }>(
  'receipt-part-states',
  `
  SELECT p.state, o.parts FROM sms_part p JOIN sms_outbox o ON o.id = p.sms WHERE p.sms = CAST(:sms AS bigint)`,
)

export const SETTLE_WHOLE = statement(
  'receipt-settle',
  `
  UPDATE sms_outbox SET state = CAST(:state AS text), last_error = CAST(:error AS text), settled_at = CAST(:now AS timestamptz)
  WHERE id = CAST(:sms AS bigint)`,
)

export const STATE_OF = statement<{ state: ReminderState }>(
  'sms-state',
  `
  SELECT state FROM sms_outbox WHERE id = CAST(:sms AS bigint)`,
)
