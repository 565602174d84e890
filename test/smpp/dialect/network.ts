/**
 * A dialect from the network's end, for the tests of profiles: what a gateway of this kind
 * sends, and what it makes of our replies. Found by turning the profile's rules round, and always checked by
 * reading it back.
 */
import { uncodableAt } from '../../../src/ussd/gsm7.ts'
import { readCode } from '../../../src/ussd/service-code.ts'
import type { UssdAction, UssdKind } from '../../../src/ussd/vocabulary.ts'
import { compileDialect, payloadOf } from '../../../src/smpp/dialect/dialect.ts'
import {
  endBitInSession,
  getSession,
  putSession,
  tlvOf,
  uint,
  withEndBit,
  type Carrier,
  type PduTarget,
  type PduView,
} from '../../../src/smpp/dialect/carrier.ts'
import { readEnvelope, writeEnvelope } from '../../../src/smpp/dialect/envelope.ts'
import { matcher } from '../../../src/smpp/dialect/regex.ts'
import type { DialectCondition, DialectProfile, DialectPlace } from '../../../src/smpp/dialect/schema.ts'
import { codingOf, decodeText, encodeText } from '../../../src/smpp/dialect/text.ts'
import type { Dialect, Pdu, PduBody, Tlv } from '../../../src/smpp/types.ts'

/** What the network wants to say of a dialogue. */
export interface Speech {
  kind: UssdKind
  /** source_addr as this network writes it. */
  from: [number, number, string]
  /** The service's address: destination_addr where the profile leaves it free. */
  to: [number, number, string]
  /** Raw octets of the carrier (`mintSession`, or as the ESME sent it last); empty for none. */
  carrier: Buffer
  /** On begin: what was dialled. */
  code: string
  /** On input: what was typed. */
  text: string
  sequence: number
  /** On begin: 1, or 0 for a phase-1 handset. */
  beginOp?: number
  serviceType?: string
}

/** What the network makes of a reply. */
export interface Heard {
  action: UssdAction
  text: string
  carrier: Carrier
  dataCoding: number
  /** Octets of the text on the wire. */
  octets: number
}

type Say = (speech: Speech) => Pdu | null

const OPERATIONS: Record<UssdKind, readonly number[]> = {
  begin: [1, 0],
  input: [18, 2],
  'notify-ack': [19],
  end: [17, 32],
  abort: [33, 129, 18],
  timeout: [34],
}
const SERVICE_TYPES = ['USSD', 'BR', 'CR', 'CN', 'ER', 'AA', 'PSSRR', 'USSRC', 'RELC', '']
const ACTIONS: readonly UssdAction[] = ['continue', 'end', 'notify', 'push-end', 'abort', 'push-begin']
const TAG = { ussdServiceOp: 0x0501, messagePayload: 0x0424 }
const SHORT_MESSAGE_OCTETS_MAX = 254

/** The network's side of a profile. */
export function compileNetwork(profile: DialectProfile): { say: Say; hear: (pdu: Pdu) => Heard | null } {
  const dialect = compileDialect(profile)
  return { say: (speech) => say(profile, dialect, speech), hear: (pdu) => hear(profile, pdu) }
}

/** A PDU that the dialect reads as this; null where the gateway has no way to say it. */
function say(profile: DialectProfile, dialect: Dialect, speech: Speech): Pdu | null {
  for (const { when, is } of profile.inbound.classify) {
    if (is !== speech.kind) continue
    for (const op of operationsFor(when, speech)) {
      const pdu = build(profile, speech, { when, op })
      const read = dialect.read(pdu)
      if (read.is === 'ussd' && read.message.kind === speech.kind) return pdu
    }
  }
  return null
}

function operationsFor(when: DialectCondition, speech: Speech): (number | null)[] {
  const usual = speech.kind === 'begin' && speech.beginOp !== undefined ? [speech.beginOp] : OPERATIONS[speech.kind]
  if (when.op === undefined || when.op.includes('present')) return [...usual, null]
  const allowed = usual.filter((op) => when.op?.includes(op))
  return when.op.includes('absent') ? [...allowed, null] : allowed
}

interface Form {
  when: DialectCondition
  op: number | null
}

function build(profile: DialectProfile, speech: Speech, { when, op }: Form): Pdu {
  const { inbound } = profile
  const target: PduTarget = { body: addressesOf(speech), tlvs: [], envelope: new Map() }
  const serviceType = serviceTypeFor(when, speech.serviceType)
  Object.assign(target.body, { service_type: serviceType, esm_class: when.esmType?.[0] ?? 0 })
  const opTag = inbound.op.from?.tlv
  if (op !== null && opTag !== undefined) target.tlvs.push({ tag: opTag, value: operation(profile, op) })
  const over = when.endBit === 1
  const raw = speech.carrier
  putSession(profile, target, endBitInSession(profile) ? withEndBit(profile, raw, over) : raw)
  if (profile.outbound.session.bare && !endBitInSession(profile)) {
    const value = withEndBit(profile, Buffer.alloc(inbound.endBit.octet + 1), over)
    target.tlvs.push({ tag: inbound.endBit.tlv, value })
  }
  const text = when.textEmpty === true ? '' : speech.kind === 'begin' ? placeCode(profile, target, speech) : speech.text
  placeText(profile, target, text)
  const command = profile.outbound.pdu === 'data_sm' ? 'data_sm' : 'deliver_sm'
  return { command, status: 0, sequence: speech.sequence, body: target.body, tlvs: target.tlvs }
}

function operation(profile: DialectProfile, op: number): Buffer {
  const { decode } = profile.inbound.op
  if (decode === 'hexString') return Buffer.from(op.toString(16).padStart(2, '0'), 'latin1')
  return Buffer.from([decode === 'bcd' ? Number.parseInt(String(op), 16) : op])
}

function serviceTypeFor(when: DialectCondition, wanted = 'USSD'): string {
  if (when.serviceType) return when.serviceType.includes(wanted) ? wanted : (when.serviceType[0] ?? '')
  if (when.serviceTypeRe === undefined) return wanted
  const match = matcher(when.serviceTypeRe)
  return [wanted, ...SERVICE_TYPES].find((it) => match(it) !== null) ?? wanted
}

function addressesOf({ from, to }: Speech): PduBody {
  return {
    source_addr_ton: from[0],
    source_addr_npi: from[1],
    source_addr: from[2],
    dest_addr_ton: to[0],
    dest_addr_npi: to[1],
    destination_addr: to[2],
    protocol_id: 0,
    priority_flag: 0,
    schedule_delivery_time: '',
    validity_period: '',
    registered_delivery: 0,
    replace_if_present_flag: 0,
    data_coding: 0,
    sm_default_msg_id: 0,
    short_message: Buffer.alloc(0),
  }
}

/** Puts the code where the profile looks for it first; answers the text of the begin. */
function placeCode(profile: DialectProfile, target: PduTarget, speech: Speech): string {
  const { from, pick, suffix } = profile.inbound.code
  const code = readCode(speech.code)
  if (!code) return speech.code
  if (pick !== 'join') return code.code
  const [lead, rest] = from
  if (lead) put(target, lead, code.lead)
  if (rest) put(target, rest, code.code.slice(code.lead.length, suffix === '' ? undefined : -suffix.length))
  return ''
}

function put(target: PduTarget, place: DialectPlace, value: string): void {
  if (place.field !== undefined) target.body[place.field] = value
  // A subaddress starts with its type: user specified. (SMPP v3.4 §5.3.2.15)
  const skipped = Buffer.alloc(place.skip ?? 0, 0xa0)
  if (place.tlv !== undefined) target.tlvs.push({ tag: place.tlv, value: Buffer.concat([skipped, Buffer.from(value)]) })
}

function placeText(profile: DialectProfile, target: PduTarget, text: string): void {
  const { text: form } = profile.inbound
  const out = profile.outbound.text
  const dataCoding = uncodableAt(text) < 0 || out.ucs2 === false ? out.gsm7.dcs : out.ucs2.dcs
  let octets = encodeText(text, codingOf(form, dataCoding, 0))
  if (form.unwrap === 'asciiHex') octets = Buffer.from(octets.toString('hex'), 'latin1')
  if (form.unwrap === 'comviva' && form.envelope) {
    const params = new Map<string, string>([[String(form.envelope.text[0]), text], ...(target.envelope ?? [])])
    octets = writeEnvelope({ type: form.envelope.type, params })
  }
  target.body.data_coding = dataCoding
  const inPayload = profile.outbound.pdu === 'data_sm' || octets.length > SHORT_MESSAGE_OCTETS_MAX
  if (!inPayload) target.body.short_message = octets
  else target.tlvs.push({ tag: TAG.messagePayload, value: octets })
}

/** Which action a reply is; null: no USSD of this dialect. */
function hear(profile: DialectProfile, pdu: Pdu): Heard | null {
  if (pdu.command !== profile.outbound.pdu) return null
  const octets = payloadOf(pdu)
  const dataCoding = Number(pdu.body.data_coding ?? 0)
  const { wrap, envelope: form } = profile.outbound.text
  const envelope = wrap === 'comviva' ? readEnvelope(octets.toString('latin1')) : null
  const inner = form && envelope?.params.get(String(form.text))
  const text = envelope ? (inner ?? '') : heardText(profile, octets, dataCoding)
  const view: PduView = { sequence: pdu.sequence, body: pdu.body, tlvs: pdu.tlvs, text, envelope }
  const carrier = getSession(profile, view)
  const action = ACTIONS.find((name) => isAction(profile, name, { view, carrier, tlvs: pdu.tlvs }))
  return action === undefined ? null : { action, text, carrier, dataCoding, octets: octets.length }
}

interface Reply {
  view: PduView
  carrier: Carrier
  tlvs: readonly Tlv[]
}

function isAction(profile: DialectProfile, name: UssdAction, { view, carrier, tlvs }: Reply): boolean {
  const { actions, endByBeginOp } = profile.outbound
  const action = actions[name]
  if (action.as !== undefined) return false
  const value = tlvOf(tlvs, profile.inbound.op.from?.tlv ?? TAG.ussdServiceOp)
  const op = value.length === 0 ? 'omit' : Number(uint(value))
  if (name === 'end' && Object.values(endByBeginOp).some((only) => only === op)) return true
  const { use, tlv } = profile.inbound.endBit
  const hasBit = use !== 'ignore' && tlvOf(tlvs, tlv).length > 0
  return (
    op === action.op &&
    (action.serviceType === undefined || action.serviceType === view.body.service_type) &&
    (!hasBit || action.endBit === undefined || carrier.end === (action.endBit === 1)) &&
    Object.entries(action.envelope).every(([param, wanted]) => view.envelope?.params.get(param) === wanted)
  )
}

function heardText(profile: DialectProfile, octets: Buffer, dataCoding: number): string {
  const { gsm7, ucs2, wrap } = profile.outbound.text
  const inUcs2 = ucs2 !== false && (dataCoding === ucs2.dcs || ucs2.echo.includes(dataCoding))
  if (wrap === 'asciiHex') {
    const inner = Buffer.from(octets.toString('latin1'), 'hex')
    return decodeText(inner, inUcs2 ? 'ucs2be' : 'ascii')
  }
  if (inUcs2) return decodeText(octets, ucs2.langPrefix === undefined ? 'ucs2be' : 'dcs11')
  return decodeText(octets, gsm7.packed ? 'gsm7packed' : 'gsm7')
}
