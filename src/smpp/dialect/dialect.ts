/** A dialect: one operator's way of putting USSD into SMPP, compiled from its profile to pure functions. */
import { stretch } from '../../base/index.ts'
import {
  readMsisdn,
  type Numbering,
  clean,
  type Chance,
  type OwnPolicies,
  type ReturnPath,
  statusPolicy,
  type UssdKind,
  type UssdMessage,
} from '../../ussd/index.ts'
import { cOctetsMax, fieldStatus } from '../pdu/index.ts'
import { compileSession, mintSession, placeReader, placeTextReader, sessionId, tlvOf, type PduView } from './carrier.ts'
import { compileClassifier, compileOperation, type Facts } from './classify.ts'
import { compileCode } from './code.ts'
import { readEnvelope } from './envelope.ts'
import type { DialectPlace, DialectProfile } from './schema.ts'
import { pageOf, readText, tidyText } from './text.ts'
import { compileWriter } from './write.ts'
import type { Dialect, Incoming, Pdu, PduBody } from '../types.ts'

export interface DialectOptions {
  /** The line's numbering: it makes national numbers readable. */
  numbering?: Numbering
  /** For a dialect with `randomSeq`. Without it the counter increments. */
  chance?: Chance
}

/** SMPP v3.4 §5.1.3. */
const STATUS = { badSource: 0x0a, refused: 0x66, missingTlv: 0xc3 }
const MESSAGE_PAYLOAD = 0x0424
const UDHI = 0x40
/** The longest meta value that is kept. */
const META_LENGTH_MAX = 64

/** The words of older profiles. They speak of screens alone. */
const WORDS: OwnPolicies = {
  'dialogue-gone': { screen: 'never' },
  'retry-once': { screen: 'next-second' },
  'dialect-wrong': { screen: 'never', whose: 'ours' },
}

/** The profile as functions. They keep no state: two dialects of one profile behave the same. */
export function compileDialect(profile: DialectProfile, options: DialectOptions = {}): Dialect {
  const { statusMeaning, deliverRespBody: _, ...habits } = profile.responses
  const own = ownPolicies(statusMeaning)
  const read = compileReader(profile, options.numbering ?? {})
  return {
    name: profile.name,
    page: pageOf(profile),
    read: (pdu) => stretch('dialect-read', read, pdu),
    write: compileWriter(profile, options.chance),
    ...(profile.push.idFrom === 'none' ? {} : { push: (to: PushTo) => pushPath(profile, to) }),
    policy: (status) => statusPolicy(status, own),
    habits: { ...habits, ...copyingOf(profile) },
  }
}

function ownPolicies(written: DialectProfile['responses']['statusMeaning']): OwnPolicies {
  return Object.fromEntries(
    Object.entries(written).map(([status, means]) => [status, typeof means === 'string' ? WORDS[means]! : means]),
  )
}

/**
 * Longer than an SMSC waits for a response before it delivers again; shorter than the time in which 256 subscribers
 * dial.
 */
const COPY_MS_OF_ONE_OCTET = 20_000

/** Nobody reads a screen in less time. An SMSC that sends a message twice by mistake often does so within it. */
const SAME_KEY_MS = 1_000

/**
 * Why a copy of a key may confirm on a line with this profile. Undefined: a counter tells copies, or the profile says
 * itself how late a copy may come.
 */
export function copiesConfirm({ inbound: { session }, outbound }: DialectProfile): string | undefined {
  const { step, sameKeyMs = SAME_KEY_MS } = session
  if (sameKeyMs > SAME_KEY_MS) return undefined
  if (step === 'none' || outbound.session.mode !== 'increment-seq7') return 'has no turn counter'
  return sameKeyMs === 0 ? 'has sameKeyMs 0' : undefined
}

function copyingOf({ inbound: { session } }: DialectProfile): Pick<Dialect['habits'], 'copyMs' | 'sameKeyMs'> {
  const copyMs = session.copyMs ?? (session.decode === 'octet1' ? COPY_MS_OF_ONE_OCTET : undefined)
  return { ...(copyMs === undefined ? {} : { copyMs }), sameKeyMs: session.sameKeyMs ?? SAME_KEY_MS }
}

type PushTo = Parameters<NonNullable<Dialect['push']>>[0]

/** See `Dialect.push`. */
export function pushPath(profile: DialectProfile, push: PushTo): ReturnPath {
  const { bind, outbound } = profile
  return {
    from: [1, 1, push.msisdn],
    to: [bind.ton ?? 0, bind.npi ?? 1, push.source],
    serviceType: outbound.serviceType === 'echo' ? 'USSD' : outbound.serviceType,
    carrier: profile.push.idFrom === 'esme' ? carrierUnlike(profile, push).toString('hex') : '',
  }
}

function carrierUnlike(profile: DialectProfile, { n, not = '' }: PushTo): Buffer {
  const minted = mintSession(profile, n)
  const isSame = not !== '' && sessionId(profile, minted) === sessionId(profile, Buffer.from(not, 'hex'))
  return isSame ? mintSession(profile, n + 1) : minted
}

/** What the profile sees of a PDU: its text, decoded and unwrapped. */
export function viewOf(profile: DialectProfile, pdu: Pdu): PduView {
  const { text: coding } = profile.inbound
  const written = readText(coding, Number(pdu.body.data_coding ?? 0), payloadOf(pdu))
  const envelope = coding.unwrap === 'comviva' ? readEnvelope(written) : null
  const inner = coding.envelope?.text.map((name) => envelope?.params.get(String(name))).find((it) => it !== undefined)
  const text = envelope ? (inner ?? '') : written
  return { sequence: pdu.sequence, body: pdu.body, tlvs: pdu.tlvs, text: tidyText(coding, text), envelope }
}

/** Octets of the message: short_message, or message_payload if that is empty; without a user data header. */
export function payloadOf(pdu: Pdu): Buffer {
  const octets = messageOf(pdu)
  const length = headerOctets(pdu, octets)
  return length === 0 ? octets : octets.subarray(length)
}

/** Octets of the message, and the information elements before them. */
export function splitHeader(pdu: Pdu): { header: Buffer; text: Buffer } {
  const octets = messageOf(pdu)
  const length = headerOctets(pdu, octets)
  return { header: octets.subarray(Math.min(1, length), length), text: octets.subarray(length) }
}

function messageOf({ body, tlvs }: Pdu): Buffer {
  const short = body.short_message
  return short instanceof Buffer && short.length > 0 ? short : tlvOf(tlvs, MESSAGE_PAYLOAD)
}

/** How many octets of the message are its user data header. */
function headerOctets({ body }: Pdu, octets: Buffer): number {
  return (Number(body.esm_class ?? 0) & UDHI) !== 0 && octets.length > 0 ? 1 + (octets[0] as number) : 0
}

function compileReader(profile: DialectProfile, numbering: Numbering): (pdu: Pdu) => Incoming {
  const classify = compileClassifier(profile)
  const operationIn = compileOperation(profile)
  const sessionIn = compileSession(profile)
  const tooLong = compileEchoed(profile)
  const messageIn = compileMessage(profile)
  const needsNumber = profile.inbound.session.fallback === 'none'
  return (pdu) => {
    if (pdu.command !== 'deliver_sm' && pdu.command !== 'data_sm') return { is: 'ignore', why: 'no-message' }
    const view = viewOf(profile, pdu)
    const facts = { command: pdu.command, view, op: operationIn(view), carrier: sessionIn(view) }
    const { is, why } = classify(facts)
    if (is === 'receipt' || is === 'sms') return { is }
    if (is === 'ignore') return { is, why }
    if (is === 'reject') return { is, status: STATUS.refused, why }
    const source = readMsisdn(sourceOf(pdu), numbering)
    if ('fault' in source) return { is: 'reject', status: STATUS.badSource, why: `source-${source.fault}` }
    if (needsNumber && facts.carrier.raw.length === 0)
      return { is: 'reject', status: STATUS.missingTlv, why: 'no-session' }
    const long = ANSWERED.has(is) ? tooLong(pdu.body) : undefined
    if (long) return { is: 'reject', status: fieldStatus(long), why: `${long}-too-long` }
    return { is: 'ussd', message: messageIn(is, source.msisdn, facts) }
  }
}

/** Messages that we answer. */
const ANSWERED: ReadonlySet<UssdKind> = new Set<UssdKind>(['begin', 'input', 'notify-ack'])

/** The first field that is too long to be repeated in our answer. */
function compileEchoed(profile: DialectProfile): (body: PduBody) => string | undefined {
  const fields = echoedFields(profile).map((name) => ({ name, max: cOctetsMax(profile.outbound.pdu, name) }))
  return (body) => {
    for (const { name, max } of fields) if (String(body[name] ?? '').length >= max) return name
    return undefined
  }
}

/** Fields that our answer repeats unchanged. If such a field is too long, we cannot answer. */
function echoedFields({ inbound, outbound: { addr, serviceType, session, validity } }: DialectProfile): string[] {
  const numberIn = session.mode === 'omit' ? [] : inbound.session.from.flatMap(({ field }) => field ?? [])
  const isDestWritten = !addr.swap || addr.source === undefined
  return [
    ...(serviceType === 'echo' ? ['service_type'] : []),
    'source_addr',
    ...(isDestWritten ? ['destination_addr'] : []),
    ...(validity === 'echo' ? ['validity_period'] : []),
    ...numberIn,
  ]
}

function compileMessage(profile: DialectProfile): (kind: UssdKind, msisdn: string, facts: Facts) => UssdMessage {
  const readCodeOf = compileCode(profile)
  const metaIn = compileMeta(profile)
  const echoesValidity = profile.outbound.validity === 'echo'
  return (kind, msisdn, facts) => {
    const { view, carrier } = facts
    const message: UssdMessage = {
      kind,
      msisdn,
      network: carrier.id,
      code: kind === 'begin' ? readCodeOf(view) : '',
      text: kind === 'input' ? clean(view.text) : '',
      returnPath: returnPathOf(kind, facts, echoesValidity),
      meta: metaIn(view),
    }
    if (carrier.step !== undefined) message.step = carrier.step
    return message
  }
}

function returnPathOf(kind: UssdKind, { view, carrier, op }: Facts, echoesValidity: boolean): ReturnPath {
  const { body } = view
  const more: Record<string, string> = { dcs: String(Number(body.data_coding ?? 0)) }
  if (echoesValidity) more.validity = String(body.validity_period ?? '')
  const path: ReturnPath = {
    from: [Number(body.source_addr_ton ?? 0), Number(body.source_addr_npi ?? 0), String(body.source_addr ?? '')],
    to: [Number(body.dest_addr_ton ?? 0), Number(body.dest_addr_npi ?? 0), String(body.destination_addr ?? '')],
    serviceType: String(body.service_type ?? ''),
    carrier: carrier.raw.toString('hex'),
    more,
  }
  if (kind === 'begin' && op !== undefined) path.beginOp = op
  return path
}

function compileMeta(profile: DialectProfile): (view: PduView) => Record<string, string> {
  const fields = profile.inbound.meta.map(({ name, from, decode }) => ({ name, valueOf: metaReader(from, decode) }))
  return (view) => {
    const meta: Record<string, string> = {}
    for (const { name, valueOf } of fields) {
      const value = valueOf(view)
      if (value !== '') meta[name] = value.slice(0, META_LENGTH_MAX)
    }
    return meta
  }
}

function metaReader(from: DialectPlace, decode: 'ascii' | 'tbcd' | 'hex'): (view: PduView) => string {
  if (decode === 'ascii') {
    const text = placeTextReader(from)
    return (view) => clean(text(view))
  }
  const octets = placeReader(from)
  return (view) => octetsText(octets(view), decode)
}

/** `tbcd`: two digits per octet, low half first, filled with 0xF. (3GPP TS 29.002 §17.7.8) */
function octetsText(octets: Buffer, decode: 'tbcd' | 'hex'): string {
  const hex = octets.toString('hex')
  return decode === 'hex' ? hex : hex.replace(/(.)(.)/g, '$2$1').replace(/f+$/, '')
}

function sourceOf(pdu: Pdu): { ton: number; npi: number; digits: string } {
  const { source_addr_ton: ton, source_addr_npi: npi, source_addr: digits } = pdu.body
  return { ton: Number(ton ?? 0), npi: Number(npi ?? 0), digits: String(digits ?? '') }
}
