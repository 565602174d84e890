/**
 * Rows in the binary format of COPY: of all ways into a table the one that costs a server and its client least
 * (docs/WHY.md, "What a record costs"). The values are those of a line (lines.ts). (PostgreSQL, "COPY", "Binary Format")
 */
import { asciiInto, oncePer } from '../base/index.ts'
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

/** The octets of a row of each of these, whose fields are in the order of the columns. */
export function copyOctets<Of>(columns: LineColumns, all: readonly Of[], fieldsOf: (one: Of) => readonly LineField[]) {
  const kinds = kindsOf(columns)
  at = 0
  room(HEAD.length)
  at += HEAD.copy(page, at)
  for (const one of all) {
    // Row by row: what is made for one is garbage at once.
    const fields = fieldsOf(one)
    room(2)
    at = page.writeInt16BE(kinds.length, at)
    for (let n = 0; n < kinds.length; n++) fieldInto(kinds[n]!, fields[n]!)
  }
  room(2)
  at = page.writeInt16BE(END, at)
  return Buffer.from(page.subarray(0, at))
}

/** A type of a column, with whether '' is null. */
interface Kind {
  type: string
  isNullable: boolean
}

const kindsOf = oncePer((columns: LineColumns): Kind[] =>
  Object.values(columns).map((type) => ({ type: type.replace('?', ''), isNullable: type.endsWith('?') })),
)

/** As `columnsOf` of lines.ts reads them. */
function fieldInto({ type, isNullable }: Kind, field: LineField): void {
  room(NUMBER_OCTETS)
  if (isNullable && (field === null || field === '')) at = page.writeInt32BE(NULL, at)
  else if (type === 'text') textInto(typeof field === 'string' ? field : String(field ?? ''))
  else if (type === 'int') intInto(Number(field))
  else if (type === 'bigint') bigintInto(Number(field))
  else if (type === 'timestamptz') bigintInto((Number(field) - SINCE_MS) * US_A_MS)
  else intInto(daysOf(String(field)))
}

/** Up to here a call of `write` costs more than the octets. */
const SHORT = 48

function textInto(text: string): void {
  const { length } = text
  room(4 + length * UNIT_OCTETS)
  const from = at + 4
  const octets = length <= SHORT && asciiInto(page, text, from) ? length : page.write(text, from)
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
