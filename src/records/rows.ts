/** The statements of `cdr` (docs/RECORDS.md): a row that is written twice is one row. */
import { type Sql, type SqlRunner, statement, utcDayOf, uuidV7Ms } from '../base/index.ts'
import type { CallRecord } from '../dialogue/index.ts'
import { addToFunnel } from './funnel-rows.ts'
import { funnelRows, type ScreenTold, screensTold } from './funnel.ts'

/** What goes into no file of mediation. */
export const NO_FILE = 0

const COLUMNS = [
  'day date',
  'epoch text',
  'kind text',
  'opened_at timestamptz',
  'ended_at timestamptz',
  'msisdn text',
  'line text',
  'code text',
  'flow text',
  'reason text',
  'screen text',
  'turns int',
  'total_ms bigint',
  'wait_ms bigint',
  'backend_ms bigint',
  'language text',
  'channel text',
  'instance text',
  'path text',
  'calls text',
  'parts int',
  'detail text',
]
const NAMES = COLUMNS.map((column) => column.split(' ')[0]).join(', ')

/** Answers with those that are new. In the order of the key: two daemons at once never wait in a circle. */
const WRITE = statement<{ epoch: string; kind: string }>(
  'cdr-write',
  `
  INSERT INTO cdr (${NAMES}, file)
  SELECT ${NAMES}, file FROM json_to_recordset(CAST(:rows AS json)) AS r(${COLUMNS.join(', ')}, file bigint)
  ORDER BY day, epoch, kind
  ON CONFLICT DO NOTHING
  RETURNING epoch, kind`,
)

/** The same, with the exact texts of those that are new. */
const WRITE_WITH_TEXTS = statement<{ epoch: string; kind: string }>(
  'cdr-write-texts',
  `
  WITH given AS (
    SELECT * FROM json_to_recordset(CAST(:rows AS json)) AS r(${COLUMNS.join(', ')}, file bigint, sealed text)
  ), written AS (
    INSERT INTO cdr (${NAMES}, file) SELECT ${NAMES}, file FROM given
    ORDER BY day, epoch, kind
    ON CONFLICT DO NOTHING
    RETURNING day, epoch, kind
  ), texts AS (
    INSERT INTO cdr_text (day, epoch, kind, msisdn, sealed)
    SELECT day, epoch, kind, msisdn, sealed FROM given JOIN written USING (day, epoch, kind) WHERE sealed IS NOT NULL
    ON CONFLICT DO NOTHING
  )
  SELECT epoch, kind FROM written`,
)

/** The exact texts of a record, sealed for its day. Undefined: it has none. */
export type TextsOf = (record: CallRecord, day: string) => string | undefined

/** The file of a record: null if it waits for one. */
export type FileOf = (record: CallRecord) => number | null

/** Writes records. Answers with those that were not there. */
export async function writeRecords(
  sql: SqlRunner,
  records: readonly CallRecord[],
  fileOf: FileOf,
  textsOf?: TextsOf,
): Promise<CallRecord[]> {
  const hasTexts = textsOf !== undefined && records.some(({ texts }) => texts !== undefined)
  const rows = records.map((record) => {
    const row = { ...rowOf(record), file: fileOf(record) }
    return hasTexts ? { ...row, sealed: textsOf(record, row.day) } : row
  })
  const written = await (hasTexts ? WRITE_WITH_TEXTS : WRITE)(sql, { rows: JSON.stringify(rows) })
  const fresh = new Set(written.map(({ epoch, kind }) => `${kind} ${epoch}`))
  return records.filter(({ epoch, kind }) => fresh.delete(`${kind} ${epoch}`))
}

export interface RecordsCounting {
  fileOf: FileOf
  /** How exact texts are written. Absent: they are not. */
  textsOf?: TextsOf | undefined
  /** What else is written for those that were not there, in the same transaction. */
  alsoIn?(trx: SqlRunner, fresh: readonly CallRecord[]): Promise<void>
}

export interface RecordsCounted {
  /** Those that were not there. */
  fresh: CallRecord[]
  /** Choices that the funnel counts together. */
  folded: number
  /** The screens that were new with them. */
  screens: ScreenTold[]
}

/**
 * Writes records, and adds those that were not there to the sums of the funnel: both or none, so that a record that
 * comes twice is counted once.
 */
export function writeCounted(
  sql: Sql,
  records: readonly CallRecord[],
  { fileOf, textsOf, alsoIn }: RecordsCounting,
): Promise<RecordsCounted> {
  return sql.transaction(async (trx) => {
    const fresh = await writeRecords(trx, records, fileOf, textsOf)
    await alsoIn?.(trx, fresh)
    const { rows, folded } = funnelRows(fresh)
    await addToFunnel(trx, rows)
    return { fresh, folded, screens: screensTold(rows) }
  })
}

/** Without its texts: they go into no statement as they are. */
function rowOf(record: CallRecord) {
  const { openedMs, endedMs, waitMs, backendMs, texts: _texts, ifLeft: _sms, ...same } = record
  return {
    ...same,
    day: utcDayOf(startOf(record)),
    opened_at: new Date(openedMs).toISOString(),
    ended_at: new Date(endedMs).toISOString(),
    total_ms: endedMs - openedMs,
    wait_ms: waitMs,
    backend_ms: backendMs,
    parts: 0,
  }
}

/** When it began, by its epoch: a record that is written again gets the same day. (UUIDv7, RFC 9562 §5.7) */
function startOf({ epoch, openedMs }: CallRecord): number {
  return uuidV7Ms(epoch) ?? openedMs
}

export const SMS_IS_SETTLED = `state IN ('delivered', 'failed', 'expired', 'cancelled')`
export const SMS_IS_UNRECEIPTED = `state = 'accepted' AND submitted_at < CAST(:before AS timestamptz)`
/** When an SMS met its end. */
export const SMS_OVER_AT = 'COALESCE(o.settled_at, o.submitted_at, o.created_at)'
/** The epoch and the duration of its record, from a row with that moment. */
export const SMS_EPOCH = `'sms-' || id || '-' || CAST(extract(epoch FROM over_at) * 1000 AS bigint)`
export const SMS_TOTAL_MS = 'GREATEST(0, CAST(extract(epoch FROM over_at - created_at) * 1000 AS bigint))'

/**
 * SMS that are settled, and those that an SMSC took so long ago that no receipt is waited for. One that is asked for
 * again under its key is settled once more, at another moment: that moment is in the epoch.
 */
const SMS_SETTLED = (name: string, settled: string) =>
  statement<{ n: number }>(
    name,
    `
  WITH pick AS (
    SELECT id FROM sms_outbox WHERE NOT recorded AND ${settled}
    ORDER BY state, submitted_at LIMIT CAST(:limit AS int) FOR UPDATE SKIP LOCKED
  ), marked AS (
    UPDATE sms_outbox o SET recorded = true FROM pick WHERE o.id = pick.id
    RETURNING o.*, ${SMS_OVER_AT} AS over_at
  ), written AS (
    INSERT INTO cdr (${NAMES}, file)
    SELECT CAST(over_at AT TIME ZONE 'UTC' AS date), ${SMS_EPOCH},
      'sms', created_at, GREATEST(created_at, over_at), msisdn, COALESCE(sent_line, line), '',
      COALESCE(owner, split_part(subject, ':', 1)), state, kind, attempts,
      ${SMS_TOTAL_MS}, 0, 0, '', 'sms',
      CAST(:instance AS text), '', CAST(NULL AS text), COALESCE(parts, 1), COALESCE(last_error, ''), CAST(:file AS bigint)
    FROM marked
    ON CONFLICT DO NOTHING
    RETURNING 1
  )
  SELECT CAST(count(*) AS int) AS n FROM marked`,
  )

const SETTLED = SMS_SETTLED('cdr-sms', SMS_IS_SETTLED)
const UNRECEIPTED = SMS_SETTLED('cdr-sms-accepted', SMS_IS_UNRECEIPTED)

export interface SmsRecording {
  instance: string
  file: number | null
  limit: number
  /** An SMS that was taken before this gets no receipt any more. */
  beforeMs: number
}

/** Writes the records of SMS that have none. Answers how many, and whether there may be more. */
export async function recordSms(
  sql: SqlRunner,
  { instance, file, limit, beforeMs }: SmsRecording,
): Promise<{ written: number; isMore: boolean }> {
  const settled = await SETTLED(sql, { instance, file, limit })
  const taken = await UNRECEIPTED(sql, { instance, file, limit, before: new Date(beforeMs) })
  const counts = [settled[0]!.n, taken[0]!.n]
  return { written: counts[0]! + counts[1]!, isMore: counts.some((n) => n === limit) }
}
