/** A reply as the submit_sm or data_sm that a dialect wants. */
import type { Chance, PageLimit, ReturnPath, UssdAction, UssdReply } from '../../ussd/index.ts'
import { endBitInSession, putSession, stepOf, withEndBit, withStep, type PduTarget } from './carrier.ts'
import { writeEnvelope } from './envelope.ts'
import type { ActionProfile, DialectProfile } from './schema.ts'
import { encodeText, pageOf, writeText, type CodedText } from './text.ts'
import type { Dialect, OutgoingPdu, PduBody, Tlv } from '../types.ts'

const TAG = { ussdServiceOp: 0x0501, messagePayload: 0x0424 }
/** SMPP v3.4 §5.2.22. */
const SHORT_MESSAGE_OCTETS_MAX = 254
const SEQUENCE_STEPS = 128
const NOTHING = Buffer.alloc(0)
/** Mandatory parameters that data_sm does not have. (SMPP v3.4 §4.7.1) */
const SUBMIT_ONLY = [
  'protocol_id',
  'priority_flag',
  'schedule_delivery_time',
  'validity_period',
  'replace_if_present_flag',
  'sm_default_msg_id',
  'short_message',
]

/** `Dialect.write` for a profile. */
export function compileWriter(profile: DialectProfile, chance?: Chance): Dialect['write'] {
  const page = pageOf(profile)
  const opPlace = profile.inbound.op.from
  const opTag = opPlace?.tlv ?? TAG.ussdServiceOp
  return (reply, path) => {
    const action = actionFor(profile, reply.action, path)
    const raw = carrierFor(profile, reply.action, { action, path, chance })
    const coded = textFor(profile, { page, action, reply, path })
    const target: PduTarget = { body: {}, tlvs: [], envelope: new Map() }
    if (action.op !== 'omit') target.tlvs.push({ tag: opTag, value: Buffer.from([action.op]) })
    putEnvelopeText(profile, target, action, coded.text)
    if (profile.outbound.session.mode !== 'omit') putSession(profile, target, raw)
    putBareEndBit(profile, target, action)
    for (const { tag, hex } of action.tlvs) target.tlvs.push({ tag, value: Buffer.from(hex, 'hex') })
    const octets = wrapped(profile, target, coded)
    const pdu = pduFor(profile, { path, action, target, octets, dataCoding: coded.dataCoding })
    const step = stepOf(profile, raw)
    return step === undefined ? { pdu, cut: coded.cut } : { pdu, cut: coded.cut, step }
  }
}

/** The profile's action; one that stands for it; the single answer of a dialogue that cannot be asked. */
function actionFor(profile: DialectProfile, name: UssdAction, path: ReturnPath): ActionProfile {
  const { actions, endByBeginOp } = profile.outbound
  const only = path.beginOp === undefined ? undefined : endByBeginOp[String(path.beginOp)]
  if (only !== undefined && (name === 'continue' || name === 'end')) return { ...actions.end, op: only }
  const action = actions[name]
  return action.as === undefined ? action : actions[action.as]
}

interface CarrierInput {
  action: ActionProfile
  path: ReturnPath
  chance: Chance | undefined
}

/**
 * The octets that go back: those that came, with our turn and end bit. A new dialogue's go out as they are.
 */
function carrierFor(profile: DialectProfile, name: UssdAction, { action, path, chance }: CarrierInput): Buffer {
  const { mode, randomSeq } = profile.outbound.session
  const { session } = profile.inbound
  let raw: Buffer = Buffer.from(path.carrier, 'hex')
  if (mode === 'increment-seq7' && name !== 'push-begin') {
    const next = randomSeq && chance ? Math.floor(chance() * SEQUENCE_STEPS) : ((raw[1] ?? 0) >> 1) + 1
    raw = withStep(raw, next)
    // Seen with random numbers only: even plus one, so the lowest bit is always set and says nothing.
    if (randomSeq && raw.length >= 2) raw[1] = (raw[1] as number) | 1
  }
  if (mode === 'echo-masked' && session.mask !== undefined && raw.length === 2) {
    raw.writeUInt16BE(raw.readUInt16BE() & session.mask)
  }
  const inSession = endBitInSession(profile) && action.endBit !== undefined
  return inSession ? withEndBit(profile, raw, action.endBit === 1) : raw
}

/**
 * For a gateway that keeps the number of the dialogue elsewhere but wants the parameter of the end bit too.
 */
function putBareEndBit(profile: DialectProfile, target: PduTarget, action: ActionProfile): void {
  if (!profile.outbound.session.bare || action.endBit === undefined || endBitInSession(profile)) return
  const value = withEndBit(profile, Buffer.alloc(profile.inbound.endBit.octet + 1), action.endBit === 1)
  target.tlvs.push({ tag: profile.inbound.endBit.tlv, value })
}

interface TextInput {
  page: PageLimit
  action: ActionProfile
  reply: UssdReply
  path: ReturnPath
}

function textFor(profile: DialectProfile, { page, action, reply, path }: TextInput): CodedText {
  const networkDcs = path.more?.dcs === undefined ? undefined : Number(path.more.dcs)
  const text = action.text === 'empty' ? '' : reply.text
  return writeText(profile.outbound.text, page, text, networkDcs)
}

/** The text and the action's own parameters come first, the number of the dialogue after them. */
function putEnvelopeText(profile: DialectProfile, target: PduTarget, action: ActionProfile, text: string): void {
  const form = profile.outbound.text.envelope
  if (profile.outbound.text.wrap !== 'comviva' || form === undefined) return
  target.envelope.set(String(form.text), text)
  for (const [name, value] of Object.entries(action.envelope)) target.envelope.set(name, value)
}

function wrapped(profile: DialectProfile, target: PduTarget, coded: CodedText): Buffer {
  const { wrap, envelope: form } = profile.outbound.text
  if (wrap === 'asciiHex') {
    // Letters of GSM 7-bit that ASCII lacks lose their marks.
    const plain = coded.text.normalize('NFD').replace(/\p{M}+/gu, '')
    const inner = coded.alphabet === 'gsm7' ? encodeText(plain, 'ascii') : coded.octets
    return Buffer.from(inner.toString('hex'), 'latin1')
  }
  if (wrap !== 'comviva' || form === undefined) return coded.octets
  for (const [name, value] of Object.entries(form.params)) target.envelope.set(name, value)
  return writeEnvelope({ type: form.type, params: target.envelope })
}

interface PduInput {
  path: ReturnPath
  action: ActionProfile
  target: PduTarget
  octets: Buffer
  dataCoding: number
}

function pduFor(profile: DialectProfile, parts: PduInput): OutgoingPdu {
  const { outbound } = profile
  const { target, octets } = parts
  const inPayload =
    outbound.pdu === 'data_sm' || outbound.payload === 'message_payload' || octets.length > SHORT_MESSAGE_OCTETS_MAX
  const tlvs = target.tlvs
  if (inPayload && octets.length > 0) tlvs.push({ tag: TAG.messagePayload, value: octets })
  const body = bodyFor(profile, parts, inPayload ? NOTHING : octets)
  for (const [field, value] of Object.entries(target.body)) body[field] = value
  if (outbound.pdu === 'submit_sm') return { command: 'submit_sm', body, tlvs: ordered(profile, tlvs) }
  for (const field of SUBMIT_ONLY) delete body[field]
  return { command: 'data_sm', body, tlvs: ordered(profile, tlvs) }
}

/**
 * One literal with every field: spreading objects into it took longer than all the rest of a
 * reply.
 */
function bodyFor(profile: DialectProfile, { path, action, dataCoding }: PduInput, octets: Buffer): PduBody {
  const { addr, serviceType, esmClass, registeredDelivery, validity } = profile.outbound
  const [source, dest] = addr.swap ? [path.to, path.from] : [path.from, path.to]
  return {
    service_type: action.serviceType ?? (serviceType === 'echo' ? path.serviceType : serviceType),
    source_addr_ton: addr.sourceTon ?? source[0],
    source_addr_npi: addr.sourceNpi ?? source[1],
    source_addr: addr.source ?? source[2],
    dest_addr_ton: addr.destTon ?? dest[0],
    dest_addr_npi: addr.destNpi ?? dest[1],
    destination_addr: dest[2],
    esm_class: esmClass,
    protocol_id: 0,
    priority_flag: 0,
    schedule_delivery_time: '',
    validity_period: validityFor(validity, path),
    registered_delivery: registeredDelivery,
    replace_if_present_flag: 0,
    data_coding: dataCoding,
    sm_default_msg_id: 0,
    short_message: octets,
  }
}

function validityFor(validity: string, path: ReturnPath): string {
  if (validity === 'none') return ''
  return validity === 'echo' ? (path.more?.validity ?? '') : validity
}

/** Tags that the profile orders come first, in that order; the rest keep theirs. */
function ordered(profile: DialectProfile, tlvs: Tlv[]): Tlv[] {
  const { tlvOrder } = profile.outbound
  if (tlvs.length < 2) return tlvs
  const rank = (tlv: Tlv) => {
    const at = tlvOrder.indexOf(tlv.tag)
    return at < 0 ? tlvOrder.length : at
  }
  return tlvs.toSorted((a, b) => rank(a) - rank(b))
}
