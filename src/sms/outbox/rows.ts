/**
 * The statements of the outbox. Each names the states that it may change, so that nothing changes a row twice. The
 * states come from the statechart.
 */
import { nextState, statesHearing, type ReminderEvent } from '../../../machines/reminder.ts'
import { statement } from '../../base/index.ts'
import { ANSWER, ANSWER_ON_SCREEN } from './types.ts'
import { isUrgent, ORDINARY_URGENCY, SMS_CLASSES, URGENCY } from './when.ts'

export interface ClaimedRow {
  id: string
  /** The line that it names, '' for any. `line` is the one to send it on: that of its first parts. */
  owed_line: string
  /** How many of its line and kind were asked for. */
  share: number
  msisdn: string
  text: string
  line: string
  kind: string
  quiet_zone: string | null
  due_at: Date
  expires_at: Date
  attempts: number
  losses: number
  /** The parts that the SMSC already has, and how many there are. */
  taken: number[]
  parts: number
  owner: string
  template: string | null
  tlvs: string | null
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

/** Who asked for the SMS `o`. Those of modules have their word before an id (`dental:17`). */
export const OWNER = `COALESCE(o.owner, 'module:' || split_part(o.subject, ':', 1))`

const TAKEN = `ARRAY(SELECT part FROM sms_part WHERE sms = o.id ORDER BY part) AS taken`

/** The states in which an event has a meaning, as an SQL list. */
export function statesFor(event: ReminderEvent): string {
  return statesHearing(event)
    .map((state) => `'${state}'`)
    .join(', ')
}

/** Written as in the index. With a frozen calendar the other two conditions matter; otherwise they say the same. */
const READY = `state = 'due' AND GREATEST(due_at, wake_at) <= GREATEST(CAST(:today AS timestamptz), CAST(:now AS timestamptz))
      AND due_at <= CAST(:today AS timestamptz) AND wake_at <= CAST(:now AS timestamptz)`

const EXPIRED = `state = 'due' AND expires_at <= CAST(:today AS timestamptz)
    AND (lease IS NULL OR wake_at <= CAST(:now AS timestamptz))`

/**
 * Of a list in JSON, and of what a statement has found itself, Postgres expects hundreds of rows, and joins by reading
 * the whole table, if that was small when it made the plan. So such rows are found by this, and joined by `+ 0`.
 */
const byIds = (column: string, query: string) => `${column} = ANY(ARRAY(${query}))`

const BY_MOMENT = 'ORDER BY GREATEST(due_at, wake_at), id'

/** More lines and kinds than any outbox has: beyond them, SMS wait until others are sent. */
const GROUPS_MAX = 256

/** Each line and kind of which SMS are due, now or later: one look at the index for each, however many there are. */
const GROUPS = `
  WITH RECURSIVE groups AS (
    (SELECT line, kind FROM sms_outbox WHERE state = 'due' ORDER BY line, kind LIMIT 1)
    UNION ALL
    SELECT next.line, next.kind FROM groups CROSS JOIN LATERAL (
      SELECT line, kind FROM sms_outbox WHERE state = 'due' AND (line, kind) > (groups.line, groups.kind)
      ORDER BY line, kind LIMIT 1) next
  ), ready AS (
    SELECT own.line, own.kind FROM (SELECT line, kind FROM groups LIMIT ${GROUPS_MAX}) own CROSS JOIN LATERAL (
      SELECT true FROM sms_outbox WHERE line = own.line AND kind = own.kind AND ${READY} ${BY_MOMENT} LIMIT 1) one
  )`

/**
 * Whether there are SMS to send, and whether there is other work: one question in place of five. Without an order,
 * Postgres expects to find one of thousands of due rows at once and reads the table; asked for the first one, it uses
 * the index.
 */
export const DUE = statement<{ send: boolean; upkeep: boolean }>(
  'sms-due',
  `${GROUPS}
  SELECT EXISTS (SELECT FROM ready) AS send,
    EXISTS (SELECT FROM sms_outbox WHERE ${EXPIRED})
    OR EXISTS (SELECT FROM sms_outbox WHERE state = 'submitting' AND wake_at <= CAST(:now AS timestamptz))
    OR EXISTS (SELECT FROM sms_outbox WHERE state = 'ambiguous')
    OR EXISTS (SELECT FROM sms_outbox WHERE recall_at <= CAST(:now AS timestamptz) AND state <> 'submitting') AS upkeep`,
)

/** How urgent a kind is. */
const URGENT = `CASE kind ${Object.entries(URGENCY)
  .map(([kind, urgency]) => `WHEN '${kind}' THEN ${urgency}`)
  .join(' ')} ELSE ${ORDINARY_URGENCY} END`

/**
 * Leases due rows to `:lease`; skips rows that another daemon is leasing. `:wants` says how many of each line, `:other`
 * how many of all lines that it does not name: a list, of each urgency and of what is more urgent. The kinds of a line
 * get equal shares: a campaign of a million does not hold up one answer. What a line wants none of costs nothing,
 * however much of it is due.
 */
export const CLAIM = statement<ClaimedRow>(
  'sms-claim',
  `${GROUPS}, asked AS (
    SELECT line, kind, urgency, CASE WHEN CAST(:wants AS jsonb) ? line THEN line ELSE '' END AS lane,
      CAST(COALESCE(CAST(:wants AS jsonb) -> line, CAST(:other AS jsonb)) ->> urgency AS int) AS most
    FROM (SELECT line, kind, ${URGENT} AS urgency FROM ready) kinds
  ), shares AS (
    SELECT line, kind, urgency, lane, most, CAST(ceil(most / count(*) OVER (PARTITION BY lane)::float) AS int) AS share
    FROM asked WHERE most > 0
  ), pick AS (
    SELECT found.id, share, most, row_number() OVER (
      PARTITION BY lane ORDER BY urgency, found.nth, found.moment, found.id) AS place
    FROM shares CROSS JOIN LATERAL (
      SELECT id, moment, row_number() OVER (ORDER BY moment, id) AS nth FROM (
        SELECT id, GREATEST(due_at, wake_at) AS moment FROM sms_outbox
        WHERE line = shares.line AND kind = shares.kind AND ${READY}
        ${BY_MOMENT} LIMIT shares.share FOR UPDATE SKIP LOCKED) locked) found
  )
  UPDATE sms_outbox o SET lease = CAST(:lease AS text), wake_at = CAST(:until AS timestamptz)
  FROM pick WHERE ${byIds('o.id', 'SELECT id FROM pick WHERE place <= most')} AND o.id + 0 = pick.id
  RETURNING o.id, o.msisdn, o.text, o.kind, o.quiet_zone, o.due_at, o.expires_at, o.attempts, o.losses, o.parts, ${TAKEN},
    ${OWNER} AS owner, o.template, o.tlvs,
    CASE WHEN o.parts > 1 THEN COALESCE(o.sent_line, o.line) ELSE o.line END AS line, o.line AS owed_line, pick.share`,
)

/** Rows of a claim, as two lists of the same length: of those Postgres expects ten, and looks each up by its id. */
const HELD = `unnest(CAST(:ids AS bigint[]), CAST(:leases AS text[])) AS held(id, lease)`

/** Kinds that go out to those who opted out, too: they have asked for it. */
const UNREFUSED = [ANSWER, ANSWER_ON_SCREEN, ...SMS_CLASSES.filter(isUrgent)].map((kind) => `'${kind}'`).join(', ')

/**
 * The last check before the octets are sent, of many at once: the lease is still ours, and the SMS is still wanted and
 * of use. A row that is not told: do not send it. `:services` is the service of each owner that has one: what was wished
 * about it goes before what was wished about all.
 */
export const SUBMIT = statement<{ id: string; state: string; attempts: number }>(
  'sms-submit',
  `
  WITH fate AS (
    SELECT o.id, held.lease, CASE
      WHEN away.is_out THEN '${nextState('due', { type: 'CANCEL' })}'
      WHEN o.expires_at <= CAST(:today AS timestamptz) THEN '${nextState('due', { type: 'EXPIRE' })}'
      ELSE '${nextState('due', { type: 'SUBMIT' })}' END AS state
    FROM ${HELD} JOIN sms_outbox o ON o.id = held.id
      LEFT JOIN LATERAL (
        SELECT is_out FROM sms_opt_out WHERE msisdn = o.msisdn
          AND service IN ('', COALESCE(CAST(:services AS jsonb) ->> ${OWNER}, ''))
        ORDER BY service DESC LIMIT 1) away ON o.kind NOT IN (${UNREFUSED})
  )
  UPDATE sms_outbox o SET state = fate.state,
    attempts = o.attempts + CASE WHEN fate.state = 'submitting' THEN 1 ELSE 0 END,
    submitted_at = CASE WHEN fate.state = 'submitting' THEN CAST(:now AS timestamptz) END,
    settled_at = CASE WHEN fate.state <> 'submitting' THEN CAST(:now AS timestamptz) END,
    wake_at = CAST(:until AS timestamptz)
  FROM fate WHERE o.id = fate.id AND o.lease = fate.lease AND o.state IN (${statesFor({ type: 'SUBMIT' })})
  RETURNING o.id, o.state, o.attempts`,
)

/** One of several parts is about to be sent: if this daemon dies, another one knows how many parts there are. */
export const TAKE_PART = statement<{ id: string }>(
  'sms-take-part',
  `
  UPDATE sms_outbox SET parts = CAST(:parts AS int), sent_line = CAST(:line AS text), wake_at = CAST(:until AS timestamptz)
  WHERE id = CAST(:id AS bigint) AND lease = :lease AND state = 'submitting'
  RETURNING id`,
)

/** Message ids, each in the same order everywhere: the next statement reads what they protect. */
const LOCKED = `(SELECT count(pg_advisory_xact_lock(hashtextextended('sms:' || key, 0))) FROM (
    SELECT DISTINCT key COLLATE "C" AS key FROM jsonb_to_recordset(CAST(:keys AS jsonb)) AS one(key text) ORDER BY 1
  ) sorted) AS locked`

/**
 * The results of many, written by the owners of the leases; a receipt may have been faster. They include the message
 * ids of the accepted parts: `:ids` is `[{ sms, part, message_id, message_key }]`, `:keys` is `[{ sms, key }]`.
 */
export const SETTLE_SMS = statement<{ id: string }>(
  'sms-settle',
  `
  WITH kept AS (
    UPDATE sms_outbox o SET state = g.state, wake_at = g.wake,
      attempts = o.attempts - g.uncounted, losses = o.losses + g.lost,
      last_status = g.status, last_error = g.error,
      sent_line = COALESCE(g.line, o.sent_line), parts = COALESCE(g.parts, o.parts),
      settled_at = CASE WHEN g.final THEN CAST(:now AS timestamptz) END
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS g(id bigint, lease text, state text, wake timestamptz, uncounted int,
      lost int, status int, error text, line text, parts int, final boolean)
    WHERE o.id = ANY(CAST(:settled AS bigint[])) AND o.id + 0 = g.id AND o.lease = g.lease AND o.state IN (${statesFor({ type: 'ACCEPTED' })})
    RETURNING o.id, g.line
  ), stored AS (
    INSERT INTO sms_part (sms, part, line, message_id, message_key)
    SELECT kept.id, one.part, COALESCE(kept.line, ''), one.message_id, one.message_key
    FROM kept JOIN jsonb_to_recordset(CAST(:ids AS jsonb)) AS one(sms bigint, part int, message_id text, message_key text)
      ON one.sms = kept.id
    ON CONFLICT DO NOTHING
  )
  SELECT id, ${LOCKED} FROM kept`,
)

/** Postpones leased rows without a try, each until its moment of `:wakes`. */
export const DEFER = statement<{ id: string }>(
  'sms-defer',
  `
  UPDATE sms_outbox o SET wake_at = late.wake, lease = NULL
  FROM unnest(CAST(:ids AS bigint[]), CAST(:wakes AS timestamptz[])) AS late(id, wake)
  WHERE o.id = late.id AND o.lease = CAST(:lease AS text) AND o.state = 'due'
  RETURNING o.id`,
)

/** Gives claimed rows back, to the place that they had. */
export const RELEASE = statement<{ id: string }>(
  'sms-release',
  `
  UPDATE sms_outbox o SET wake_at = o.created_at, lease = NULL FROM ${HELD}
  WHERE o.id = held.id AND o.lease = held.lease AND o.state = 'due'
  RETURNING o.id`,
)

/** Rows whose daemon died or hung between sending and the response: it is unknown whether the octets were sent. */
export const LOSE = statement<{ id: string; kind: string }>(
  'sms-lose',
  `
  UPDATE sms_outbox SET state = '${nextState('submitting', { type: 'LOST' })}', losses = losses + 1,
    wake_at = CAST(:until AS timestamptz)
  WHERE state = 'submitting' AND wake_at <= CAST(:now AS timestamptz)
  RETURNING id, kind`,
)

/** At most `:limit` rows: more would take longer than a statement may. */
export const EXPIRE = statement<{ id: string; kind: string }>(
  'sms-expire',
  `
  UPDATE sms_outbox SET state = '${nextState('due', { type: 'EXPIRE' })}', lease = NULL,
    settled_at = CAST(:now AS timestamptz)
  WHERE id IN (SELECT id FROM sms_outbox WHERE ${EXPIRED}
    ORDER BY expires_at LIMIT CAST(:limit AS int) FOR UPDATE SKIP LOCKED)
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

/** No SMS to these subscribers before their moments: the queues of their handsets are full. */
export const HOLD_BACK = statement<{ id: string }>(
  'sms-hold-back',
  `
  WITH full_ AS (SELECT * FROM jsonb_to_recordset(CAST(:full AS jsonb)) AS one(msisdn text, wake timestamptz))
  UPDATE sms_outbox o SET wake_at = full_.wake
  FROM full_ WHERE ${byIds('o.msisdn', 'SELECT msisdn FROM full_')} AND o.msisdn || '' = full_.msisdn AND o.state = 'due' AND o.wake_at < full_.wake
    AND (o.lease IS NULL OR o.wake_at <= CAST(:now AS timestamptz))
  RETURNING o.id`,
)

export interface RecallRow {
  id: string
  kind: string
  msisdn: string
  owner: string
  line: string
  message_ids: string[]
}

/** Takes the rows to cancel at the SMSC, until `:until`. Drops rows that have ended meanwhile. */
export const RECALL = statement<RecallRow>(
  'sms-recall',
  `
  WITH pick AS (
    SELECT id FROM sms_outbox WHERE recall_at <= CAST(:now AS timestamptz) AND state <> 'submitting'
    ORDER BY recall_at LIMIT CAST(:limit AS int) FOR UPDATE SKIP LOCKED
  ), taken AS (
    UPDATE sms_outbox o SET
      recall_at = CASE WHEN o.state IN (${statesFor({ type: 'RECALLED' })}) THEN CAST(:until AS timestamptz) END
    FROM pick WHERE o.id = pick.id
    RETURNING o.id, o.kind, o.msisdn, ${OWNER} AS owner, COALESCE(o.sent_line, o.line) AS line, o.recall_at
  )
  SELECT id, kind, msisdn, owner, line, ARRAY(
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
  WHERE id = CAST(:id AS bigint) AND state IN (${statesFor({ type: 'RECALLED' })})
  RETURNING id`,
)
