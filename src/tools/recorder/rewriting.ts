/** Writes a PDU again without personal data: with the same length, and still valid. */
import { encode, UDHI } from '../../smpp/pdu/index.ts'
import type { Pdu, PduBody, Tlv } from '../../smpp/index.ts'
import type { Personal } from './personal.ts'
import { fillText } from './redact.ts'
import type { SeenMessage } from './ring.ts'

const HEADER_OCTETS = 16
const TAG = { payload: 0x0424, info: 0x001d, receipted: 0x001e }
/** Numbers that only the two ends of the link exchange. */
const TECHNICAL = new Set([
  0x0005,
  0x0006,
  0x0007,
  0x0008,
  0x000d,
  0x000e,
  0x000f,
  0x0010,
  0x0017,
  0x0019,
  TAG.receipted,
  0x0030,
  0x0201,
  0x0204,
  0x0205,
  0x020a,
  0x020b,
  0x020c,
  0x020d,
  0x020e,
  0x020f,
  0x0210,
  0x0302,
  0x0304,
  0x0420,
  0x0421,
  0x0422,
  0x0423,
  0x0425,
  0x0426,
  0x0427,
  0x0428,
  0x0501,
  0x1380,
  0x1383,
])
/**
 * Two digits per octet, perhaps with a filler at the end: an IMSI, or a number in a vendor's parameter. (3GPP TS 29.002
 * TBCD)
 */
const BCD_OCTETS_MIN = 4
const ADDRESSES = ['source_addr', 'destination_addr', 'esme_addr'] as const

/** How a PDU is rewritten. */
export interface Rewriting {
  personal: Personal
  seen: SeenMessage | undefined
  /** Numbers stay, and so do texts that may be seen. */
  isClear: boolean
}

export function rewritten(octets: Buffer, pdu: Pdu, how: Rewriting): Buffer {
  if (octets.length === HEADER_OCTETS) return octets
  const coded = encode({ ...pdu, ...redacted(pdu, how) })
  return 'octets' in coded ? padded(coded.octets, octets.length) : headerOnly(octets)
}

/** If there is nothing to mask, the octets stay exactly the same. */
export function rewrittenUnlessSame(octets: Buffer, pdu: Pdu, how: Rewriting): Buffer {
  const [was, is] = [encode(pdu), encode({ ...pdu, ...redacted(pdu, how) })]
  return 'octets' in was && 'octets' in is && was.octets.equals(is.octets) ? octets : rewritten(octets, pdu, how)
}

function redacted({ body, tlvs }: Pick<Pdu, 'body' | 'tlvs'>, how: Rewriting): Pick<Pdu, 'body' | 'tlvs'> {
  const { personal, seen, isClear } = how
  const rewrite = isClear ? personal.codes : personal.numbers
  const isOpen = isClear && seen === 'open'
  const other: PduBody = { ...body }
  for (const name of ADDRESSES) {
    const value = body[name]
    if (typeof value === 'string') other[name] = rewrite(value)
  }
  const text = body.short_message
  if (text instanceof Buffer && !isOpen) other.short_message = filled(text, body, how)
  const said = isOpen ? '' : tidy((payloadOf(body, tlvs) ?? Buffer.alloc(0)).toString('latin1'))
  return {
    body: other,
    tlvs: tlvs.map((one): Tlv => {
      if (one.tag === TAG.payload)
        return isOpen ? one : { tag: one.tag, value: filled(one.value, { ...body, esm_class: 0 }, how) }
      if (one.tag === TAG.info) return isClear ? one : { tag: one.tag, value: Buffer.alloc(one.value.length, 'x') }
      return parameter(one, said, how)
    }),
  }
}

function filled(text: Buffer, of: PduBody, { personal, seen }: Rewriting): Buffer {
  return fillText(text, {
    dataCoding: codingOf(of),
    header: (Number(of.esm_class) & UDHI) !== 0,
    code: personal.codeIn(seen),
  })
}

/** `said`: the text of the message. Some networks send an answer twice. */
function parameter({ tag, value }: Tlv, said: string, { personal, isClear }: Rewriting): Tlv {
  if (TECHNICAL.has(tag)) return { tag, value }
  const latin = value.toString('latin1')
  const isText = /^[\x20-\x7e]+\0?$/.test(latin.slice(/^[\x80-\xff]/.test(latin) ? 1 : 0))
  if (isText && said !== '' && tidy(latin) === said && !/^[*#]/.test(said))
    return { tag, value: Buffer.alloc(value.length, 'x') }
  if (isText) return { tag, value: Buffer.from((isClear ? personal.codes : personal.numbers)(latin), 'latin1') }
  const blanked = personal.codes(latin)
  if (blanked !== latin) return { tag, value: Buffer.from(blanked, 'latin1') }
  return { tag, value: isClear ? value : maskBcd(value, personal.number) }
}

function payloadOf(body: PduBody, tlvs: readonly Tlv[]): Buffer | undefined {
  const text = body.short_message
  return text instanceof Buffer && text.length > 0 ? text : tlvs.find(({ tag }) => tag === TAG.payload)?.value
}

/** Without what networks append to a text. */
function tidy(latin: string): string {
  return latin.replace(/[\r\0@]+$/, '')
}

function codingOf(body: PduBody): number {
  return Number(body.data_coding ?? 0)
}

/** Stray octets at the end are not decoded: they become zeros. */
function padded(octets: Buffer, length: number): Buffer {
  if (octets.length === length) return octets
  const whole = Buffer.alloc(length)
  octets.copy(whole)
  whole.writeUInt32BE(length, 0)
  return whole
}

/** What cannot be read or written is masked as a whole. */
export function headerOnly(octets: Buffer): Buffer {
  const masked = Buffer.alloc(octets.length)
  octets.copy(masked, 0, 0, HEADER_OCTETS)
  return masked
}

function maskBcd(value: Buffer, number: (digits: string) => string): Buffer {
  const hex = value.toString('hex')
  // The first octet may give the type of the address that follows.
  const found = /^(.{0,2}?)((?:\d\d)+(?:f\d|\df)?)$/.exec(hex)
  const digits = found?.[2]?.replace('f', '') ?? ''
  const isCounter = /^0{4}/.test(hex)
  if (!found || isCounter || digits.length / 2 < BCD_OCTETS_MIN) return value
  const others = [...number(digits)]
  return Buffer.from(found[1] + found[2]!.replace(/\d/g, () => others.shift()!), 'hex')
}
