/**
 * Rows in the binary format of COPY: of all ways into a table the one that costs a server and its client least
 * (docs/WHY.md, "What a record costs"). The values are those of a line (lines.ts). (PostgreSQL, "COPY", "Binary Format")
 */
import type { LineColumns, LineField } from './lines.ts'

/** The signature, no flags, and no further header. */
const HEAD = Buffer.from('5047434f50590aff0d0a000000000000000000', 'hex')
const END = -1
const NULL = -1
/** Postgres counts days and microseconds from 2000-01-01. */
const SINCE_MS = 946_684_800_000
const DAY_MS = 86_400_000
const US_A_MS = 1_000
const HIGH = 4_294_967_296
/** The most octets of one UTF-16 unit in UTF-8; of a number with its length. */
const [UNIT_OCTETS, NUMBER_OCTETS] = [3, 12]

let page = Buffer.allocUnsafeSlow(65_536)
let at = 0

/** The octets of these rows, whose fields are in the order of the columns. */
export function copyOctets(columns: LineColumns, rows: readonly (readonly LineField[])[]): Buffer {
  const types = Object.values(columns)
  at = 0
  room(HEAD.length)
  at += HEAD.copy(page, at)
  for (const row of rows) {
    room(2)
    at = page.writeInt16BE(types.length, at)
    for (let n = 0; n < types.length; n++) fieldInto(types[n]!, row[n]!)
  }
  room(2)
  at = page.writeInt16BE(END, at)
  return Buffer.from(page.subarray(0, at))
}

/** As `columnsOf` of lines.ts reads them: of a type with `?` is '' null. */
function fieldInto(type: string, field: LineField): void {
  if (type === 'text') return textInto(String(field ?? ''))
  room(NUMBER_OCTETS)
  if (type.endsWith('?')) {
    if (field === null || field === '') at = page.writeInt32BE(NULL, at)
    else fieldInto(type.slice(0, -1), field)
  } else if (type === 'int') intInto(Number(field))
  else if (type === 'bigint') bigintInto(Number(field))
  else if (type === 'timestamptz') bigintInto((Number(field) - SINCE_MS) * US_A_MS)
  else intInto(daysOf(String(field)))
}

function textInto(text: string): void {
  room(4 + text.length * UNIT_OCTETS)
  const octets = page.write(text, at + 4)
  at = page.writeInt32BE(octets, at) + octets
}

function intInto(value: number): void {
  at = page.writeInt32BE(4, at)
  at = page.writeInt32BE(value, at)
}

function bigintInto(value: number): void {
  const high = Math.floor(value / HIGH)
  at = page.writeInt32BE(8, at)
  at = page.writeInt32BE(high, at)
  at = page.writeUInt32BE(value - high * HIGH, at)
}

/** Rows of a batch are of one day, or of two. */
let known = { day: '', days: 0 }

function daysOf(day: string): number {
  if (known.day !== day) known = { day, days: (Date.parse(day) - SINCE_MS) / DAY_MS }
  return known.days
}

function room(octets: number): void {
  if (at + octets <= page.length) return
  const larger = Buffer.allocUnsafeSlow((at + octets) * 2)
  page.copy(larger, 0, 0, at)
  page = larger
}
