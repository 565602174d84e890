/**
 * What Postgres has of one subscriber within a time: two statements, each by an index of the number and the time,
 * whatever else is in the tables.
 */
import { statement, type SqlRunner, utcDayOf, uuidV7Ms } from '../base/index.ts'

/** Dialogues and refused dials, and SMS, of one question: more are cut, and the answer says so. */
export const FOUND_MAX = 200

/** How much earlier a dialogue may have begun that ended within the time. */
const BEFORE = `interval '1 hour'`

export interface RecordRow {
  epoch: string
  kind: string
  opened_at: string
  ended_at: string
  msisdn: string
  line: string
  code: string
  flow: string
  reason: string
  screen: string
  turns: number
  total_ms: number
  wait_ms: number
  backend_ms: number
  language: string
  channel: string
  instance: string
  path: string
  /** Absent: of a release that kept none. */
  calls: string | null
  detail: string
}

/** Exact texts of a dialogue, as they are kept. */
export interface TextsRow {
  day: string
  epoch: string
  kind: string
  sealed: string
}

interface Flow {
  revision: string
  source: string
}

type Said = { what: 'record'; said: RecordRow } | { what: 'flow'; said: Flow } | { what: 'texts'; said: TextsRow }

const COLUMNS = `epoch, kind, opened_at, ended_at, msisdn, line, code, flow, reason, screen, turns, total_ms, wait_ms,
      backend_ms, language, channel, instance, path, calls, detail`

/** What was found, the revisions with which it is redrawn, and what is kept word for word. */
const toldWith = (texts: string) => `
  SELECT 'record' AS what, to_jsonb(found) AS said FROM found
  UNION ALL
  SELECT 'flow', jsonb_build_object('revision', revision, 'source', source) FROM flow_revision
  WHERE revision = ANY(ARRAY(SELECT flow FROM found UNION SELECT jsonb_array_elements_text(CAST(:open AS jsonb))))
  UNION ALL
  SELECT 'texts', jsonb_build_object('day', day, 'epoch', epoch, 'kind', kind, 'sealed', sealed) FROM cdr_text
  WHERE ${texts}`

/** A day on either side: that of a record is that of its epoch. */
const IN_DAYS = `day >= CAST(CAST(:since AS timestamptz) AT TIME ZONE 'UTC' AS date) - 1
      AND day <= CAST(CAST(:until AS timestamptz) AT TIME ZONE 'UTC' AS date) + 1`

/** Planned each time, for the days that are asked for: a plan that is kept is one for all days, and there are 90. */
const UNNAMED = ''
/** Of so many days a plan is made once on each connection: to plan for most days takes as long as to look into them. */
const LONG_MS = 31 * 86_400_000

/**
 * The records, and with them the source of each revision on which a dialogue was, `:open` among them: those of
 * dialogues that are open.
 */
const recordsIn = (name: string) =>
  statement<Said>(
    name,
    `
  WITH found AS (
    SELECT ${COLUMNS}
    FROM cdr
    WHERE msisdn = CAST(:msisdn AS text) AND kind <> 'sms'
      AND ${IN_DAYS}
      AND opened_at >= CAST(:since AS timestamptz) - ${BEFORE} AND opened_at < CAST(:until AS timestamptz)
      AND ended_at >= CAST(:since AS timestamptz)
    ORDER BY opened_at DESC LIMIT ${FOUND_MAX + 1}
  )${toldWith(`msisdn = CAST(:msisdn AS text) AND ${IN_DAYS} AND epoch IN (SELECT epoch FROM found)`)}`,
  )
const RECORDS = recordsIn(UNNAMED)
const LONG_RECORDS = recordsIn('support-records-long')

/** One dialogue, and the deferred answer of it, by their key: the day is that of the epoch. */
const ONE = statement<Said>(
  UNNAMED,
  `
  WITH found AS (
    SELECT ${COLUMNS} FROM cdr
    WHERE day = CAST(:day AS date) AND epoch = CAST(:epoch AS text) AND kind IN ('dialogue', 'deferred', 'refused')
    ORDER BY opened_at, kind DESC
  )${toldWith(`day = CAST(:day AS date) AND epoch = CAST(:epoch AS text)`)}`,
)

export interface SupportSmsRow {
  id: string
  kind: string
  owner: string
  state: string
  line: string
  attempts: number
  created_at: Date
  wake_at: Date
  submitted_at: Date | null
  settled_at: Date | null
  status: number | null
  error: string | null
  parts: { part: number; state: string; id: string; at: string | null }[]
}

/** How long before the time an SMS may have been sent that was settled within it: SMSCs try for days. */
const SETTLES_WITHIN = `interval '7 days'`

/**
 * By `sms_outbox_left`, that is by when they were sent; those that were not sent are few. Of a subscriber who gets ten a
 * day, those of other weeks are not read.
 */
const SMS = statement<SupportSmsRow>(
  'support-sms',
  `
  SELECT id, kind, COALESCE(owner, 'module:' || split_part(subject, ':', 1)) AS owner, state,
    COALESCE(sent_line, line) AS line, attempts, created_at, wake_at, submitted_at, settled_at,
    last_status AS status, last_error AS error,
    COALESCE((SELECT jsonb_agg(jsonb_build_object('part', part, 'state', p.state, 'id', message_id, 'at', told_at) ORDER BY part)
      FROM sms_part p WHERE p.sms = o.id), '[]') AS parts
  FROM sms_outbox o
  WHERE msisdn = CAST(:msisdn AS text)
    AND (submitted_at >= CAST(:since AS timestamptz) - ${SETTLES_WITHIN} OR submitted_at IS NULL)
    AND (created_at >= CAST(:since AS timestamptz) OR submitted_at >= CAST(:since AS timestamptz)
      OR settled_at >= CAST(:since AS timestamptz) OR state IN ('due', 'submitting', 'ambiguous'))
    AND created_at < CAST(:until AS timestamptz)
  ORDER BY created_at DESC, id DESC LIMIT ${FOUND_MAX + 1}`,
)

export interface SubscriberAsked {
  msisdn: string
  sinceMs: number
  untilMs: number
  /** Revisions of open dialogues. */
  open: readonly string[]
}

export interface SubscriberFound {
  records: RecordRow[]
  /** By revision. */
  sources: Map<string, string>
  /** By kind and epoch, as `textsKey` has it. */
  texts: Map<string, TextsRow>
  sms: SupportSmsRow[]
  /** There was more. */
  isCut: boolean
}

/** Rejects if Postgres is unreachable. */
export async function rowsOfSubscriber(sql: SqlRunner, asked: SubscriberAsked): Promise<SubscriberFound> {
  const { msisdn } = asked
  const [since, until] = [new Date(asked.sinceMs), new Date(asked.untilMs)]
  const records = asked.untilMs - asked.sinceMs > LONG_MS ? LONG_RECORDS : RECORDS
  const said = await records(sql, { msisdn, since, until, open: JSON.stringify(asked.open) })
  const sms = await SMS(sql, { msisdn, since, until })
  const { records: found, ...more } = sorted(said)
  return {
    records: found.slice(0, FOUND_MAX).toReversed(),
    ...more,
    sms: sms.slice(0, FOUND_MAX).toReversed(),
    isCut: found.length > FOUND_MAX || sms.length > FOUND_MAX,
  }
}

/** By the epoch of a dialogue. Rejects if Postgres is unreachable. */
export async function rowsOfDialogue(
  sql: SqlRunner,
  { epoch, open }: { epoch: string; open: readonly string[] },
): Promise<RecordsFound> {
  const openedMs = uuidV7Ms(epoch)
  const day = openedMs === null ? null : utcDayOf(openedMs)
  return sorted(await ONE(sql, { day, epoch, open: JSON.stringify(open) }))
}

export type RecordsFound = Pick<SubscriberFound, 'records' | 'sources' | 'texts'>

export const textsKey = ({ kind, epoch }: Pick<TextsRow, 'kind' | 'epoch'>) => `${kind} ${epoch}`

function sorted(said: readonly Said[]): RecordsFound {
  const flows = said.flatMap((one) => (one.what === 'flow' ? [one.said] : []))
  const texts = said.flatMap((one) => (one.what === 'texts' ? [one.said] : []))
  return {
    records: said.flatMap((one) => (one.what === 'record' ? [one.said] : [])),
    sources: new Map(flows.map(({ revision, source }) => [revision, source])),
    texts: new Map(texts.map((row) => [textsKey(row), row])),
  }
}
