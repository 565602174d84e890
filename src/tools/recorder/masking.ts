/**
 * A PDU without what is personal in it, still valid and of the same length: numbers become others, always the same ones
 * under the same key; texts become as many x in their own coding; a password is blotted out. What was dialled behind a
 * service's code, and an answer that may be a secret, are blotted out even where numbers and texts may be seen.
 */
import { createHmac } from 'node:crypto'
import { withoutPassword } from '../../smpp/session/index.ts'
import { decode, encode, isResponse, UDHI } from '../../smpp/pdu/index.ts'
import type { Pdu, PduBody, Tlv } from '../../smpp/index.ts'
import { type CodeRoute, blankDialled, blankedCode, isServed } from '../../ussd/index.ts'
import { fillText } from './redact.ts'
import type { SeenMessage, RecordedPdu } from './ring.ts'

export interface Masking {
  mask(octets: Buffer, heard?: SeenMessage): Buffer
  /** With numbers and texts, but without what may be a PIN. */
  clear(recorded: Pick<RecordedPdu, 'octets' | 'from' | 'heard'>): Buffer
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
 * Two digits an octet, perhaps with a filler at the end: an IMSI or a number in a vendor's parameter. (3GPP TS 29.002
 * TBCD)
 */
const BCD_OCTETS_MIN = 4
const MESSAGES = new Set(['deliver_sm', 'data_sm', 'submit_sm'])
const ADDRESSES = ['source_addr', 'destination_addr', 'esme_addr'] as const

/** Without `routes` nobody knows whose code it is, and of each the first part is shown. */
export function createMasking(key: Buffer, routes?: readonly CodeRoute[]): Masking {
  function number(digits: string): string {
    const kept = digits.length >= LONG ? COUNTRY : 0
    const hash = createHmac('sha256', key).update('trace:').update(digits).digest()
    return (
      digits.slice(0, kept) + digits.slice(kept).replace(/\d/g, (_, at: number) => String(hash[at % hash.length]! % 10))
    )
  }
  const codes = (text: string): string => blankDialled(text, routes)
  const numbers = (text: string): string => codes(text).replace(NUMBER, number)

  /** `heard` undefined: a code of a service of ours was dialled; any other may be what somebody answered with. */
  function codeIn(heard: SeenMessage | undefined): (written: string) => string | null {
    return (written) => {
      const isDial = heard === 'code' || (heard === undefined && (routes === undefined || isServed(written, routes)))
      return isDial ? blankedCode(written, routes) : null
    }
  }

  function filled(text: Buffer, of: PduBody, heard: SeenMessage | undefined): Buffer {
    return fillText(text, {
      dataCoding: codingOf(of),
      header: (Number(of.esm_class) & UDHI) !== 0,
      code: codeIn(heard),
    })
  }

  function parameter({ tag, value }: Tlv, said: string, seen: (text: string) => string, isNumberSeen: boolean): Tlv {
    if (TECHNICAL.has(tag)) return { tag, value }
    const latin = value.toString('latin1')
    const isText = /^[\x20-\x7e]+\0?$/.test(latin.slice(/^[\x80-\xff]/.test(latin) ? 1 : 0))
    // Some networks say an answer twice.
    if (isText && said !== '' && tidy(latin) === said && !/^[*#]/.test(said))
      return { tag, value: Buffer.alloc(value.length, 'x') }
    if (isText) return { tag, value: Buffer.from(seen(latin), 'latin1') }
    const blanked = codes(latin)
    if (blanked !== latin) return { tag, value: Buffer.from(blanked, 'latin1') }
    return { tag, value: isNumberSeen ? value : maskBcd(value, number) }
  }

  /** `isClear`: numbers stay, and so do texts that may be seen. */
  function written({ body, tlvs }: Pick<Pdu, 'body' | 'tlvs'>, heard: SeenMessage | undefined, isClear: boolean) {
    const seen = isClear ? codes : numbers
    const isOpen = isClear && heard === 'open'
    const other: PduBody = { ...body }
    for (const name of ADDRESSES) {
      const value = body[name]
      if (typeof value === 'string') other[name] = seen(value)
    }
    const text = body.short_message
    if (text instanceof Buffer && !isOpen) other.short_message = filled(text, body, heard)
    const said = isOpen ? '' : tidy((payloadOf(body, tlvs) ?? Buffer.alloc(0)).toString('latin1'))
    return {
      body: other,
      tlvs: tlvs.map((one): Tlv => {
        if (one.tag === TAG.payload)
          return isOpen ? one : { tag: one.tag, value: filled(one.value, { ...body, esm_class: 0 }, heard) }
        if (one.tag === TAG.info) return isClear ? one : { tag: one.tag, value: Buffer.alloc(one.value.length, 'x') }
        return parameter(one, said, seen, isClear)
      }),
    }
  }

  function rewritten(octets: Buffer, pdu: Pdu, heard: SeenMessage | undefined, isClear: boolean): Buffer {
    if (octets.length === HEADER_OCTETS) return octets
    const coded = encode({ ...pdu, ...written(pdu, heard, isClear) })
    return 'octets' in coded ? padded(coded.octets, octets.length) : headerOnly(octets)
  }

  /** Nothing to blot out: as it was, to the octet. */
  function unlessSame(octets: Buffer, pdu: Pdu, heard: SeenMessage | undefined): Buffer {
    const [was, is] = [encode(pdu), encode({ ...pdu, ...written(pdu, heard, true) })]
    return 'octets' in was && 'octets' in is && was.octets.equals(is.octets)
      ? octets
      : rewritten(octets, pdu, heard, true)
  }

  return {
    number,
    mask(octets, heard) {
      const { pdu, fault } = decode(octets)
      if (isBind(pdu.command)) return withoutPassword(octets)
      // What cannot be read cannot be masked field by field.
      if (fault || pdu.command.startsWith('submit_multi')) return headerOnly(octets)
      return rewritten(octets, pdu, heard, false)
    },
    clear({ octets, from, heard }) {
      const { pdu, fault } = decode(octets)
      if (isBind(pdu.command)) return withoutPassword(octets)
      // Our own texts may be seen; only an address that was dialled comes back in what we send.
      if (from === 'esme') return fault || !MESSAGES.has(pdu.command) ? octets : unlessSame(octets, pdu, 'open')
      if (MESSAGES.has(pdu.command)) return fault ? headerOnly(octets) : unlessSame(octets, pdu, heard)
      return fault && !isResponse(pdu.command) ? headerOnly(octets) : octets
    },
  }
}

function isBind(command: string): boolean {
  return /^(bind_\w+|outbind)$/.test(command) && !command.endsWith('_resp')
}

function payloadOf(body: PduBody, tlvs: readonly Tlv[]): Buffer | undefined {
  const text = body.short_message
  return text instanceof Buffer && text.length > 0 ? text : tlvs.find(({ tag }) => tag === TAG.payload)?.value
}

/** Without what networks pad a text with. */
function tidy(latin: string): string {
  return latin.replace(/[\r\0@]+$/, '')
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
