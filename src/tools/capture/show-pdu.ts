/**
 * One PDU for people: its fields in words, then its octets. Subscribers' numbers, and what is dialled behind a code,
 * are masked in both.
 */
import { payloadOf, readEnvelope } from '../../smpp/dialect/index.ts'
import { isKnown } from '../../smpp/pdu/index.ts'
import { decodeUcs2, blankDialled } from '../../ussd/index.ts'
import type { Captured } from './captured.ts'

/** Names of the parameters that USSD gateways use. (SMPP v3.4 §5.3.2, v5.0 §4.8.4) */
export const TLV_NAMES: Readonly<Record<number, string>> = {
  0x0005: 'dest_addr_subunit',
  0x0007: 'dest_bearer_type',
  0x0017: 'qos_time_to_live',
  0x001e: 'receipted_message_id',
  0x0202: 'source_subaddress',
  0x0203: 'dest_subaddress',
  0x0204: 'user_message_reference',
  0x020d: 'language_indicator',
  0x020c: 'sar_msg_ref_num',
  0x020e: 'sar_total_segments',
  0x020f: 'sar_segment_seqnum',
  0x0210: 'sc_interface_version',
  0x0423: 'network_error_code',
  0x0426: 'more_messages_to_send',
  0x0424: 'message_payload',
  0x0427: 'message_state',
  0x0501: 'ussd_service_op',
  0x1383: 'its_session_info',
}
/** Fields that are always 0 or empty in USSD. They are shown only if they are not. */
const QUIET = new Set([
  'protocol_id',
  'priority_flag',
  'schedule_delivery_time',
  'validity_period',
  'replace_if_present_flag',
  'sm_default_msg_id',
  'registered_delivery',
  'esm_class',
])
const NUMBER = /(?<!\d)\d{9,15}(?!\d)/g
/** The same number in UCS-2. */
const WIDE_NUMBER = /(?<!\0\d)(?:\0\d){9,15}(?!\0\d)/g
/** Hex digits of a text of digits, stars and hashes. */
const HEX_DIGITS = /(?:2a|23|3\d){4,}/gi
const CONTROL = /[\0-\x09\x0b\x0c\x0e-\x1f]/
const WIDE_CODINGS = new Set([0x08, 0x48])
const SHOWN = { first: 3, last: 2 }

/** `67570000001` becomes `675xxxxxx01`, with the same length. */
export function maskNumber(digits: string): string {
  const hidden = Math.max(0, digits.length - SHOWN.first - SHOWN.last)
  return digits.slice(0, SHOWN.first) + 'x'.repeat(hidden) + digits.slice(SHOWN.first + hidden)
}

/** Masks numbers of nine digits or more, and what is dialled behind a code (it may be a PIN). The length stays. */
export function maskNumbers(text: string): string {
  return blankDialled(text).replace(HEX_DIGITS, maskHex).replace(NUMBER, maskNumber)
}

function maskHex(hex: string): string {
  const said = Buffer.from(hex, 'hex').toString('latin1')
  const masked = maskNumbers(said)
  return masked === said ? hex : Buffer.from(masked, 'latin1').toString('hex')
}

/** Masks octets like `maskNumbers`, also in UCS-2 and in the Base64 of an envelope. */
export function maskOctets(octets: Buffer): Buffer {
  const plain = maskNumbers(octets.toString('latin1')).replace(WIDE_NUMBER, (wide) =>
    maskNumber(wide.replaceAll('\0', '')).replace(/./g, '\0$&'),
  )
  const inside = plain.replace(/:([A-Za-z0-9+/]{12,}={0,2})(?=\||$)/g, (whole, value: string) => {
    const text = Buffer.from(value, 'base64').toString('latin1')
    const masked = /^[\d*#]+$/.test(text) ? maskNumbers(text) : text
    return masked === text ? whole : `:${Buffer.from(masked, 'latin1').toString('base64')}`
  })
  return Buffer.from(inside, 'latin1')
}

type Shown = Pick<Captured, 'from' | 'pdu' | 'octets'>

/**
 * Several lines: the command, its fields, its parameters, its octets. `numbers`: as-they-are if they are masked
 * already, or may be seen.
 */
export function showPdu({ from, pdu, octets }: Shown, numbers: 'masked' | 'as-they-are' = 'masked'): string[] {
  const [text, bare] = numbers === 'masked' ? [maskNumbers, maskOctets] : [(it: string) => it, (it: Buffer) => it]
  const arrow = from === 'smsc' ? '<' : '>'
  const status = pdu.status === 0 ? '' : ` status 0x${pdu.status.toString(16).padStart(2, '0')}`
  const lines = [`${arrow} ${isKnown(pdu.command) ? pdu.command : 'unknown command'} ${pdu.sequence}${status}`]
  const fields = Object.entries(pdu.body)
    .filter(([name, value]) => name !== 'short_message' && !(QUIET.has(name) && (value === 0 || value === '')))
    .map(([name, value]) => `${name}=${typeof value === 'string' ? JSON.stringify(text(value)) : String(value)}`)
  if (fields.length > 0) lines.push(`    ${fields.join(' ')}`)
  for (const { tag, value } of pdu.tlvs) {
    const name = TLV_NAMES[tag] === undefined ? '' : ` ${TLV_NAMES[tag]}`
    if (tag !== 0x0424) {
      lines.push(`    0x${tag.toString(16).padStart(4, '0')}${name} = ${bare(value).toString('hex')}`)
    }
  }
  const said = payloadOf(pdu)
  const seen = text(sketch(said, Number(pdu.body.data_coding ?? 0)))
  if (said.length > 0) lines.push(`    text (${said.length} octets) ${JSON.stringify(seen)}`)
  return [...lines, `    ${bare(octets).toString('hex')}`]
}

/**
 * What the octets look like. The coding is not known yet; but controls in a text that claims to be UCS-2 are halves of
 * letters.
 */
function sketch(octets: Buffer, dataCoding: number): string {
  const latin = octets.toString('latin1')
  const isWide = WIDE_CODINGS.has(dataCoding) && octets.length % 2 === 0 && CONTROL.test(latin)
  if (isWide) return decodeUcs2(octets)
  const envelope = readEnvelope(latin)
  if (!envelope) return latin
  return [envelope.type, ...[...envelope.params].map(([name, value]) => `${name}=${value}`)].join(' | ')
}
