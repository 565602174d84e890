/**
 * The statements of the outbox. Each names the states that it may change, so that nothing changes a row twice. The
 * states come from the statechart.
 */
import { nextState, statesHearing, type ReminderEvent } from '../../../machines/reminder.ts'
import { statement } from '../../base/index.ts'
import { ANSWER, ANSWER_ON_SCREEN, isUrgent, ORDINARY_URGENCY, SMS_CLASSES, URGENCY } from '../terms/index.ts'

export interface ClaimedRow {
  id: string
  /** `submitting`: it is to be sent now. `due`: put off until its quiet hours end. Else it is not wanted any more. */
  state: 'submitting' | 'due' | 'cancelled' | 'expired'
  lease: string
  /** It is as it was: its zone was not in `:quiet`, and has to be when it is claimed again. */
  is_again: boolean
  /** The line that it names, '' for any. `line` is the one to send it on: that of its first parts. */
  owed_line: string
  /** There may be more of its line and kind. */
  has_more: boolean
  /** Among how many lines and kinds its lane was shared. */
  kinds: number
  /** Since when it could leave; and the same to the microsecond. */
  moment_ms: number
  since: string
  msisdn: string
  text: string
  line: string
  kind: string
  quiet_zone: string | null
  expires_ms: number
  attempts: number
  losses: number
  /** The parts that the SMSC already has (null: none), and how many there are. */
  taken: number[] | null
  parts: number
  owner: string
  template: string | null
  tlvs: string | null
}

export type ExpiredRow = Pick<ClaimedRow, 'id' | 'kind' | 'msisdn' | 'line' | 'attempts'>

export interface OpenRow {
  id: string
  kind: string
  state: 'ambiguous'
  msisdn: string
  line: string
  attempts: number
  losses: number
  submitted_at: Date
  wake_at: Date
  parts: number
  taken: number[]
}

/** Who asked for the SMS `o`. Those of modules have their word before an id (`dental:17`). */
export const OWNER = `COALESCE(o.owner, 'module:' || split_part(o.subject, ':', 1))`

const TAKEN = `ARRAY(SELECT part FROM sms_part WHERE sms = o.id ORDER BY part)`

/** A moment as a number, which costs a tenth of a Date to read. */
const inMs = (moment: string) => `CAST(extract(epoch FROM ${moment}) * 1000 AS float8)`

/** The states in which an event has a meaning, as an SQL list. */
export function statesFor(event: ReminderEvent): string {
  return statesHearing(event)
    .map((state) => `'${state}'`)
    .join(', ')
}

const READY = `state = 'due' AND wake_at <= CAST(:now AS timestamptz)`

/** The lower bound is the condition of its index (migration 023), which no other search shall use. */
const EXPIRED = `state = 'due' AND expires_at > '-infinity' AND expires_at <= CAST(:today AS timestamptz)
    AND (lease IS NULL OR wake_at <= CAST(:now AS timestamptz))`

/**
 * Of a list in JSON, and of what a statement has found itself, Postgres expects hundreds of rows, and joins by reading
 * the whole table, if that was small when it made the plan. So such rows are found by this, and joined by `+ 0`.
 */
const byIds = (column: string, query: string) => `${column} = ANY(ARRAY(${query}))`

/** More lines and kinds than any outbox has: beyond them, SMS wait until others are sent. */
const GROUPS_MAX = 256

/** Each line and kind of which SMS are due, now or later: one look at the index for each; none unless `condition`. */
const dueGroupsIf = (condition: string) => `
  WITH RECURSIVE groups AS (
    (SELECT line, kind FROM sms_outbox WHERE state = 'due' AND ${condition} ORDER BY line, kind LIMIT 1)
    UNION ALL
    SELECT next.line, next.kind FROM groups CROSS JOIN LATERAL (
      SELECT line, kind FROM sms_outbox WHERE state = 'due' AND (line, kind) > (groups.line, groups.kind)
      ORDER BY line, kind LIMIT 1) next
  )`

export const DUE_GROUPS = dueGroupsIf('true')

/** `groups` as above; `ready`: those of which some may leave now, however many there are. */
const groupsIf = (condition: string) => `${dueGroupsIf(condition)}, ready AS (
    SELECT own.line, own.kind FROM (SELECT line, kind FROM groups LIMIT ${GROUPS_MAX}) own CROSS JOIN LATERAL (
      SELECT true FROM sms_outbox WHERE line = own.line AND kind = own.kind AND ${READY} ORDER BY wake_at, id LIMIT 1) one
  )`

/**
 * Whether there are SMS to send, and whether there is other work: one question in place of five. Without an order,
 * Postgres expects to find one of thousands of due rows at once and reads the table; asked for the first one, it uses
 * the index.
 */
export const DUE = statement<{ send: boolean; upkeep: boolean }>(
  'sms-due',
  `${groupsIf('true')}
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

/** Kinds that go out to those who opted out, too: they have asked for it. */
const UNREFUSED = [ANSWER, ANSWER_ON_SCREEN, ...SMS_CLASSES.filter(isUrgent)].map((kind) => `'${kind}'`).join(', ')

/**
 * Takes due rows, each into the state that it deserves: mostly `submitting`, under `:lease`. So a row is checked in the
 * statement that says that it is about to be sent, and has one version less than one that is leased first. Rows that
 * another daemon is taking are skipped.
 *
 * `:wants` says how many of each line, `:other` how many of all lines that it does not name. The most urgent kinds of a
 * line go first; those that are as urgent get equal shares: a million of one do not hold up another. A line that wants
 * none costs nothing, however much of it is due. `:heads` is `[{ line, kind, since, id }]`: only of these, and only what
 * is due behind that; null: of all. `:quiet` is the end of the quiet hours of each zone that is known, null outside of
 * them; `:services` is the service of each owner that has one: what was wished about it goes before what was wished
 * about all.
 */
export const CLAIM = statement<ClaimedRow>(
  'sms-claim',
  `${groupsIf('CAST(:heads AS jsonb) IS NULL')}, asked AS (
    SELECT line, kind, since, after_id, CASE WHEN CAST(:wants AS jsonb) ? line THEN line ELSE '' END AS lane,
      COALESCE(CAST(CAST(:wants AS jsonb) ->> line AS int), CAST(:other AS int)) AS most
    FROM (
      SELECT line, kind, CAST('-infinity' AS timestamptz) AS since, CAST(0 AS bigint) AS after_id FROM ready
      UNION ALL
      SELECT line, kind, since, id FROM jsonb_to_recordset(CAST(:heads AS jsonb))
        AS head(line text, kind text, since timestamptz, id bigint)) places
  ), shares AS (
    SELECT line, kind, since, after_id, lane, most, urgency, CAST(count(*) OVER (PARTITION BY lane) AS int) AS kinds,
      CAST(ceil(most / count(*) OVER (PARTITION BY lane, urgency)::float) AS int) AS share
    FROM (SELECT *, ${URGENT} AS urgency FROM asked WHERE most > 0) urgent
  ), pick AS (
    SELECT found.*, count >= share AS has_more, most, kinds, row_number() OVER (
      PARTITION BY lane ORDER BY urgency, found.nth, found.moment, found.id) AS place
    FROM shares CROSS JOIN LATERAL (
      SELECT locked.*, row_number() OVER (ORDER BY moment, id) AS nth, count(*) OVER () AS count FROM (
        SELECT o.id, o.wake_at AS moment, o.msisdn, o.kind, o.expires_at, o.quiet_zone, ${OWNER} AS owner FROM sms_outbox o
        WHERE line = shares.line AND kind = shares.kind AND ${READY} AND (wake_at, id) > (shares.since, shares.after_id)
        ORDER BY wake_at, id LIMIT shares.share FOR UPDATE SKIP LOCKED) locked) found
  ), fate AS (
    SELECT pick.id, moment, has_more, kinds, CAST(CAST(:quiet AS jsonb) ->> quiet_zone AS timestamptz) AS quiet_until, CASE
      WHEN away.is_out THEN '${nextState('due', { type: 'CANCEL' })}'
      WHEN expires_at <= CAST(:today AS timestamptz) THEN '${nextState('due', { type: 'EXPIRE' })}'
      WHEN quiet_zone IS NOT NULL AND (NOT CAST(:quiet AS jsonb) ? quiet_zone
        OR CAST(:quiet AS jsonb) ->> quiet_zone IS NOT NULL) THEN 'due'
      ELSE '${nextState('due', { type: 'SUBMIT' })}' END AS state
    FROM pick LEFT JOIN LATERAL (
      SELECT is_out FROM sms_opt_out WHERE msisdn = pick.msisdn
        AND service IN ('', COALESCE(CAST(:services AS jsonb) ->> pick.owner, ''))
      ORDER BY service DESC LIMIT 1) away ON pick.kind NOT IN (${UNREFUSED})
    WHERE place <= most
  )
  UPDATE sms_outbox o SET state = fate.state,
    lease = CASE WHEN fate.state = 'submitting' THEN CAST(:lease AS text) END,
    attempts = o.attempts + CASE WHEN fate.state = 'submitting' THEN 1 ELSE 0 END,
    submitted_at = CASE WHEN fate.state = 'submitting' THEN CAST(:now AS timestamptz) ELSE o.submitted_at END,
    settled_at = CASE WHEN fate.state NOT IN ('submitting', 'due') THEN CAST(:now AS timestamptz) END,
    wake_at = CASE fate.state WHEN 'submitting' THEN CAST(:until AS timestamptz)
      WHEN 'due' THEN COALESCE(fate.quiet_until, o.wake_at) ELSE o.wake_at END
  FROM fate WHERE ${byIds('o.id', 'SELECT id FROM fate')} AND o.id + 0 = fate.id
  RETURNING o.id, o.state, o.lease, o.msisdn, o.text, o.kind, o.quiet_zone, ${inMs('o.expires_at')} AS expires_ms,
    o.attempts, o.losses, o.parts, NULLIF(${TAKEN}, '{}') AS taken, ${OWNER} AS owner, o.template, o.tlvs,
    ${inMs('fate.moment')} AS moment_ms, CAST(fate.moment AS text) AS since, fate.state = 'due' AND fate.quiet_until IS NULL AS is_again,
    CASE WHEN o.parts > 1 THEN COALESCE(o.sent_line, o.line) ELSE o.line END AS line, o.line AS owed_line, fate.has_more, fate.kinds`,
)

/** So far it is looked whether anybody waits behind those of one subscriber: some hundredths of a second. */
const AHEAD_MAX = 5_000

/**
 * Puts the due SMS of subscribers who have many of one kind behind those of all others: `:crowds` is
 * `[{ line, kind, msisdn, alone }]`, `:each` how many of each at most. Of one who is `alone` only if others wait, or may.
 * `|| ''`: theirs are found by the MSISDN, and not among all that is due.
 */
export const PUT_BEHIND = statement<{ id: string }>(
  'sms-put-behind',
  `
  WITH behind AS (
    SELECT held.id FROM jsonb_to_recordset(CAST(:crowds AS jsonb)) AS crowd(line text, kind text, msisdn text, alone boolean)
    CROSS JOIN LATERAL (
      SELECT id FROM sms_outbox
      WHERE msisdn = crowd.msisdn AND submitted_at IS NULL AND line || '' = crowd.line AND kind || '' = crowd.kind
        AND state || '' = 'due' AND wake_at <= CAST(:now AS timestamptz)
      LIMIT CAST(:each AS int) FOR UPDATE SKIP LOCKED) held
    WHERE NOT crowd.alone OR (
      SELECT count(*) = ${AHEAD_MAX} OR bool_or(ahead.msisdn <> crowd.msisdn) FROM (
        SELECT msisdn FROM sms_outbox WHERE line = crowd.line AND kind = crowd.kind AND ${READY}
        ORDER BY wake_at, id LIMIT ${AHEAD_MAX}) ahead)
  )
  UPDATE sms_outbox o SET wake_at = CAST(:until AS timestamptz) WHERE ${byIds('o.id', 'SELECT id FROM behind')}
  RETURNING o.id`,
)

/** Message ids, each in the same order everywhere: the next statement reads what they protect. */
const LOCKED = `(SELECT count(pg_advisory_xact_lock(hashtextextended('sms:' || key, 0))) FROM (
    SELECT DISTINCT key COLLATE "C" AS key FROM jsonb_to_recordset(CAST(:keys AS jsonb)) AS one(key text) ORDER BY 1
  ) sorted) AS locked`

/** The accepted parts of the rows of an earlier part `kept(id, line)`. */
const STORED = `
    INSERT INTO sms_part (sms, part, line, message_id, message_key)
    SELECT kept.id, one.part, COALESCE(kept.line, ''), one.message_id, one.message_key
    FROM kept JOIN jsonb_to_recordset(CAST(:ids AS jsonb)) AS one(sms bigint, part int, message_id text, message_key text)
      ON one.sms = kept.id
    ON CONFLICT DO NOTHING`

/**
 * A part of each of these is about to be sent: if this daemon dies, another one knows how many parts there are, and
 * which its SMSC has. `:ids` and `:keys` are those of SETTLE_SMS.
 */
export const TAKE_PARTS = statement<{ id: string }>(
  'sms-take-parts',
  `
  WITH kept AS (
    UPDATE sms_outbox o SET parts = g.parts, sent_line = g.line, wake_at = CAST(:until AS timestamptz)
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS g(id bigint, lease text, line text, parts int)
    WHERE o.id = ANY(CAST(:taken AS bigint[])) AND o.id + 0 = g.id AND o.lease = g.lease AND o.state = 'submitting'
    RETURNING o.id, g.line
  ), stored AS (${STORED}
  )
  SELECT id, ${LOCKED} FROM kept`,
)

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
  ), stored AS (${STORED}
  )
  SELECT id, ${LOCKED} FROM kept`,
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
export const EXPIRE = statement<ExpiredRow>(
  'sms-expire',
  `
  UPDATE sms_outbox SET state = '${nextState('due', { type: 'EXPIRE' })}', lease = NULL,
    settled_at = CAST(:now AS timestamptz)
  WHERE id IN (SELECT id FROM sms_outbox WHERE ${EXPIRED}
    ORDER BY expires_at LIMIT CAST(:limit AS int) FOR UPDATE SKIP LOCKED)
  RETURNING id, kind, msisdn, line, attempts`,
)

/** Rows that a receipt may still settle, or that must be tried once more. */
export const AMBIGUOUS = statement<OpenRow>(
  'sms-ambiguous',
  `
  SELECT id, kind, state, msisdn, COALESCE(sent_line, line) AS line, attempts, losses, submitted_at, wake_at, parts, ${TAKEN} AS taken
  FROM sms_outbox o
  WHERE state = 'ambiguous' AND (wake_at <= CAST(:now AS timestamptz)
    OR EXISTS (SELECT FROM sms_receipt_orphan r WHERE r.sender = o.msisdn AND r.received_at >= o.submitted_at))
  ORDER BY wake_at LIMIT CAST(:limit AS int)`,
)

/** Locks one ambiguous row for its check. */
export const HOLD = statement<OpenRow>(
  'sms-hold',
  `
  SELECT id, kind, state, msisdn, COALESCE(sent_line, line) AS line, attempts, losses, submitted_at, wake_at, parts, ${TAKEN} AS taken
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
