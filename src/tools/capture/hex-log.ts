/**
 * A log of PDUs in hex: one or more per line, together with whatever else the line has (a time, a direction); or one
 * over several lines; or dumps with offsets, as xxd, hexdump -C and Wireshark's "follow" write them.
 */
import type { Frame, Side } from './captured.ts'
import { CAPTURED_FRAME_OCTETS_MAX, HEADER_OCTETS } from './reassembly.ts'

export interface HexLog {
  frames: Frame[]
  /** Lines with hex but without a whole PDU: their numbers, from 1. */
  bad: number[]
}

/** Words for the sender, seen from the ESME: most logs come from an ESME. */
const WORDS: readonly (readonly [RegExp, Side])[] = [
  [/^\s*>|\b(?:out|tx|sent|send|sending|esme)\b|->/i, 'esme'],
  [/^\s*<|\b(?:in|rx|recv|received|receiving|got|smsc)\b|<-/i, 'smsc'],
]
const TIME = /\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?/
/** Three octets of hex with colons between them must not match. */
const CLOCK = /(?<![:\da-f])(\d\d):(\d\d):(\d\d)(?:[.,](\d{1,3})\d*)?(?![:\da-f])/i
/** A line without a time counts as this much later than the line before. */
const LINE_MS = 1_000
/**
 * Where octets may begin, and the forms in which they continue: `0102`, `01 02`, `01:02`, `01-02`, `0x01, 0x02`,
 * `\x01\x02`.
 */
const START = /(?<![\da-z])(?:0x|\\x)?[\da-f]{2}/gi
const OCTETS = /(?:(?:0x|\\x)?[\da-f]{2}(?:, ?|[ :-])?)+/iy
const STARTS_MAX = 64
/** An offset, up to 16 octets, and perhaps the same octets in ASCII. */
const DUMP = /^(\s*)(?:0x)?([\da-f]{4,8}):? {1,2}((?:[\da-f]{2} {0,2}){1,16})(?:$|\s|\|)/i
/** What may stand before the rest of a PDU that began on the line before. */
const BEFORE_REST = /^[\s\d.,:;|<>-]*$/
/** Command ids of SMPP and of vendors. (SMPP v3.4 §5.1.2.1) */
const COMMANDS: readonly (readonly [number, number])[] = [
  [0, 0x0112],
  [0x0001_0200, 0x0001_02ff],
]

/** Where octets are collected: one direction, or one dump. */
interface Wire {
  held: Buffer
  /** The line where the collected octets began. */
  line: number
  atMs: number
  from: Side | undefined
}

interface Dump {
  octets: number
  wire: Wire
}

/** Lines without hex are skipped. */
export function readHexLog(text: string): HexLog {
  const log: HexLog = { frames: [], bad: [] }
  const wires = new Map<string, Wire>()
  const dumps = new Map<string, Dump>()
  // From the last line without hex: a dump has its time and its direction there.
  let heading: { atMs: number | undefined; from: Side | undefined } = { atMs: undefined, from: undefined }
  let atMs = 0

  function begin(key: string, line: number, from: Side | undefined): Wire {
    const before = wires.get(key)
    if (before) giveUp(before, log)
    const wire = { held: Buffer.alloc(0), line, atMs, from }
    wires.set(key, wire)
    return wire
  }

  function dumped({ indent, offset, octets }: DumpLine, line: number): boolean {
    const known = dumps.get(indent)
    if (offset !== 0 && offset !== known?.octets) return false
    if (offset === 0) {
      atMs = heading.atMs ?? atMs + LINE_MS
      const key = `${heading.from ?? ''}${indent}`
      dumps.set(indent, { octets: 0, wire: begin(key, line, heading.from) })
      heading = { atMs: undefined, from: undefined }
    }
    const dump = dumps.get(indent) as Dump
    if (dump.wire.held.length === 0) Object.assign(dump.wire, { line, atMs: offset === 0 ? atMs : (atMs += LINE_MS) })
    dump.octets += octets.length
    put(dump.wire, octets, log)
    return true
  }

  for (const [i, line] of text.split(/\r?\n/).entries()) {
    const dump = dumpOf(line)
    if (dump && dumped(dump, i + 1)) continue
    // Removes the time first: its digits could be octets.
    const bare = line.replace(TIME, '').replace(CLOCK, '')
    const found = octetsOf(bare)
    const from = sideOf(found?.isHeader ? bare.slice(0, found.at) : bare)
    const open = wires.get(from ?? '')
    if (found && open?.held.length && found.isRest && !isWhole(found.octets)) {
      put(open, found.octets, log)
    } else if (found?.isHeader) {
      atMs = timeOf(line) ?? atMs + LINE_MS
      put(begin(from ?? '', i + 1, from), found.octets, log)
    } else if (found && found.octets.length >= HEADER_OCTETS) {
      log.bad.push(i + 1)
    } else if (line.trim() !== '') {
      heading = { atMs: timeOf(line), from }
    }
  }
  for (const wire of wires.values()) giveUp(wire, log)
  log.bad.sort((a, b) => a - b)
  return log
}

/** Takes whole PDUs out of the octets of a wire. Octets that are not a PDU end there. */
function put(wire: Wire, octets: Buffer, log: HexLog): void {
  wire.held = Buffer.concat([wire.held, octets])
  while (wire.held.length >= HEADER_OCTETS && isHeader(wire.held)) {
    const length = wire.held.readUInt32BE(0)
    if (wire.held.length < length) return
    const { atMs, from } = wire
    log.frames.push({ atMs, link: 'log', octets: wire.held.subarray(0, length), ...(from ? { from } : {}) })
    wire.held = wire.held.subarray(length)
  }
  if (wire.held.length >= HEADER_OCTETS) giveUp(wire, log)
}

function giveUp(wire: Wire, log: HexLog): void {
  if (wire.held.length > 0 && log.bad.at(-1) !== wire.line) log.bad.push(wire.line)
  wire.held = Buffer.alloc(0)
}

interface DumpLine {
  indent: string
  offset: number
  octets: Buffer
}

function dumpOf(line: string): DumpLine | undefined {
  const [, indent, offset, hex] = DUMP.exec(line) ?? []
  if (indent === undefined || offset === undefined || hex === undefined) return undefined
  return { indent, offset: Number.parseInt(offset, 16), octets: Buffer.from(hex.replace(/ /g, ''), 'hex') }
}

interface Found {
  at: number
  octets: Buffer
  isHeader: boolean
  /** The line has nothing else: it may continue what the line before began. */
  isRest: boolean
}

/** The octets of a line that begin like a PDU; otherwise the longest octets. */
function octetsOf(line: string): Found | undefined {
  let longest: Found | undefined
  for (const { index: at } of [...line.matchAll(START)].slice(0, STARTS_MAX)) {
    OCTETS.lastIndex = at
    const written = OCTETS.exec(line)?.[0] ?? ''
    const octets = Buffer.from(written.replace(/0x|\\x|[^\da-f]/gi, ''), 'hex')
    const isRest = BEFORE_REST.test(line.slice(0, at)) && line.slice(at + written.length).trim() === ''
    const found = { at, octets, isHeader: octets.length >= HEADER_OCTETS && isHeader(octets), isRest }
    if (found.isHeader) return found
    if (octets.length > (longest?.octets.length ?? 0)) longest = found
  }
  return longest
}

function sideOf(words: string): Side | undefined {
  return WORDS.find(([word]) => word.test(words))?.[1]
}

function isWhole(octets: Buffer): boolean {
  return octets.length >= HEADER_OCTETS && isHeader(octets) && octets.readUInt32BE(0) === octets.length
}

function isHeader(octets: Buffer): boolean {
  const [length, command] = [octets.readUInt32BE(0), (octets.readUInt32BE(4) & 0x7fff_ffff) >>> 0]
  return (
    length >= HEADER_OCTETS &&
    length <= CAPTURED_FRAME_OCTETS_MAX &&
    COMMANDS.some(([first, last]) => command >= first && command <= last)
  )
}

export function timeOf(before: string): number | undefined {
  const full = TIME.exec(before)
  if (full) {
    const read = Date.parse(full[0].replace(' ', 'T').replace(',', '.'))
    if (!Number.isNaN(read)) return read
  }
  const clock = CLOCK.exec(before)
  if (!clock) return undefined
  const [, hours, minutes, seconds, parts = '0'] = clock
  return ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000 + Number(parts.padEnd(3, '0'))
}
