/**
 * What the daemon makes of octets, without its sockets: framer, codec, dialect, receipt, SMS, and the answers to them.
 * Throws where a promise of those is broken; a fault that they report is none.
 */
import { decode, decodeAny, encode, encodeResponse } from '../../src/smpp/pdu/codec.ts'
import { isResponse } from '../../src/smpp/pdu/commands.ts'
import { framer, type FramingFault } from '../../src/smpp/pdu/framer.ts'
import { readReceipt } from '../../src/sms/pdu/receipt.ts'
import { readSmsPart } from '../../src/sms/pdu/segments-join.ts'
import type { Dialect, Pdu } from '../../src/smpp/types.ts'
import type { Chance, UssdKind, UssdMessage } from '../../src/ussd/vocabulary.ts'

/** How many of each: frames, framing faults, refused bodies, and what dialects made of the rest. */
export type Eaten = Record<string, number>

/** Of the costly checks, how many are made. */
const SAMPLE = 0.05

export function eat(octets: Buffer, dialect: Dialect, chance: Chance, eaten: Eaten): void {
  const { frames, fault } = framed([octets])
  if (chance() < SAMPLE) sameInPieces(octets, frames, fault, chance)
  if (fault) count(eaten, 'framingFaults')
  for (const frame of frames) {
    count(eaten, 'frames')
    const { pdu, fault: bad } = decode(frame)
    if (chance() < SAMPLE) same('decode', decode(frame), decodeAny(frame))
    if (!isResponse(pdu.command)) encodeResponse(pdu.command, bad?.status ?? 0, pdu.sequence)
    if (bad && bad.status === 0) throw new Error(`a fault with the status ESME_ROK: ${bad.why}`)
    if (bad) count(eaten, 'refused')
    else understand(pdu, dialect, chance, eaten)
  }
}

export function framed(chunks: readonly Buffer[]): { frames: Buffer[]; fault: FramingFault | undefined } {
  const frames: Buffer[] = []
  const cutter = framer((frame) => void frames.push(Buffer.from(frame)))
  for (const chunk of chunks) {
    const fault = cutter.push(chunk)
    if (fault) return { frames, fault }
  }
  return { frames, fault: undefined }
}

/** The same octets in any pieces are the same frames. */
function sameInPieces(octets: Buffer, frames: Buffer[], fault: FramingFault | undefined, chance: Chance): void {
  const pieces: Buffer[] = []
  for (let at = 0; at < octets.length;) {
    const next = at + 1 + Math.floor(chance() * chance() * 40)
    pieces.push(octets.subarray(at, next))
    at = next
  }
  const again = framed(pieces)
  same(
    'frames',
    again.frames.map((frame) => frame.toString('hex')),
    frames.map((frame) => frame.toString('hex')),
  )
  same('framing fault', again.fault?.commandLength, fault?.commandLength)
}

function understand(pdu: Pdu, dialect: Dialect, chance: Chance, eaten: Eaten): void {
  const incoming = dialect.read(pdu)
  count(eaten, incoming.is)
  if (incoming.is === 'receipt') readReceipt(pdu, 'test')
  if (incoming.is === 'sms') readSmsPart(pdu)
  if (incoming.is === 'reject' && incoming.status === 0)
    throw new Error(`a rejection with the status ESME_ROK: ${incoming.why}`)
  if (incoming.is === 'ussd') reply(incoming.message, dialect, chance)
}

/** Nobody answers these: a field that is too long for an answer costs them nothing. */
const UNANSWERED: ReadonlySet<UssdKind> = new Set<UssdKind>(['abort', 'end', 'timeout'])

/** Whoever is understood, and waits for an answer, can be answered, also from what Redis kept. */
function reply(message: UssdMessage, dialect: Dialect, chance: Chance): void {
  if (!/^\d{1,15}$/.test(message.msisdn)) throw new Error(`not an MSISDN: ${JSON.stringify(message.msisdn)}`)
  if (chance() < SAMPLE) same('message', JSON.parse(JSON.stringify(message)), message)
  if (UNANSWERED.has(message.kind)) return
  const coded = encode(dialect.write({ action: 'end', text: 'Bye' }, message.returnPath).pdu)
  if ('fault' in coded) throw new Error(`no reply can be written: ${coded.fault}`)
}

function same(what: string, one: unknown, other: unknown): void {
  const [a, b] = [JSON.stringify(one), JSON.stringify(other)]
  if (a !== b) throw new Error(`${what}: not the same: ${a} ${b}`)
}

function count(eaten: Eaten, what: string): void {
  eaten[what] = (eaten[what] ?? 0) + 1
}
