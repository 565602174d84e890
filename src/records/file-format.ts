/** What a file of call detail records looks like (docs/RECORDS.md): the same rows give the same octets. Pure. */

export type FileFormat = 'csv' | 'ndjson'
/** What a partner pays for: a session, each 20 or 120 seconds that began, each turn. */
export type BillingUnit = 'session' | '20s' | '120s' | 'step'

export interface FileRow {
  epoch: string
  kind: string
  opened_at: Date
  ended_at: Date
  msisdn: string
  line: string
  code: string
  flow: string
  reason: string
  turns: number
  /** As Postgres gives it. */
  total_ms: string
  parts: number
  language: string
  channel: string
}

const COLUMNS = [
  'epoch',
  'kind',
  'opened_at',
  'ended_at',
  'msisdn',
  'line',
  'code',
  'flow',
  'reason',
  'turns',
  'total_ms',
  'parts',
  'language',
  'channel',
  'unit',
  'units',
] as const

const SECOND_MS = 1_000

export function unitsOf({ kind, total_ms: totalMs, turns, parts }: FileRow, unit: BillingUnit): number {
  if (kind === 'sms') return Math.max(1, parts)
  if (unit === 'session') return 1
  if (unit === 'step') return Math.max(1, turns)
  // A dialogue that was over at once began its first unit.
  return Math.max(1, Math.ceil(Number(totalMs) / ((unit === '20s' ? 20 : 120) * SECOND_MS)))
}

/** The first line; '' if the format has none. */
export function headOf(format: FileFormat): string {
  return format === 'csv' ? `${COLUMNS.join(',')}\n` : ''
}

export function lineOf(row: FileRow, { format, unit }: { format: FileFormat; unit: BillingUnit }): string {
  const values = {
    ...row,
    opened_at: row.opened_at.toISOString(),
    ended_at: row.ended_at.toISOString(),
    total_ms: Number(row.total_ms),
    unit: row.kind === 'sms' ? 'part' : unit,
    units: unitsOf(row, unit),
  }
  const ordered = COLUMNS.map((column) => [column, values[column]] as const)
  if (format === 'ndjson') return `${JSON.stringify(Object.fromEntries(ordered))}\n`
  return `${ordered.map(([, value]) => cell(String(value))).join(',')}\n`
}

/** The last line: how many rows there are, and the SHA-256 of all octets before it. */
export function trailerOf(format: FileFormat, rows: number, sha256: string): string {
  return format === 'csv' ? `END,${rows},${sha256}\n` : `${JSON.stringify({ end: true, rows, sha256 })}\n`
}

/** `acme-00000017-20261130T101500Z.csv` */
export function fileNameOf(file: { partner: string; seq: string; cut_at: Date; format: FileFormat }): string {
  const at = file.cut_at.toISOString().replace(/[-:]|\.\d+/g, '')
  return `${file.partner}-${file.seq.padStart(8, '0')}-${at}.${file.format}`
}

/** Of one daemon alone: `acme@host-8080-00000017-20261130T101500Z.csv`. No partner has an @ in its name. */
export function ownFileNameOf(file: Parameters<typeof fileNameOf>[0] & { instance: string }): string {
  return fileNameOf({ ...file, partner: seriesOf(file) })
}

/** What the names of the files of one partner and one daemon begin with. */
export function seriesOf({ partner, instance }: { partner: string; instance: string }): string {
  return `${partner}@${instance.replaceAll(/[^A-Za-z0-9.]+/g, '-')}`
}

/** Quoted where it must be; a text that a spreadsheet would take for a formula is not one of ours. (RFC 4180) */
function cell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
