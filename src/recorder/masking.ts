/**
 * A PDU without what is personal in it, still valid and of the same length: numbers become others, always the same ones
 * under the same key; texts become as many x in their own coding; a password is blotted out.
 */
import { createHmac } from 'node:crypto'
import { withoutPassword } from '../smpp/bind-request.ts'
import { decode, encode } from '../smpp/codec.ts'
import { UDHI } from '../smpp/commands.ts'
import type { PduBody, Tlv } from '../smpp/types.ts'
import { fillText } from './filler.ts'

export interface Masking {
  mask(octets: Buffer): Buffer
  /** Other digits, as many, the first three kept where there are nine or more: they say the country. */
  number(digits: string): string
}

const HEADER_OCTETS = 16
/** Shorter ones are services: 123, 13579. */
const NUMBER = /\d{7,}/g
const LONG = 9
const COUNTRY = 3
const TAG = { payload: 0x0424, info: 0x001d, receipted: 0x001e }
/** Numbers that only the two ends give each other. */
const TECHNICAL = new Set([
  0x0005, 0x0006, 0x0007, 0x0008, 0x000d, 0x000e, 0x000f, 0x0010, 0x0017, 0x0019, TAG.receipted, 0x0030, 0x0201, 0x0204, 0x0205,
  0x020a, 0x020b, 0x020c, 0x020d, 0x020e, 0x020f, 0x0210, 0x0302, 0x0304, 0x0420, 0x0421, 0x0422, 0x0423, 0x0425, 0x0426, 0x0427,
  0x0428, 0x0501, 0x1380, 0x1383,
])
/** Two digits an octet, perhaps with a filler at the end: an IMSI or a number in a vendor's parameter. (3GPP TS 29.002 TBCD) */
const BCD_OCTETS_MIN = 4

export function createMasking(key: Buffer): Masking {
  function number(digits: string): string {
    const kept = digits.length >= LONG ? COUNTRY : 0
    const hash = createHmac('sha256', key).update('trace:').update(digits).digest()
    return digits.slice(0, kept) + digits.slice(kept).replace(/\d/g, (_, at: number) => String(hash[at % hash.length]! % 10))
  }
  const numbers = (text: string): string => text.replace(NUMBER, number)

  function body(of: PduBody): PduBody {
    const masked: PduBody = { ...of }
    for (const name of ['source_addr', 'destination_addr', 'esme_addr'] as const) {
      const value = of[name]
      if (typeof value === 'string') masked[name] = numbers(value)
    }
    const text = of.short_message
    if (text instanceof Buffer) {
      masked.short_message = fillText(text, { dataCoding: codingOf(of), header: (Number(of.esm_class) & UDHI) !== 0, number })
    }
    return masked
  }

  function tlv({ tag, value }: Tlv, of: PduBody): Tlv {
    if (tag === TAG.payload) return { tag, value: fillText(value, { dataCoding: codingOf(of), header: false, number }) }
    if (tag === TAG.info) return { tag, value: Buffer.alloc(value.length, 'x') }
    if (TECHNICAL.has(tag)) return { tag, value }
    const latin = value.toString('latin1')
    const isText = /^[\x20-\x7e]+\0?$/.test(latin.slice(/^[\x80-\xff]/.test(latin) ? 1 : 0))
    if (isText) return { tag, value: Buffer.from(numbers(latin), 'latin1') }
    return { tag, value: maskBcd(value, number) }
  }

  return {
    number,
    mask(octets) {
      const { pdu, fault } = decode(octets)
      if (/^(bind_\w+|outbind)$/.test(pdu.command) && !pdu.command.endsWith('_resp')) return withoutPassword(octets)
      // What cannot be read cannot be masked field by field.
      if (fault || pdu.command.startsWith('submit_multi')) return headerOnly(octets)
      if (octets.length === HEADER_OCTETS) return octets
      const coded = encode({ ...pdu, body: body(pdu.body), tlvs: pdu.tlvs.map((one) => tlv(one, pdu.body)) })
      return 'octets' in coded ? padded(coded.octets, octets.length) : headerOnly(octets)
    },
  }
}

function codingOf(body: PduBody): number {
  return Number(body.data_coding ?? 0)
}

/** Stray octets at the end are not decoded: as many, but zeros. */
function padded(octets: Buffer, length: number): Buffer {
  if (octets.length === length) return octets
  const whole = Buffer.alloc(length)
  octets.copy(whole)
  whole.writeUInt32BE(length, 0)
  return whole
}

function headerOnly(octets: Buffer): Buffer {
  const masked = Buffer.alloc(octets.length)
  octets.copy(masked, 0, 0, HEADER_OCTETS)
  return masked
}

function maskBcd(value: Buffer, number: (digits: string) => string): Buffer {
  const hex = value.toString('hex')
  // A first octet may say what kind of address follows.
  const found = /^(.{0,2}?)((?:\d\d)+(?:f\d|\df)?)$/.exec(hex)
  const digits = found?.[2]?.replace('f', '') ?? ''
  const isCounter = /^0{4}/.test(hex)
  if (!found || isCounter || digits.length / 2 < BCD_OCTETS_MIN) return value
  const others = [...number(digits)]
  return Buffer.from(found[1] + found[2]!.replace(/\d/g, () => others.shift()!), 'hex')
}
