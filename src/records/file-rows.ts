/** The statements of files of call detail records: which rows are in which file, and who writes. */
import { type Sql, type SqlRunner, statement } from '../base/index.ts'
import type { BillingUnit, FileFormat, FileRow } from './file-format.ts'

/** What one partner gets. */
export interface Feed {
  partner: string
  /** Empty: those of all services. */
  codes: readonly string[]
  kinds: readonly string[]
  unit: BillingUnit
  format: FileFormat
}

/** What an SMS is for a feed: it has no service code. */
export const SMS_FILED = { kind: 'sms', code: '', channel: 'sms' }

/** The feed of a record: the first that has it, because it goes into one file. Test dials are billed to nobody. */
export function feedOf(feeds: readonly Feed[], { kind, code, channel }: typeof SMS_FILED): Feed | undefined {
  if (channel === 'test') return undefined
  return feeds.find(({ kinds, codes }) => kinds.includes(kind) && (codes.length === 0 || codes.includes(code)))
}

/** By the clock, so that cuts do not drift: files of five minutes are cut at the full five minutes. */
export function isCutDue(lastMs: number | undefined, nowMs: number, everyMs: number): boolean {
  const periodOf = (ms: number) => Math.floor(ms / everyMs)
  return lastMs === undefined || periodOf(lastMs) !== periodOf(nowMs)
}

export interface CutFile {
  id: string
  partner: string
  seq: string
  cut_at: Date
  format: FileFormat
  unit: BillingUnit
  rows: number
}

/** Rows of one file: at some thousand dialogues a second five minutes have more, and the next file follows at once. */
export const FILE_ROWS_MAX = 100_000
/** Rows that are read at once. */
const PAGE = 2_000
/** Rows that one statement gives to a file: a tenth of a second. */
const FILL_ROWS = 5_000

const LEASE = statement<{ holder: string }>(
  'cdr-writer',
  `
  INSERT INTO mediation_writer AS w (name, holder, until)
  VALUES ('files', CAST(:holder AS text), now() + CAST(:ms AS int) * interval '1 millisecond')
  ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
  WHERE w.holder = excluded.holder OR w.until < now()
  RETURNING holder`,
)

/** Whether this daemon writes now, and for so long. */
export async function holdsFiles(sql: SqlRunner, holder: string, ms: number): Promise<boolean> {
  return (await LEASE(sql, { holder, ms })).length > 0
}

const LAST = statement<{ seq: string; cut_at: Date; written: boolean }>(
  'cdr-file-last',
  `SELECT seq, cut_at, written_at IS NOT NULL AS written FROM mediation_file WHERE partner = :partner ORDER BY seq DESC LIMIT 1`,
)

const OPEN = statement<{ id: string }>(
  'cdr-file-cut',
  `
  INSERT INTO mediation_file (partner, seq, cut_at, format, unit, rows)
  VALUES (:partner, CAST(:seq AS bigint), CAST(:at AS timestamptz), :format, :unit, 0)
  RETURNING id`,
)

const FILL = statement<{ n: number }>(
  'cdr-file-fill',
  `
  WITH pick AS (
    SELECT day, epoch, kind FROM cdr
    WHERE file IS NULL AND kind IN (SELECT jsonb_array_elements_text(CAST(:kinds AS jsonb)))
      AND (CAST(:codes AS jsonb) = CAST('[]' AS jsonb) OR code IN (SELECT jsonb_array_elements_text(CAST(:codes AS jsonb))))
    LIMIT ${FILL_ROWS}
  ), filled AS (
    UPDATE cdr c SET file = CAST(:file AS bigint) FROM pick
    WHERE c.day = pick.day AND c.epoch = pick.epoch AND c.kind = pick.kind
    RETURNING 1
  ), told AS (
    UPDATE mediation_file SET rows = rows + (SELECT count(*) FROM filled) WHERE id = CAST(:file AS bigint)
  )
  SELECT CAST(count(*) AS int) AS n FROM filled`,
)

export interface LastFile {
  seq: number
  cutMs: number
  isWritten: boolean
}

/** When the last file of this partner was cut, and its number. */
export async function lastFile(sql: SqlRunner, partner: string): Promise<LastFile | null> {
  const [last] = await LAST(sql, { partner })
  return last ? { seq: Number(last.seq), cutMs: last.cut_at.getTime(), isWritten: last.written } : null
}

/** Gives the rows that wait to the next file, which may be empty. Answers how many. */
export function cutFile(sql: Sql, { partner, codes, kinds, unit, format }: Feed, seq: number, atMs: number) {
  return sql.transaction(async (trx) => {
    const [opened] = await OPEN(trx, { partner, seq, at: new Date(atMs), format, unit })
    const all = { kinds: JSON.stringify(kinds), codes: JSON.stringify(codes), file: opened!.id }
    let rows = 0
    for (let more = FILL_ROWS; more === FILL_ROWS && rows < FILE_ROWS_MAX; rows += more) {
      more = (await FILL(trx, all))[0]!.n
    }
    return rows
  })
}

const UNWRITTEN = statement<CutFile>(
  'cdr-file-unwritten',
  `SELECT id, partner, seq, cut_at, format, unit, rows FROM mediation_file WHERE written_at IS NULL ORDER BY id LIMIT 100`,
)

export function unwrittenFiles(sql: SqlRunner): Promise<CutFile[]> {
  return UNWRITTEN(sql, {})
}

const ROWS = statement<FileRow>(
  'cdr-file-rows',
  `
  SELECT epoch, kind, opened_at, ended_at, msisdn, line, code, flow, reason, turns, total_ms, parts, language, channel
  FROM cdr WHERE (file IS NULL OR file <> 0) AND file = CAST(:file AS bigint)
    AND (epoch, kind) > (CAST(:epoch AS text), CAST(:kind AS text))
  ORDER BY epoch, kind LIMIT ${PAGE}`,
)

/** The rows of a file, always in the same order. */
export async function* rowsOfFile(sql: SqlRunner, file: string): AsyncIterable<FileRow[]> {
  for (let [epoch, kind] = ['', '']; ;) {
    const page: FileRow[] = await ROWS(sql, { file, epoch, kind })
    if (page.length > 0) yield page
    if (page.length < PAGE) return
    ;({ epoch, kind } = page.at(-1)!)
  }
}

const WRITTEN = statement<{ id: string }>(
  'cdr-file-written',
  `
  UPDATE mediation_file SET written_at = CAST(:at AS timestamptz), sha256 = :sha256
  WHERE id = CAST(:file AS bigint) AND written_at IS NULL RETURNING id`,
)

export async function fileWritten(sql: SqlRunner, file: string, sha256: string, atMs: number): Promise<void> {
  await WRITTEN(sql, { file, sha256, at: new Date(atMs) })
}
