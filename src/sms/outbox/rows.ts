/**
 * The statements of the outbox. Each names the states that it may change, so that nothing changes a row twice; the
 * states come from the statechart.
 */
import { nextState, statesHearing, type ReminderEvent } from '../../../machines/reminder.ts'
import { statement } from '../../base/index.ts'
import { LOCKED_KEYS, storingParts } from './receipt-rows.ts'

export interface ClaimedRow {
  id: string
  msisdn: string
  text: string
  line: string
  kind: string
  quiet_zone: string | null
  due_at: Date
  expires_at: Date
  attempts: number
  losses: number
  /** Parts that the SMSC has already, and of how many. */
  taken: number[]
  parts: number
}

export interface OpenRow {
  id: string
  kind: string
  state: 'ambiguous'
  msisdn: string
  line: string
  losses: number
  submitted_at: Date
  wake_at: Date
  parts: number
  taken: number[]
}

const TAKEN = `ARRAY(SELECT part FROM sms_part WHERE sms = o.id ORDER BY part) AS taken`

/** The states in which an event means something, as a list of SQL. */
export function hearing(event: ReminderEvent): string {
  return statesHearing(event)
    .map((state) => `'${state}'`)
    .join(', ')
}

/** As the index has it. With a frozen calendar the other two conditions count; else it says the same as they do. */
const READY = `state = 'due' AND GREATEST(due_at, wake_at) <= GREATEST(CAST(:today AS timestamptz), CAST(:now AS timestamptz))
      AND due_at <= CAST(:today AS timestamptz) AND wake_at <= CAST(:now AS timestamptz)`

const EXPIRED = `state = 'due' AND expires_at <= CAST(:today AS timestamptz)
    AND (lease IS NULL OR wake_at <= CAST(:now AS timestamptz))`

/**
 * Whether there is anything to send, and anything else to see to: one question in place of five. Postgres guesses that
 * among thousands of due rows it meets one at once, and reads the table; asked for the first one, it takes the index.
 */
export const DUE = statement<{ send: boolean; upkeep: boolean }>(
  'sms-due',
  `
  SELECT (SELECT true FROM sms_outbox WHERE ${READY} ORDER BY GREATEST(due_at, wake_at), id LIMIT 1) IS NOT NULL AS send,
    EXISTS (SELECT FROM sms_outbox WHERE ${EXPIRED})
    OR EXISTS (SELECT FROM sms_outbox WHERE state = 'submitting' AND wake_at <= CAST(:now AS timestamptz))
    OR EXISTS (SELECT FROM sms_outbox WHERE state = 'ambiguous')
    OR EXISTS (SELECT FROM sms_outbox WHERE recall_at <= CAST(:now AS timestamptz) AND state <> 'submitting') AS upkeep`,
)

/** Leases `:limit` due rows to `:lease`; skips rows that another daemon is leasing. */
export const CLAIM = statement<ClaimedRow>(
  'sms-claim',
  `
  WITH pick AS (
    SELECT id FROM sms_outbox
    WHERE ${READY}
      AND line NOT IN (SELECT jsonb_array_elements_text(CAST(:paused AS jsonb)))
    ORDER BY GREATEST(due_at, wake_at), id LIMIT CAST(:limit AS int) FOR UPDATE SKIP LOCKED
  )
  UPDATE sms_outbox o SET lease = CAST(:lease AS text), wake_at = CAST(:until AS timestamptz)
  FROM pick WHERE o.id = pick.id
  RETURNING o.id, o.msisdn, o.text, o.kind, o.quiet_zone, o.due_at, o.expires_at, o.attempts, o.losses, o.parts, ${TAKEN},
    CASE WHEN o.parts > 1 THEN COALESCE(o.sent_line, o.line) ELSE o.line END AS line`,
)

/**
 * The last check before the octets leave: still our lease, still wanted. No row: do not send it. `:msisdn` is null if
 * opt-outs do not count.
 */
export const SUBMIT = statement<{ state: string; attempts: number }>(
  'sms-submit',
  `
  UPDATE sms_outbox o SET
    state = CASE WHEN away.msisdn IS NULL THEN '${nextState('due', { type: 'SUBMIT' })}'
      ELSE '${nextState('due', { type: 'CANCEL' })}' END,
    attempts = o.attempts + CASE WHEN away.msisdn IS NULL THEN 1 ELSE 0 END,
    submitted_at = CASE WHEN away.msisdn IS NULL THEN CAST(:now AS timestamptz) END,
    settled_at = CASE WHEN away.msisdn IS NULL THEN NULL ELSE CAST(:now AS timestamptz) END,
    wake_at = CAST(:until AS timestamptz)
  FROM (SELECT 1) one LEFT JOIN sms_opt_out away ON away.msisdn = CAST(:msisdn AS text)
  WHERE o.id = CAST(:id AS bigint) AND o.state IN (${hearing({ type: 'SUBMIT' })}) AND o.lease = :lease
  RETURNING o.state, o.attempts`,
)

/** One of several parts is about to leave: if this daemon dies, another one knows how many parts there are. */
export const TAKE_PART = statement<{ id: string }>(
  'sms-take-part',
  `
  UPDATE sms_outbox SET parts = CAST(:parts AS int), sent_line = CAST(:line AS text), wake_at = CAST(:until AS timestamptz)
  WHERE id = CAST(:id AS bigint) AND lease = :lease AND state = 'submitting'
  RETURNING id`,
)

/**
 * The result, written by the owner of the lease; a receipt may have been faster. With it the message ids of parts that
 * the SMSC accepted: `:ids` and `:keys`, as in STORE_PARTS.
 */
export const SETTLE_SMS = statement<{ id: string }>(
  'sms-settle',
  `
  WITH kept AS (
  UPDATE sms_outbox SET state = CAST(:state AS text), wake_at = CAST(:wake AS timestamptz),
    attempts = attempts - CAST(:uncounted AS int), losses = losses + CAST(:lost AS int),
    last_status = CAST(:status AS int), last_error = CAST(:error AS text),
    sent_line = COALESCE(CAST(:line AS text), sent_line), parts = COALESCE(CAST(:parts AS int), parts),
    settled_at = CASE WHEN CAST(:final AS boolean) THEN CAST(:now AS timestamptz) END
  WHERE id = CAST(:id AS bigint) AND lease = :lease AND state IN (${hearing({ type: 'ACCEPTED' })})
  RETURNING id
  ), stored AS (${storingParts('kept.id', 'FROM kept,')})
  SELECT id, ${LOCKED_KEYS} FROM kept`,
)

/** Postpones a leased row without a try. */
export const DEFER = statement<{ id: string }>(
  'sms-defer',
  `
  UPDATE sms_outbox SET wake_at = CAST(:wake AS timestamptz), lease = NULL
  WHERE id = CAST(:id AS bigint) AND lease = :lease AND state = 'due'
  RETURNING id`,
)

/** Rows whose daemon died or hung between sending and the response: nobody knows whether the octets left. */
export const LOSE = statement<{ id: string; kind: string }>(
  'sms-lose',
  `
  UPDATE sms_outbox SET state = '${nextState('submitting', { type: 'LOST' })}', losses = losses + 1,
    wake_at = CAST(:until AS timestamptz)
  WHERE state = 'submitting' AND wake_at <= CAST(:now AS timestamptz)
  RETURNING id, kind`,
)

export const EXPIRE = statement<{ id: string; kind: string }>(
  'sms-expire',
  `
  UPDATE sms_outbox SET state = '${nextState('due', { type: 'EXPIRE' })}', lease = NULL,
    settled_at = CAST(:now AS timestamptz)
  WHERE ${EXPIRED}
  RETURNING id, kind`,
)

/** Rows that a receipt may still settle, or that must be tried once more. */
export const AMBIGUOUS = statement<OpenRow>(
  'sms-ambiguous',
  `
  SELECT id, kind, state, msisdn, COALESCE(sent_line, line) AS line, losses, submitted_at, wake_at, parts, ${TAKEN}
  FROM sms_outbox o
  WHERE state = 'ambiguous' AND (wake_at <= CAST(:now AS timestamptz)
    OR EXISTS (SELECT FROM sms_receipt_orphan r WHERE r.sender = o.msisdn AND r.received_at >= o.submitted_at))
  ORDER BY wake_at LIMIT CAST(:limit AS int)`,
)

/** Locks one ambiguous row for its check. */
export const HOLD = statement<OpenRow>(
  'sms-hold',
  `
  SELECT id, kind, state, msisdn, COALESCE(sent_line, line) AS line, losses, submitted_at, wake_at, parts, ${TAKEN}
  FROM sms_outbox o WHERE id = CAST(:id AS bigint) AND state = 'ambiguous' FOR UPDATE`,
)

/** The end of the wait of one ambiguous row. */
export const RESOLVE = statement<{ id: string }>(
  'sms-resolve',
  `
  UPDATE sms_outbox SET state = CAST(:state AS text), wake_at = CAST(:wake AS timestamptz), lease = NULL,
    last_error = CAST(:error AS text), settled_at = CASE WHEN CAST(:final AS boolean) THEN CAST(:now AS timestamptz) END
  WHERE id = CAST(:id AS bigint) AND state = 'ambiguous'
  RETURNING id`,
)

/** No SMS to that subscriber before `:wake`: the queue of its handset is full. */
export const HOLD_BACK = statement<{ id: string }>(
  'sms-hold-back',
  `
  UPDATE sms_outbox SET wake_at = CAST(:wake AS timestamptz)
  WHERE msisdn = :msisdn AND state = 'due' AND wake_at < CAST(:wake AS timestamptz)
    AND (lease IS NULL OR wake_at <= CAST(:now AS timestamptz))
  RETURNING id`,
)

export interface RecallRow {
  id: string
  kind: string
  msisdn: string
  line: string
  message_ids: string[]
}

/** Takes the rows to cancel at the SMSC, until `:until`; drops rows that have ended meanwhile. */
export const RECALL = statement<RecallRow>(
  'sms-recall',
  `
  WITH pick AS (
    SELECT id FROM sms_outbox WHERE recall_at <= CAST(:now AS timestamptz) AND state <> 'submitting'
    ORDER BY recall_at LIMIT CAST(:limit AS int) FOR UPDATE SKIP LOCKED
  ), taken AS (
    UPDATE sms_outbox o SET
      recall_at = CASE WHEN o.state IN (${hearing({ type: 'RECALLED' })}) THEN CAST(:until AS timestamptz) END
    FROM pick WHERE o.id = pick.id
    RETURNING o.id, o.kind, o.msisdn, COALESCE(o.sent_line, o.line) AS line, o.recall_at
  )
  SELECT id, kind, msisdn, line, ARRAY(
    SELECT message_id FROM sms_part p WHERE p.sms = taken.id AND p.state = 'accepted' ORDER BY part) AS message_ids
  FROM taken WHERE recall_at IS NOT NULL`,
)

/** The result: cancelled, or to try again at `:again`, or neither. */
export const RECALLED = statement<{ id: string }>(
  'sms-recalled',
  `
  UPDATE sms_outbox SET recall_at = CAST(:again AS timestamptz),
    state = CASE WHEN CAST(:gone AS boolean) THEN '${nextState('accepted', { type: 'RECALLED' })}' ELSE state END,
    settled_at = CASE WHEN CAST(:gone AS boolean) THEN CAST(:now AS timestamptz) ELSE settled_at END
  WHERE id = CAST(:id AS bigint) AND state IN (${hearing({ type: 'RECALLED' })})
  RETURNING id`,
)
