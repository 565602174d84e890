/** The statements of receipts: parts of SMS by their message id, and receipts that match no SMS yet. */
import { statement } from '../../base/index.ts'
import { nextState, statesHearing, type ReminderState } from '../../../machines/reminder.ts'
import type { Receipt } from './types.ts'

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
}

/** How long a lost attempt may still be the one that a receipt is about. */
const RIVAL = `interval '1 day'`

const ORPHAN = 'id, line, message_id, message_key, sender, state, error, reference'

/** A receipt and its response may be stored at the same moment without seeing each other: a lock puts them in order. */
export const LOCK_KEY = statement('receipt-lock', `SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))`)

/** The same for all of `:keys`, in the same order everywhere. What it guards is read by the next statement. */
export const LOCKED_KEYS = `(SELECT count(pg_advisory_xact_lock(hashtextextended('sms:' || key, 0))) FROM (
    SELECT key FROM jsonb_array_elements_text(CAST(:keys AS jsonb)) AS one(key) ORDER BY key COLLATE "C"
  ) sorted) AS locked`

/** Message ids of parts of an SMS: `:ids` is `[{ part, message_id, message_key }]`. */
export function storingParts(sms: string, from: string): string {
  return `
  INSERT INTO sms_part (sms, part, line, message_id, message_key)
  SELECT ${sms}, one.part, COALESCE(CAST(:line AS text), ''), one.message_id, one.message_key
  ${from} jsonb_to_recordset(CAST(:ids AS jsonb)) AS one(part int, message_id text, message_key text)
  ON CONFLICT DO NOTHING`
}

/** A receipt that came before is found by a statement of its own, behind the lock. */
export const STORE_PARTS = statement(
  'receipt-parts',
  `
  WITH stored AS (${storingParts('CAST(:sms AS bigint)', 'FROM')})
  SELECT ${LOCKED_KEYS}`,
)

/** `:linesOfSmsc`: lines of one SMSC, as a list; none: any line. */
const LINES_OF_SMSC = '(SELECT jsonb_array_elements_text(CAST(:linesOfSmsc AS jsonb)))'

/**
 * Takes the receipts that came before these ids were known; `:line` '' is any. On another line of the SMSC, only those
 * that name the subscriber: each line may number messages separately. `:own`: the key that is only the reference, which
 * repeats: only for this subscriber.
 */
export const TAKE_EARLY = statement<OrphanRow>(
  'receipt-early',
  `
  DELETE FROM sms_receipt_orphan
  WHERE message_key IN (SELECT jsonb_array_elements_text(CAST(:keys AS jsonb)))
    AND ((CAST(:line AS text) IN ('', line) AND message_key <> CAST(:own AS text))
      OR ((CAST(:line AS text) IN ('', line) OR line IN ${LINES_OF_SMSC})
        AND sender = (SELECT msisdn FROM sms_outbox WHERE id = CAST(:sms AS bigint))))
  RETURNING ${ORPHAN}`,
)

/**
 * Receipts that may belong to an SMS without a response: with its reference; or without one, if no other SMS of that
 * subscriber is as likely.
 */
export const POSSIBLE = statement<OrphanRow>(
  'receipt-possible',
  `
  SELECT ${ORPHAN} FROM sms_receipt_orphan r
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

/** A repeated receipt is stored once. */
export const KEEP_ORPHAN = statement<{ id: string }>(
  'receipt-keep',
  `
  INSERT INTO sms_receipt_orphan (line, message_id, message_key, sender, reference, state, error, received_at)
  VALUES (:line, :id, :key, :from, CAST(:reference AS int), :state, :error, CAST(:now AS timestamptz))
  ON CONFLICT DO NOTHING RETURNING id`,
)

/**
 * The id as given, then the subscriber, then its own line, then the newest: ids wrap. On another line only of that
 * subscriber.
 */
export const FIND_PART = statement<PartRow>(
  'receipt-part',
  `
  SELECT p.sms, p.part, p.state AS part_state, o.state
  FROM sms_part p JOIN sms_outbox o ON o.id = p.sms
  WHERE p.message_key = :key AND (p.line IN (:line, '') OR (o.msisdn = :from AND p.line IN ${LINES_OF_SMSC}))
  ORDER BY p.message_id = :id DESC, o.msisdn = :from DESC, p.line = :line DESC, p.sms DESC
  LIMIT 1 FOR UPDATE OF o`,
)

/** The newest SMS to that subscriber with that reference, and of its parts one that is not settled. */
export const FIND_REFERENCE = statement<PartRow>(
  'receipt-reference',
  `
  SELECT p.sms, p.part, p.state AS part_state, o.state
  FROM sms_part p JOIN sms_outbox o ON o.id = p.sms
  WHERE o.msisdn = :from AND o.id % 65535 + 1 = CAST(:reference AS int) AND (p.line IN (:line, '') OR p.line IN ${LINES_OF_SMSC})
  ORDER BY p.sms DESC, p.state = 'accepted' DESC, p.part
  LIMIT 1 FOR UPDATE OF o`,
)

const singleOf = (type: 'DELIVERED' | 'UNDELIVERED') => {
  const states = statesHearing({ type })
  const is = `o.state IN (${states.map((state) => `'${state}'`).join(', ')})`
  const to = nextState(states[0]!, { type })
  return statement<{ id: string }>(
    `receipt-single-${to}`,
    `
  WITH found AS (
    SELECT p.sms, p.part, o.parts FROM sms_part p JOIN sms_outbox o ON o.id = p.sms
    WHERE p.message_key = :key AND p.message_id = :id AND p.line = :line AND o.msisdn = :from
    ORDER BY p.sms DESC LIMIT 1 FOR UPDATE OF o
  ), settled AS (
    UPDATE sms_part p SET state = '${to}' FROM found
    WHERE p.sms = found.sms AND p.part = found.part AND p.state = 'accepted' AND found.parts = 1
    RETURNING p.sms
  )
  UPDATE sms_outbox o SET state = CASE WHEN ${is} THEN '${to}' ELSE o.state END,
    last_error = CASE WHEN ${is} THEN CAST(:error AS text) ELSE o.last_error END,
    settled_at = CASE WHEN ${is} THEN CAST(:now AS timestamptz) ELSE o.settled_at END
  FROM settled WHERE o.id = settled.sms
  RETURNING o.id`,
  )
}

/**
 * All that the usual receipt does, in one statement: of an SMS in one part, with its id, on its line, from its
 * subscriber. No row: it is another receipt, or no news. Of several parts each has to be seen behind the lock of the
 * SMS.
 */
export const SETTLE_SINGLE: Record<'delivered' | 'failed', ReturnType<typeof singleOf>> = {
  delivered: singleOf('DELIVERED'),
  failed: singleOf('UNDELIVERED'),
}

/** One part of an SMS that is known. */
export const PART_AT = statement<PartRow>(
  'receipt-part-at',
  `
  SELECT p.sms, p.part, p.state AS part_state, o.state
  FROM sms_part p JOIN sms_outbox o ON o.id = p.sms
  WHERE p.sms = CAST(:sms AS bigint) AND p.part = CAST(:part AS int) FOR UPDATE OF o`,
)

export const SETTLE_PART = statement(
  'receipt-settle-part',
  `
  UPDATE sms_part SET state = CAST(:state AS text) WHERE sms = CAST(:sms AS bigint) AND part = CAST(:part AS int)`,
)

/** The state of the parts of one SMS; `parts`: how many it has. */
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
