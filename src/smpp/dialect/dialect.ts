/** A dialect: one operator's way of putting USSD into SMPP, compiled from its profile to pure functions. */
import {
  readMsisdn,
  type Numbering,
  clean,
  type Chance,
  type ReturnPath,
  type UssdKind,
  type UssdMessage,
} from '../../ussd/index.ts'
import { cOctetsMax, fieldStatus } from '../pdu/index.ts'
import { getSession, mintSession, readPlace, sessionId, readPlaceText, tlvOf, type PduView } from './carrier.ts'
import { compileClassifier, operationOf, type Facts } from './classify.ts'
import { compileCode } from './code.ts'
import { readEnvelope } from './envelope.ts'
import type { DialectProfile } from './schema.ts'
import { pageOf, readText, tidyText } from './text.ts'
import { compileWriter } from './write.ts'
import type { Dialect, Incoming, Pdu } from '../types.ts'

export interface DialectOptions {
  /** Of the line: what makes national numbers readable. */
  numbering?: Numbering
  /** For a dialect with `randomSeq`; without it the counter counts on. */
  chance?: Chance
}

/** SMPP v3.4 §5.1.3. */
const STATUS = { badSource: 0x0a, refused: 0x66, missingTlv: 0xc3 }
const MESSAGE_PAYLOAD = 0x0424
const UDHI = 0x40
/** Longest meta value that is kept. */
const META_LENGTH_MAX = 64

/**
 * Unless a profile says otherwise: throttling and a full queue are worth further tries within the turn's
 * time; a service type or a parameter that is refused will be refused always; anything else means that the
 * dialogue is over.
 */
const MEANINGS: ReadonlyMap<string, ReturnType<Dialect['meaning']>> = new Map([
  [String(0x58), 'retry-once'],
  [String(0x14), 'retry-once'],
  [String(0x15), 'dialect-wrong'],
  ...[0xc0, 0xc1, 0xc2, 0xc3, 0xc4].map((status) => [String(status), 'dialect-wrong'] as const),
])

/** The profile as functions. They keep nothing: two dialects of one profile are the same. */
export function compileDialect(profile: DialectProfile, options: DialectOptions = {}): Dialect {
  const { statusMeaning, deliverRespBody: _, ...habits } = profile.responses
  return {
    name: profile.name,
    page: pageOf(profile),
    read: compileReader(profile, options.numbering ?? {}),
    write: compileWriter(profile, options.chance),
    ...(profile.push.idFrom === 'none' ? {} : { push: (to: PushTo) => pushPath(profile, to) }),
    meaning(status) {
      return statusMeaning[String(status)] ?? statusMeaning['*'] ?? MEANINGS.get(String(status)) ?? 'dialogue-gone'
    },
    habits: { ...habits, ...copyingOf(profile) },
  }
}

/** Longer than an SMSC waits for a response before it delivers again, shorter than 256 dials take. */
const COPY_MS_OF_ONE_OCTET = 20_000

function copyingOf({ inbound: { session } }: DialectProfile): { copyMs?: number } {
  const copyMs = session.copyMs ?? (session.decode === 'octet1' ? COPY_MS_OF_ONE_OCTET : undefined)
  return copyMs === undefined ? {} : { copyMs }
}

type PushTo = Parameters<NonNullable<Dialect['push']>>[0]

/** As `Dialect.push`. */
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

/** What the profile sees of a PDU: its text decoded and unwrapped. */
export function viewOf(profile: DialectProfile, pdu: Pdu): PduView {
  const { text: coding } = profile.inbound
  const written = readText(coding, Number(pdu.body.data_coding ?? 0), payloadOf(pdu))
  const envelope = coding.unwrap === 'comviva' ? readEnvelope(written) : null
  const inner = coding.envelope?.text.map((name) => envelope?.params.get(String(name))).find((it) => it !== undefined)
  const text = envelope ? (inner ?? '') : written
  return { sequence: pdu.sequence, body: pdu.body, tlvs: pdu.tlvs, text: tidyText(coding, text), envelope }
}

/** Octets of the message: short_message unless it is empty, then message_payload; without a user data header. */
export function payloadOf(pdu: Pdu): Buffer {
  return splitHeader(pdu).text
}

/** Octets of the message, and those of the information elements before them. */
export function splitHeader(pdu: Pdu): { header: Buffer; text: Buffer } {
  const short = pdu.body.short_message
  const octets = short instanceof Buffer && short.length > 0 ? short : tlvOf(pdu.tlvs, MESSAGE_PAYLOAD)
  const headed = (Number(pdu.body.esm_class ?? 0) & UDHI) !== 0 && octets.length > 0
  const length = headed ? 1 + (octets[0] as number) : 0
  return { header: octets.subarray(Math.min(1, length), length), text: octets.subarray(length) }
}

function compileReader(profile: DialectProfile, numbering: Numbering): (pdu: Pdu) => Incoming {
  const classify = compileClassifier(profile)
  const readCodeOf = compileCode(profile)
  const echoed = echoedFields(profile)
  const needsNumber = profile.inbound.session.fallback === 'none'
  return (pdu) => {
    if (pdu.command !== 'deliver_sm' && pdu.command !== 'data_sm') return { is: 'ignore', why: 'no-message' }
    const view = viewOf(profile, pdu)
    const facts = { command: pdu.command, view, op: operationOf(profile, view), carrier: getSession(profile, view) }
    const { is, why } = classify(facts)
    if (is === 'receipt' || is === 'sms') return { is }
    if (is === 'ignore') return { is, why }
    if (is === 'reject') return { is, status: STATUS.refused, why }
    const source = readMsisdn(sourceOf(pdu), numbering)
    if ('fault' in source) return { is: 'reject', status: STATUS.badSource, why: `source-${source.fault}` }
    if (needsNumber && facts.carrier.raw.length === 0)
      return { is: 'reject', status: STATUS.missingTlv, why: 'no-session' }
    const long = echoed.find((field) => String(pdu.body[field] ?? '').length >= cOctetsMax(profile.outbound.pdu, field))
    if (long && ANSWERED.has(is)) return { is: 'reject', status: fieldStatus(long), why: `${long}-too-long` }
    const code = is === 'begin' ? readCodeOf(view) : ''
    return { is: 'ussd', message: messageOf(profile, { kind: is, msisdn: source.msisdn, code, facts }) }
  }
}

/** Messages that get an answer. */
const ANSWERED: ReadonlySet<UssdKind> = new Set<UssdKind>(['begin', 'input', 'notify-ack'])

/** Fields that the answer carries as they came: one that is too long cannot be. */
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

interface Read {
  kind: UssdKind
  msisdn: string
  code: string
  facts: Facts
}

function messageOf(profile: DialectProfile, { kind, msisdn, code, facts }: Read): UssdMessage {
  const { view, carrier } = facts
  const message: UssdMessage = {
    kind,
    msisdn,
    network: carrier.id,
    code,
    text: kind === 'input' ? clean(view.text) : '',
    returnPath: returnPathOf(profile, kind, facts),
    meta: metaOf(profile, view),
  }
  if (carrier.step !== undefined) message.step = carrier.step
  return message
}

function returnPathOf(profile: DialectProfile, kind: UssdKind, { view, carrier, op }: Facts): ReturnPath {
  const { body } = view
  const more: Record<string, string> = { dcs: String(Number(body.data_coding ?? 0)) }
  if (profile.outbound.validity === 'echo') more.validity = String(body.validity_period ?? '')
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

function metaOf(profile: DialectProfile, view: PduView): Record<string, string> {
  const meta: Record<string, string> = {}
  for (const { name, from, decode } of profile.inbound.meta) {
    const value = decode === 'ascii' ? clean(readPlaceText(from, view)) : octetsText(readPlace(from, view), decode)
    if (value !== '') meta[name] = value.slice(0, META_LENGTH_MAX)
  }
  return meta
}

/** `tbcd`: two digits an octet, low half first, 0xF fills. (3GPP TS 29.002 §17.7.8) */
function octetsText(octets: Buffer, decode: 'tbcd' | 'hex'): string {
  const hex = octets.toString('hex')
  return decode === 'hex' ? hex : hex.replace(/(.)(.)/g, '$2$1').replace(/f+$/, '')
}

function sourceOf(pdu: Pdu): { ton: number; npi: number; digits: string } {
  const { source_addr_ton: ton, source_addr_npi: npi, source_addr: digits } = pdu.body
  return { ton: Number(ton ?? 0), npi: Number(npi ?? 0), digits: String(digits ?? '') }
}
