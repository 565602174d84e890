/** What a daemon's submit means in a dialect profile: which action of the profile it is, and its text. */
import {
  endBitOf,
  getSession,
  readPlace,
  tlvOf,
  type PduView,
  readEnvelope,
  type Envelope,
  type ActionProfile,
  type DialectProfile,
} from '../../smpp/dialect/index.ts'
import type { Pdu, PduBody } from '../../smpp/index.ts'
import {
  octetsOfText,
  textField as cstring,
  integerField,
  readGsm7,
  readUcs2,
  unpack,
  type Decoding,
} from '../codec/index.ts'
import { decodedSubmitOf, type DecodedSubmit } from './coding.ts'

type ActionName = keyof DialectProfile['outbound']['actions']

const MEANT: Record<ActionName, DecodedSubmit['action']> = {
  continue: 'ask',
  'push-begin': 'ask',
  end: 'end',
  'push-end': 'end',
  notify: 'notify',
  abort: 'abort',
}
/** If two actions look alike, the one that fits the side that opened the dialogue. */
const LIKELY: Record<'subscriber' | 'esme' | 'none', ActionName[]> = {
  subscriber: ['continue', 'end', 'notify', 'abort', 'push-end'],
  esme: ['continue', 'push-begin', 'push-end', 'notify', 'end', 'abort'],
  none: ['push-begin', 'continue', 'notify', 'end', 'push-end', 'abort'],
}

/** Null: not USSD. */
export function profileDecoder(
  profile: DialectProfile,
  pdu: Pdu,
  by: 'subscriber' | 'esme' | null,
): DecodedSubmit | null {
  const envelope = profile.outbound.text.wrap === 'comviva' ? readEnvelope(octetsOfText(pdu).toString('latin1')) : null
  const view: PduView = { sequence: pdu.sequence, body: swapped(pdu.body), tlvs: pdu.tlvs, text: '', envelope }
  const { actions } = profile.outbound
  const name = LIKELY[by ?? 'none'].find((one) => isThat(profile, resolved(actions, one), view, pdu))
  const opPlace = profile.inbound.op.from
  const isUssd = name !== undefined || (opPlace !== undefined && readPlace(opPlace, view).length > 0)
  if (!isUssd) return null
  const { raw, id } = getSession(profile, view)
  return {
    ...decodedSubmitOf(pdu),
    action: name === undefined ? 'unknown' : MEANT[name],
    id: id === '' ? null : id,
    carrier: Buffer.from(raw),
    decoding: readSaid(profile, pdu, envelope),
  }
}

/** An action that refers to another one is written like it. */
function resolved(actions: DialectProfile['outbound']['actions'], name: ActionName): ActionProfile {
  const action = actions[name]
  return action.as === undefined ? action : actions[action.as]
}

function isThat(profile: DialectProfile, action: ActionProfile, view: PduView, pdu: Pdu): boolean {
  const op = operation(profile, view)
  const others = Object.values(profile.outbound.endByBeginOp)
  const isEndByBegin = op !== undefined && others.includes(op) && action === profile.outbound.actions.end
  const isOp = isEndByBegin || (action.op === 'omit' ? op === undefined : op === action.op)
  const isType = action.serviceType === undefined || action.serviceType === cstring(pdu.body, 'service_type')
  if (!isOp || !isType) return false
  // Without an operation and without its own service type, an action looks like an SMS.
  if (action.op === 'omit' && action.serviceType === undefined) return false
  const readsEnd =
    profile.inbound.endBit.use !== 'ignore' &&
    action.endBit !== undefined &&
    tlvOf(view.tlvs, profile.inbound.endBit.tlv).length > 0
  if (readsEnd && endBitOf(profile, view.tlvs) !== (action.endBit === 1)) return false
  return Object.entries(action.envelope).every(([number, value]) => view.envelope?.params.get(number) === value)
}

/** The octet unchanged: aliases apply to what the gateway sends. */
function operation(profile: DialectProfile, view: PduView): number | undefined {
  const place = profile.inbound.op.from
  const octets = place === undefined ? Buffer.alloc(0) : readPlace(place, view)
  return octets.length ? octets[octets.length - 1] : undefined
}

/** Swaps a reply's addresses back to the order in which the network wrote them. */
function swapped(body: PduBody): PduBody {
  return { ...body, source_addr: body['destination_addr'], destination_addr: body['source_addr'] }
}

function readSaid(profile: DialectProfile, pdu: Pdu, envelope: Envelope | null): Decoding {
  const form = profile.outbound.text
  if (envelope && form.envelope) {
    const text = envelope.params.get(String(form.envelope.text)) ?? ''
    return { text, alphabet: 'gsm7', units: Array.from(text).length, octets: text.length }
  }
  const raw = octetsOfText(pdu)
  const isHex = form.wrap === 'asciiHex' && /^(?:[0-9a-f]{2})*$/i.test(raw.toString('latin1'))
  const octets = isHex ? Buffer.from(raw.toString('latin1'), 'hex') : raw
  const said = decoded(profile, octets, integerField(pdu.body, 'data_coding'), isHex)
  return form.newline === '\n' ? said : { ...said, text: said.text.replaceAll(form.newline, '\n') }
}

function decoded(profile: DialectProfile, octets: Buffer, dataCoding: number, isAscii: boolean): Decoding {
  const { gsm7, ucs2 } = profile.outbound.text
  const size = octets.length
  const isWide = ucs2 !== false && (dataCoding === ucs2.dcs || ucs2.echo.includes(dataCoding))
  if (isWide) {
    const rest = ucs2.langPrefix === undefined ? octets : octets.subarray(2)
    return { text: readUcs2(rest), alphabet: 'ucs2', units: size >> 1, octets: size }
  }
  if (isAscii) return { text: octets.toString('latin1'), alphabet: 'gsm7', units: size, octets: size }
  const septets = gsm7.packed ? unpack(octets) : octets
  return { text: readGsm7(septets), alphabet: 'gsm7', units: septets.length, octets: size }
}
