/**
 * A dialect profile from the network's end. The profile says how the daemon recognises a PDU. So the network finds what
 * to send by search: it tries forms that the profile's rules name until the profile's classifier reads the event.
 */
import { readCode } from '../../ussd/index.ts'
import {
  endBitInSession,
  getSession,
  mintSession,
  putSession,
  withEndBit,
  type PduTarget,
  compileClassifier,
  operationOf,
  compileCode,
  writeEnvelope,
  type DialectCondition,
  type DialectProfile,
  type DialectPlace,
  encodeText,
  viewOf,
} from '../../smpp/dialect/index.ts'
import type { Pdu } from '../../smpp/index.ts'
import { regexSample } from './regex-sample.ts'
import { gsm7, ucs2 } from '../codec/index.ts'
import { profileDecoder } from './profile-decoder.ts'
import {
  serviceNumber,
  type NetworkDialogue,
  type NetworkEvent,
  type NetworkRequest,
  type NetworkCoding,
} from './coding.ts'

/** One form that an event may have. */
interface Form {
  op: number | undefined
  serviceType: string
  esmClass: number
  end: boolean
}

/** Where the code of a begin is. */
interface Placing {
  text: string
  destination: string
  /** Further parameters, such as the star of a code in a subaddress. */
  tlvs: { tag: number; value: Buffer }[]
}

const OPS: Record<NetworkEvent, number> = { begin: 1, input: 18, 'notify-ack': 19, end: 17, abort: 18, timeout: 18 }
/** The nearest event, for a dialect that lacks this one. */
const INSTEAD: Record<NetworkEvent, NetworkEvent[]> = {
  begin: ['begin'],
  input: ['input'],
  'notify-ack': ['notify-ack'],
  end: ['end', 'abort'],
  abort: ['abort', 'end'],
  timeout: ['timeout', 'abort', 'end'],
}
/** ESME_RINVDSTTON in C gateways, otherwise ESME_RSUBMITFAIL. */
const GONE = { withheld: 0x50, prompt: 0x45 }
const PAYLOAD = 0x0424
const SHORT_OCTETS_MAX = 254

export function profileCoding(profile: DialectProfile): NetworkCoding {
  const { inbound, responses, push } = profile
  const reads = reader(profile)
  return {
    name: profile.name,
    numbers: numbersOf(profile),
    submitResp: responses.submitResp,
    goneStatus: GONE[responses.submitResp],
    grant: (dialogue) => (push.idFrom === 'submit_sm_resp' ? carried(profile, dialogue.carrier).tlvs : []),
    open({ number, ...opening }) {
      const carrier = inbound.session.from.length ? mintSession(profile, number) : Buffer.alloc(0)
      const dialogue: NetworkDialogue = {
        ...opening,
        id: '',
        carrier,
        service: [profile.bind.ton ?? 0, profile.bind.npi ?? 1, serviceNumber(opening.code)],
        serviceType: profile.outbound.serviceType === 'echo' ? 'USSD' : profile.outbound.serviceType,
      }
      const form = { op: OPS.input, serviceType: dialogue.serviceType, esmClass: 0, end: false }
      const sample = written(profile, dialogue, form, { text: '1', destination: dialogue.service[2], tlvs: [] })
      return { ...dialogue, id: getSession(profile, viewOf(profile, asPdu(sample))).id }
    },
    say(event, dialogue, typed) {
      if (event === 'begin') return begin(profile, dialogue, reads)
      for (const kind of INSTEAD[event]) {
        for (const form of formsOf(profile, kind, dialogue)) {
          const placing = { text: event === 'input' ? typed : '', destination: dialogue.service[2], tlvs: [] }
          const spoken = written(profile, dialogue, form, placing)
          if (reads(spoken).kind === kind) return spoken
        }
      }
      // Typed text may read as another event (`*1#` in a dialect where a star begins one): it is sent anyway.
      const [form] = event === 'input' ? formsOf(profile, 'input', dialogue) : []
      return form ? written(profile, dialogue, form, { text: typed, destination: dialogue.service[2], tlvs: [] }) : null
    },
    decode: (pdu, by) => profileDecoder(profile, pdu, by),
  }
}

type Reader = (spoken: NetworkRequest) => { kind: string; code: string }

/** What the profile reads in a PDU. */
function reader(profile: DialectProfile): Reader {
  const classify = compileClassifier(profile)
  const codeOf = compileCode(profile)
  return (spoken) => {
    const pdu = asPdu(spoken)
    const view = viewOf(profile, pdu)
    const facts = { command: pdu.command, view, op: operationOf(profile, view), carrier: getSession(profile, view) }
    return { kind: classify(facts).is, code: codeOf(view) }
  }
}

function begin(profile: DialectProfile, dialogue: NetworkDialogue, reads: Reader): NetworkRequest | null {
  const wanted = readCode(dialogue.code)?.code ?? dialogue.code
  let nearest: NetworkRequest | null = null
  for (const form of formsOf(profile, 'begin', dialogue)) {
    for (const placing of placingsOf(profile, dialogue.code)) {
      const spoken = written(profile, dialogue, form, placing)
      const read = reads(spoken)
      if (read.kind === 'begin') nearest ??= spoken
      if (read.kind === 'begin' && read.code === wanted) return spoken
    }
  }
  return nearest
}

/** Forms that the rules of an event name, the simplest first. */
function formsOf(profile: DialectProfile, event: NetworkEvent, dialogue: NetworkDialogue): Form[] {
  const rules = profile.inbound.classify.filter((rule) => rule.is === event)
  const plainFirst = rules.toSorted(
    (a, b) => Number(a.when.esmType !== undefined) - Number(b.when.esmType !== undefined),
  )
  return plainFirst.flatMap(({ when }) => {
    const end =
      when.endBit === undefined ? event !== 'begin' && event !== 'input' && event !== 'notify-ack' : when.endBit === 1
    const esmClass = when.esmType?.[0] ?? 0
    return opsOf(profile, when, event, dialogue).flatMap((op) =>
      serviceTypesOf(when, dialogue).map((serviceType) => ({ op, serviceType, esmClass, end })),
    )
  })
}

function opsOf(
  profile: DialectProfile,
  when: DialectCondition,
  event: NetworkEvent,
  dialogue: NetworkDialogue,
): (number | undefined)[] {
  if (!profile.inbound.op.from) return [undefined]
  const usual = event === 'begin' ? dialogue.beginOp : OPS[event]
  if (!when.op) return [usual, undefined]
  const named = when.op.map((op) => (op === 'present' ? usual : op === 'absent' ? undefined : op))
  return [...new Set([...named.filter((op) => op === usual), ...named])]
}

function serviceTypesOf(when: DialectCondition, dialogue: NetworkDialogue): string[] {
  if (when.serviceType) return when.serviceType
  if (when.serviceTypeRe === undefined) return [dialogue.serviceType]
  // A word that matches: the first letter of each class.
  const word = when.serviceTypeRe.replace(/[$^]/g, '').replace(/\[(.)[^\]]*\]/g, '$1')
  return [/^\w{1,5}$/.test(word) ? word : dialogue.serviceType]
}

function placingsOf(profile: DialectProfile, code: string): Placing[] {
  const number = serviceNumber(code)
  const { from, pick, suffix, re } = profile.inbound.code
  const split = from.map((place) => place.tlv).find((tag) => tag !== undefined)
  const joined: Placing[] =
    pick === 'join' && split !== undefined
      ? [{ text: '', destination: bare(code, suffix), tlvs: [{ tag: split, value: Buffer.from('\xa0*', 'latin1') }] }]
      : []
  const shown = [
    code,
    ...(re === undefined ? [] : [regexSample(re, code), regexSample(re, code.replace(/^\*|#$/g, ''))]),
  ]
  return [
    ...joined,
    ...shown.flatMap((value): Placing[] => [
      { text: value, destination: number, tlvs: [] },
      { text: '', destination: value, tlvs: [] },
      { text: value, destination: '', tlvs: [] },
      ...from.flatMap(({ tlv: tag, skip = 0 }): Placing[] =>
        tag === undefined
          ? []
          : [
              {
                text: '',
                destination: number,
                tlvs: [{ tag, value: Buffer.from('\0'.repeat(skip) + value, 'latin1') }],
              },
            ],
      ),
    ]),
  ]
}

/** `201` of `*201#`. */
function bare(code: string, suffix: string): string {
  const inner = code.replace(/^\*/, '')
  return suffix && inner.endsWith(suffix) ? inner.slice(0, -suffix.length) : inner
}

function written(profile: DialectProfile, dialogue: NetworkDialogue, form: Form, placing: Placing): NetworkRequest {
  const { inbound, outbound } = profile
  const { carrier } = dialogue
  const target = carried(profile, endBitInSession(profile) ? withEndBit(profile, carrier, form.end) : carrier)
  if (outbound.session.bare && !endBitInSession(profile)) {
    target.tlvs.push({ tag: inbound.endBit.tlv, value: withEndBit(profile, Buffer.alloc(2), form.end) })
  }
  if (form.op !== undefined) put(inbound.op.from, operation(profile, form.op), target)
  target.tlvs.push(...placing.tlvs)
  const { octets, dataCoding } = textOf(profile, dialogue, target, placing.text)
  const inPayload =
    outbound.pdu === 'data_sm' || outbound.payload === 'message_payload' || octets.length > SHORT_OCTETS_MAX
  if (inPayload && octets.length) target.tlvs.push({ tag: PAYLOAD, value: octets })
  const [sourceTon, sourceNpi, source] = dialogue.source
  const [ton, npi] = dialogue.service
  const body = {
    service_type: form.serviceType,
    source_addr_ton: sourceTon,
    source_addr_npi: sourceNpi,
    source_addr: source,
    dest_addr_ton: ton,
    dest_addr_npi: npi,
    destination_addr: placing.destination,
    esm_class: form.esmClass,
    data_coding: dataCoding,
  }
  if (outbound.pdu === 'data_sm')
    return { command: 'data_sm', body: { ...body, ...target.body }, tlvs: ordered(profile, target) }
  const short_message = inPayload ? Buffer.alloc(0) : octets
  return { command: 'deliver_sm', body: { ...body, short_message, ...target.body }, tlvs: ordered(profile, target) }
}

function carried(profile: DialectProfile, carrier: Buffer): PduTarget {
  const target: PduTarget = { body: {}, tlvs: [], envelope: new Map() }
  putSession(profile, target, carrier)
  return target
}

function put(place: DialectPlace | undefined, octets: Buffer, target: PduTarget): void {
  if (place?.tlv !== undefined) target.tlvs.push({ tag: place.tlv, value: octets })
  else if (place?.field !== undefined) target.body[place.field] = octets.toString('latin1')
}

/** An operation as the gateway writes it. */
function operation(profile: DialectProfile, op: number): Buffer {
  const { decode } = profile.inbound.op
  if (decode === 'hexString') return Buffer.from(op.toString(16).padStart(2, '0'), 'latin1')
  return decode === 'bcd' ? Buffer.from(String(op).padStart(2, '0'), 'hex') : Buffer.of(op)
}

function textOf(
  profile: DialectProfile,
  dialogue: NetworkDialogue,
  target: PduTarget,
  text: string,
): { octets: Buffer; dataCoding: number } {
  const { text: coding } = profile.inbound
  if (coding.unwrap === 'comviva' && coding.envelope) {
    const params = new Map<string, string>([
      ['100', dialogue.msisdn],
      [String(coding.envelope.text[0]), text],
      ...(target.envelope ?? []),
    ])
    return { octets: writeEnvelope({ type: coding.envelope.type, params }), dataCoding: 0 }
  }
  const [dataCoding, octets] = typed(profile, text)
  if (coding.unwrap === 'asciiHex') return { octets: Buffer.from(octets.toString('hex'), 'latin1'), dataCoding }
  return { octets, dataCoding }
}

/** The text in the first alphabet that has it, with the data_coding that this network would use. */
function typed(profile: DialectProfile, text: string): [number, Buffer] {
  const { byDcs, fallback } = profile.inbound.text
  const codings = Object.entries(byDcs)
  const usual = profile.outbound.text.gsm7.dcs
  const plain = byDcs[String(usual)] ?? fallback
  const septets = gsm7(text)
  if (septets) return [usual, plain === 'gsm7' ? septets : encodeText(text, plain)]
  const wide = codings.find(([, coding]) => coding === 'ucs2be')
  return wide ? [Number(wide[0]), ucs2(text)] : [usual, encodeText(text, plain)]
}

function ordered(profile: DialectProfile, target: PduTarget): PduTarget['tlvs'] {
  const { tlvOrder } = profile.outbound
  const rank = (tag: number): number => (tlvOrder.indexOf(tag) + tlvOrder.length + 1) % (tlvOrder.length + 1)
  return target.tlvs.toSorted((a, b) => rank(a.tag) - rank(b.tag))
}

function asPdu(spoken: NetworkRequest): Pdu {
  return { ...spoken, status: 0, sequence: 0 }
}

/** How many dialogues this network can number before numbers repeat. */
function numbersOf(profile: DialectProfile): number {
  const { from, decode, octets, swap16 } = profile.inbound.session
  if (!from.length) return 2 ** 31
  if (decode === 'octet1') return 256
  if (decode === 'opaque16' || decode === 'id15be' || decode === 'id15le') return 32_768
  if (decode === 'ascii') return 2 ** 24
  return decode === 'dec' ? 2 ** 31 : Math.min(2 ** (8 * (swap16 ? 2 : octets)), 2 ** 31)
}
