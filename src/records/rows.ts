/** The statements of `cdr` (docs/RECORDS.md): a row that is written twice is one row. */
import { type Sql, type SqlRunner, sqlState, statement, utcDayOf, uuidV7Ms } from '../base/index.ts'
import type { CallRecord } from '../dialogue/index.ts'
import { copyOctets } from './copy-rows.ts'
import { addToFunnel } from './funnel-rows.ts'
import { funnelRows, type ScreenTold, screensTold } from './funnel.ts'
import { columnsOf, fieldsIn, type LineColumns, type LineField, sqlLines } from './lines.ts'

/** What goes into no file of mediation. */
export const NO_FILE = 0

const COLUMNS: LineColumns = {
  day: 'date',
  epoch: 'text',
  kind: 'text',
  opened_at: 'timestamptz',
  ended_at: 'timestamptz',
  msisdn: 'text',
  line: 'text',
  code: 'text',
  flow: 'text',
  reason: 'text',
  screen: 'text',
  turns: 'int',
  total_ms: 'bigint',
  wait_ms: 'bigint',
  backend_ms: 'bigint',
  language: 'text',
  channel: 'text',
  instance: 'text',
  path: 'text',
  calls: 'text?',
  parts: 'int',
  detail: 'text',
  file: 'bigint?',
}
const NAMES = Object.keys(COLUMNS).join(', ')

interface Written {
  n: number
  /** Those that are new, as `keyOf` has them. Null: all are. */
  fresh: string[] | null
}

const FRESH = `
  SELECT CAST(count(*) AS int) AS n, CASE WHEN count(*) < CAST(:given AS int) THEN array_agg(kind || ' ' || epoch) END AS fresh
  FROM written`

/** In the order of the key: two daemons at once never wait in a circle. */
const IN_ORDER = `
    ORDER BY day, epoch, kind
    ON CONFLICT DO NOTHING`

/** Answers which are new. */
const WRITE = statement<Written>(
  'cdr-write',
  `
  WITH written AS (
    INSERT INTO cdr (${NAMES}) SELECT ${columnsOf(COLUMNS)} FROM ${fieldsIn('rows')}${IN_ORDER}
    RETURNING epoch, kind
  )${FRESH}`,
)

/** The same, with the exact texts of those that are new. */
const WRITE_WITH_TEXTS = statement<Written>(
  'cdr-write-texts',
  `
  WITH given AS (
    SELECT ${columnsOf({ ...COLUMNS, sealed: 'text?' })} FROM ${fieldsIn('rows')}
  ), written AS (
    INSERT INTO cdr (${NAMES}) SELECT ${NAMES} FROM given${IN_ORDER}
    RETURNING day, epoch, kind
  ), texts AS (
    INSERT INTO cdr_text (day, epoch, kind, msisdn, sealed)
    SELECT day, epoch, kind, msisdn, sealed FROM given JOIN written USING (day, epoch, kind) WHERE sealed IS NOT NULL
    ON CONFLICT DO NOTHING
  )${FRESH}`,
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
  const withTexts = textsOf !== undefined && hasTexts(records)
  const rows = records.map((record) => {
    const day = dayOf(record)
    const fields = fieldsOf(record, day, fileOf(record))
    if (withTexts) fields.push(textsOf(record, day) ?? null)
    return fields
  })
  const write = withTexts ? WRITE_WITH_TEXTS : WRITE
  const [written] = await write(sql, { rows: sqlLines(rows), given: records.length })
  if (!written!.fresh) return written!.n === 0 ? [] : [...records]
  const fresh = new Set(written!.fresh)
  return records.filter((record) => fresh.delete(keyOf(record)))
}

const INTO = `cdr (${NAMES})`

/** Some of the rows were there, or Postgres refuses them as they are. */
class NotCopied extends Error {}

/** Writes records of which none should be there. Rejects with NotCopied: they have to be written the other way. */
async function copyRecords(trx: SqlRunner, records: readonly CallRecord[], fileOf: FileOf): Promise<void> {
  // In the order of the key, as above.
  const octets = copyOctets(COLUMNS, records.toSorted(byKey), (one) => fieldsOf(one, dayOf(one), fileOf(one)))
  try {
    await trx.copyIn!(INTO, octets)
  } catch (error) {
    // Classes 22 and 23: data exceptions, integrity violations.
    throw /^2[23]/.test(sqlState(error) ?? '') ? new NotCopied('', { cause: error }) : error
  }
}

/** The day is that of the epoch. */
function byKey(one: CallRecord, other: CallRecord): number {
  if (one.epoch === other.epoch) return one.kind < other.kind ? -1 : 1
  return one.epoch < other.epoch ? -1 : 1
}

function keyOf({ epoch, kind }: CallRecord): string {
  return `${kind} ${epoch}`
}

export interface RecordsCounting {
  fileOf: FileOf
  /** How exact texts are written. Absent: they are not. */
  textsOf?: TextsOf | undefined
  /** Nobody else should have written them, nor we: then COPY is tried first. */
  areNew?: boolean
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
export async function writeCounted(
  sql: Sql,
  records: readonly CallRecord[],
  { areNew = false, ...counting }: RecordsCounting,
): Promise<RecordsCounted> {
  try {
    return await counted(sql, records, { ...counting, areNew })
  } catch (error) {
    if (!(error instanceof NotCopied)) throw error
    return counted(sql, records, { ...counting, areNew: false })
  }
}

function counted(
  sql: Sql,
  records: readonly CallRecord[],
  { fileOf, textsOf, areNew = false, alsoIn }: RecordsCounting,
): Promise<RecordsCounted> {
  return sql.transaction(async (trx) => {
    const mayCopy = areNew && trx.copyIn !== undefined && !(textsOf && hasTexts(records))
    if (mayCopy) await copyRecords(trx, records, fileOf)
    const fresh = mayCopy ? [...records] : await writeRecords(trx, records, fileOf, textsOf)
    await alsoIn?.(trx, fresh)
    const { rows, folded } = funnelRows(fresh)
    await addToFunnel(trx, rows)
    return { fresh, folded, screens: screensTold(rows) }
  })
}

function hasTexts(records: readonly CallRecord[]): boolean {
  return records.some(({ texts }) => texts !== undefined)
}

/** In the order of COLUMNS. Without its texts: they go into no statement as they are. */
function fieldsOf(record: CallRecord, day: string, file: number | null): LineField[] {
  const { openedMs, endedMs } = record
  return [
    day,
    record.epoch,
    record.kind,
    openedMs,
    endedMs,
    record.msisdn,
    record.line,
    record.code,
    record.flow,
    record.reason,
    record.screen,
    record.turns,
    endedMs - openedMs,
    record.waitMs,
    record.backendMs,
    record.language,
    record.channel,
    record.instance,
    record.path,
    record.calls ?? null,
    0,
    record.detail,
    file,
  ]
}

const DAY_MS = 86_400_000
/** Records of a batch are of one day, or of two. */
let known = { n: Number.NaN, day: '' }

/** When it began, by its epoch: a record that is written again gets the same day. (UUIDv7, RFC 9562 §5.7) */
function dayOf({ epoch, openedMs }: CallRecord): string {
  const ms = uuidV7Ms(epoch) ?? openedMs
  const n = Math.floor(ms / DAY_MS)
  if (known.n !== n) known = { n, day: utcDayOf(ms) }
  return known.day
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
    INSERT INTO cdr (${NAMES})
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
const OF_ONE = SMS_SETTLED('cdr-sms-of', `msisdn = :msisdn AND (${SMS_IS_SETTLED} OR (${SMS_IS_UNRECEIPTED}))`)

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

/** The same for one subscriber, all of them: before their rows are removed. */
export async function recordSmsOf(
  sql: SqlRunner,
  msisdn: string,
  { instance, file, limit, beforeMs }: SmsRecording,
): Promise<number> {
  let written = 0
  for (let isMore = true; isMore;) {
    const [row] = await OF_ONE(sql, { msisdn, instance, file, limit, before: new Date(beforeMs) })
    written += row!.n
    isMore = row!.n === limit
  }
  return written
}
