/** A reply as the submit_sm or data_sm that a dialect wants. */
import type { Chance, ReturnPath, UssdAction } from '../../ussd/index.ts'
import { endBitInSession, putSession, setEndBit, setStep, stepOf, withEndBit, type PduTarget } from './carrier.ts'
import { writeEnvelope } from './envelope.ts'
import type { ActionProfile, DialectProfile } from './schema.ts'
import { dataCodingOf, encodeText, pageOf, writeText, type CodedText } from './text.ts'
import { remembered } from '../../base/index.ts'
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
  const { text, session } = profile.outbound
  const page = pageOf(profile)
  const code = codedOnce((said: string) => writeText(text, page, said))
  const actionFor = compileActions(profile)
  const carrierFor = compileCarrier(profile, chance)
  const pduFor = compilePdu(profile)
  const hasEnvelope = text.wrap === 'comviva' && text.envelope !== undefined
  return (reply, path) => {
    const action = actionFor(reply.action, path.beginOp)
    const raw = carrierFor(reply.action, action, path.carrier)
    const coded = code(action.isEmpty ? '' : reply.text)
    const dcs = path.more?.dcs
    const dataCoding = dataCodingOf(coded, text, dcs === undefined ? undefined : Number(dcs))
    const target: PduTarget = { body: {}, tlvs: action.first.slice() }
    if (hasEnvelope) target.envelope = envelopeFor(profile, action, coded.text)
    if (session.mode !== 'omit') putSession(profile, target, raw)
    target.tlvs.push(...action.last)
    const octets = wrapped(profile, target, coded)
    const pdu = pduFor(path, target, { action, octets, dataCoding })
    const step = stepOf(profile, raw)
    return step === undefined ? { pdu, cut: coded.cut } : { pdu, cut: coded.cut, step }
  }
}

/** An action, with what is the same in each of its replies. Its octets are shared: nobody changes them. */
interface Action {
  serviceType: string | undefined
  endBit: 0 | 1 | undefined
  isEmpty: boolean
  envelope: readonly (readonly [string, string])[]
  /** The parameters before the number of the dialogue, and those after it. */
  first: readonly Tlv[]
  last: readonly Tlv[]
}

/** The profile's action; or the action that replaces it; or the single answer of a dialogue that cannot be asked. */
function compileActions(profile: DialectProfile): (name: UssdAction, beginOp: number | undefined) => Action {
  const { actions, endByBeginOp } = profile.outbound
  const compiled = (action: ActionProfile) => compileAction(profile, action)
  const byName = new Map(
    (Object.keys(actions) as UssdAction[]).map((name) => [name, compiled(actions[actions[name].as ?? name])]),
  )
  const single = new Map(
    Object.entries(endByBeginOp).map(([beginOp, op]) => [Number(beginOp), compiled({ ...actions.end, op })]),
  )
  return (name, beginOp) => {
    const only = beginOp === undefined ? undefined : single.get(beginOp)
    return only && (name === 'continue' || name === 'end') ? only : byName.get(name)!
  }
}

function compileAction(profile: DialectProfile, action: ActionProfile): Action {
  const { inbound, outbound } = profile
  const { op, endBit, tlvs } = action
  const opTag = inbound.op.from?.tlv ?? TAG.ussdServiceOp
  const last: Tlv[] = []
  // For a gateway that keeps the number of the dialogue elsewhere but also wants the parameter of the end bit.
  if (outbound.session.bare && endBit !== undefined && !endBitInSession(profile)) {
    const value = withEndBit(profile, Buffer.alloc(inbound.endBit.octet + 1), endBit === 1)
    last.push({ tag: inbound.endBit.tlv, value })
  }
  for (const { tag, hex } of tlvs) last.push({ tag, value: Buffer.from(hex, 'hex') })
  return {
    serviceType: action.serviceType,
    endBit,
    isEmpty: action.text === 'empty',
    envelope: Object.entries(action.envelope),
    first: op === 'omit' ? [] : [{ tag: opTag, value: Buffer.from([op]) }],
    last,
  }
}

/**
 * The octets that we send back: those that came, with our turn and end bit. Those of a new dialogue go out unchanged.
 */
function compileCarrier(
  profile: DialectProfile,
  chance: Chance | undefined,
): (name: UssdAction, action: Action, carrier: string) => Buffer {
  const { mode, randomSeq } = profile.outbound.session
  const { mask } = profile.inbound.session
  const inSession = endBitInSession(profile)
  return (name, { endBit }, carrier) => {
    const raw = Buffer.from(carrier, 'hex')
    if (mode === 'increment-seq7' && name !== 'push-begin') {
      setStep(raw, randomSeq && chance ? Math.floor(chance() * SEQUENCE_STEPS) : ((raw[1] ?? 0) >> 1) + 1)
      // The gateway with random numbers uses odd values only: the lowest bit is always set and means nothing.
      if (randomSeq && raw.length >= 2) raw[1] = (raw[1] as number) | 1
    }
    if (mode === 'echo-masked' && mask !== undefined && raw.length === 2) {
      raw.writeUInt16BE(raw.readUInt16BE() & mask)
    }
    if (inSession && endBit !== undefined) setEndBit(profile, raw, endBit === 1)
    return raw
  }
}

/** The most texts whose coded form is remembered. Texts of menus recur; other texts are soon forgotten. */
const CODED_MAX = 500
const CODED_UNITS_MAX = 500

function codedOnce(code: (text: string) => CodedText): (text: string) => CodedText {
  const known = remembered<CodedText>(CODED_MAX)
  return (text) => (text.length > CODED_UNITS_MAX ? code(text) : known(text, code))
}

/** The text and the action's own parameters come first, then the number of the dialogue. */
function envelopeFor({ outbound }: DialectProfile, action: Action, text: string): Map<string, string> {
  return new Map([[String(outbound.text.envelope!.text), text], ...action.envelope])
}

function wrapped(profile: DialectProfile, { envelope }: PduTarget, coded: CodedText): Buffer {
  const { wrap, envelope: form } = profile.outbound.text
  if (wrap === 'asciiHex') {
    // Letters that GSM 7-bit has and ASCII lacks lose their accents.
    const plain = coded.text.normalize('NFD').replace(/\p{M}+/gu, '')
    const inner = coded.alphabet === 'gsm7' ? encodeText(plain, 'ascii') : coded.octets
    return Buffer.from(inner.toString('hex'), 'latin1')
  }
  if (envelope === undefined || form === undefined) return coded.octets
  for (const [name, value] of Object.entries(form.params)) envelope.set(name, value)
  return writeEnvelope({ type: form.type, params: envelope })
}

/** What an action says in one reply. */
interface Said {
  action: Action
  octets: Buffer
  dataCoding: number
}

function compilePdu(profile: DialectProfile): (path: ReturnPath, target: PduTarget, said: Said) => OutgoingPdu {
  const { outbound } = profile
  const isDataSm = outbound.pdu === 'data_sm'
  const alwaysPayload = isDataSm || outbound.payload === 'message_payload'
  const order = compileOrder(outbound.tlvOrder)
  return (path, { body: own, tlvs }, said) => {
    const { octets } = said
    const inPayload = alwaysPayload || octets.length > SHORT_MESSAGE_OCTETS_MAX
    if (inPayload && octets.length > 0) tlvs.push({ tag: TAG.messagePayload, value: octets })
    const body = bodyFor(profile, path, said, inPayload ? NOTHING : octets)
    for (const field in own) body[field] = own[field]
    order(tlvs)
    if (!isDataSm) return { command: 'submit_sm', body, tlvs }
    for (const field of SUBMIT_ONLY) delete body[field]
    return { command: 'data_sm', body, tlvs }
  }
}

/** One literal with every field. Spreading objects into it took longer than the rest of the reply. */
function bodyFor(
  { outbound }: DialectProfile,
  path: ReturnPath,
  { action, dataCoding }: Said,
  octets: Buffer,
): PduBody {
  const { addr, serviceType, esmClass, registeredDelivery, validity } = outbound
  const source = addr.swap ? path.to : path.from
  const dest = addr.swap ? path.from : path.to
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

/** Tags that the profile orders come first, in that order; the others keep their order. Changes the list. */
function compileOrder(tlvOrder: readonly number[]): (tlvs: Tlv[]) => void {
  const rankOf = ({ tag }: Tlv) => {
    const at = tlvOrder.indexOf(tag)
    return at < 0 ? tlvOrder.length : at
  }
  return (tlvs) => {
    for (let i = 1; i < tlvs.length; i++) {
      const tlv = tlvs[i]!
      const rank = rankOf(tlv)
      let at = i
      for (; at > 0 && rankOf(tlvs[at - 1]!) > rank; at--) tlvs[at] = tlvs[at - 1]!
      tlvs[at] = tlv
    }
  }
}
