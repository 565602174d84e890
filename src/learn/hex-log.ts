/** A log of PDUs in hex, one a line, with whatever else the line says: a time, a direction. */
import type { Frame, Side } from './captured.ts'

export interface HexLog {
  frames: Frame[]
  /** Lines that hold hex but no whole PDU: their numbers, from 1. */
  bad: number[]
}

/** 16 octets of header at least; octets may stand apart. */
const HEX = /(?:0x)?((?:[0-9a-f]{2}[ :]?){16,})/i
/** Words for who wrote it, seen from the ESME: most logs are an ESME's. */
const WORDS: readonly (readonly [RegExp, Side])[] = [
  [/^\s*>|\b(?:out|tx|sent|send|esme)\b|->/i, 'esme'], [/^\s*<|\b(?:in|rx|recv|received|smsc)\b|<-/i, 'smsc'],
]
const TIME = /\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?/
/** Not three octets of hex with colons between. */
const CLOCK = /(?<![:\da-f])(\d\d):(\d\d):(\d\d)(?:[.,](\d{1,3})\d*)?(?![:\da-f])/i
/** A line without a time is so much later than the one before. */
const LINE_MS = 1_000

/** Lines without hex are passed over. */
export function readHexLog(text: string): HexLog {
  const log: HexLog = { frames: [], bad: [] }
  let atMs = 0
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    // The time first: its digits could be octets.
    const bare = line.replace(TIME, '').replace(CLOCK, '')
    const found = HEX.exec(bare)
    if (!found) continue
    const octets = Buffer.from((found[1] as string).replace(/[^0-9a-f]/gi, ''), 'hex')
    const before = bare.slice(0, found.index)
    atMs = timeOf(line) ?? atMs + LINE_MS
    const frame = wholeOf(octets)
    if (!frame) {
      log.bad.push(i + 1)
      continue
    }
    const from = WORDS.find(([word]) => word.test(before))?.[1]
    log.frames.push({ atMs, link: 'log', octets: frame, ...(from ? { from } : {}) })
  }
  return log
}

function wholeOf(octets: Buffer): Buffer | undefined {
  if (octets.length < 16) return undefined
  const length = octets.readUInt32BE(0)
  return length === octets.length ? octets : undefined
}

function timeOf(before: string): number | undefined {
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
