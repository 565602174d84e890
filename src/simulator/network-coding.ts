/**
 * A voice: how one operator's network puts USSD into SMPP, from the network's end. The daemon's dialects are the same
 * thing seen from the other side. `standardVoice` is the reading of vectors u01 to u25.
 */
import type { Pdu, PduBody, Tlv } from '../smpp/index.ts'
import { integerField, octetsOfText, textField as cstring, tlv, tlv8 } from './codec.ts'
import { readUssd, writeTyped, type Decoding } from './coding.ts'

/** What the network can say about a dialogue. */
export type NetworkEvent = 'begin' | 'input' | 'notify-ack' | 'end' | 'abort' | 'timeout'

/** A dialogue as the network knows it. */
export interface NetworkDialogue {
  /** The subscriber; `source` is how this network writes him: [ton, npi, digits]. */
  msisdn: string
  source: [number, number, string]
  /** The network's own name of it as the carrier says it; '' where this network gives none. */
  id: string
  /** What was dialled; for a push, '' . */
  code: string
  by: 'subscriber' | 'esme'
  /** ussd_service_op of the begin: 1, or 0 for a phase-1 handset. */
  beginOp: number
  /** The session carrier as the ESME last sent it, or as the network made it. */
  carrier: Buffer
  /** The ESME's end of it: [ton, npi, digits]. */
  service: [number, number, string]
  serviceType: string
}

/** A request of the network's, without its sequence number. */
export interface NetworkRequest {
  command: 'deliver_sm' | 'data_sm'
  body: PduBody
  tlvs: Tlv[]
}

/** What an ESME said. */
export interface DecodedSubmit {
  /** unknown: it is USSD, but nothing that this network takes. */
  action: 'ask' | 'end' | 'notify' | 'abort' | 'unknown'
  /** The dialogue it names; null where it names none, so that the MSISDN decides. */
  id: string | null
  msisdn: string
  carrier: Buffer
  service: [number, number, string]
  serviceType: string
  decoding: Decoding
  dataCoding: number
}

/** A dialogue to be opened; `number` counts them. */
export type Opening = Omit<NetworkDialogue, 'carrier' | 'service' | 'serviceType' | 'id'> & { number: number }

export interface NetworkCoding {
  readonly name: string
  /** Dialogue numbers run from 0 to this minus one and wrap. */
  readonly numbers: number
  /** A withheld response to a question comes only when the subscriber answers or the dialogue dies. */
  readonly submitResp: 'prompt' | 'withheld'
  /** What a submit for a dialogue that is gone is answered with. */
  readonly goneStatus: number
  /** What the submit_sm_resp to a push carries: a network may name the dialogue there. */
  grant(dialogue: NetworkDialogue): Tlv[]
  /** A new dialogue of a subscriber's, or (by: 'esme') one that a push opens. */
  open(opening: Opening): NetworkDialogue
  /** null: this network says nothing of such a thing. */
  say(event: NetworkEvent, dialogue: NetworkDialogue, typed: string): NetworkRequest | null
  /** null: not USSD. `by`: who opened the subscriber's dialogue, if one is open. */
  hear(pdu: Pdu, by: 'subscriber' | 'esme' | null): DecodedSubmit | null
}

export interface StandardCodingSettings {
  /** Where the dialled string stands. Default both, as in u01. */
  codeIn?: 'both' | 'text' | 'destination'
  /** data_coding for typed text. Default 0x0F and 0x08. */
  codings?: { gsm7: number; ucs2: number }
  goneStatus?: number
}

const OP = 0x0501
const CARRIER = 0x1383
const OPS: Record<Exclude<NetworkEvent, 'begin'>, number> = {
  input: 18,
  'notify-ack': 19,
  end: 17,
  abort: 18,
  timeout: 18,
}

/** Session number in octet 1, turn and end bit in octet 2 of its_session_info. (SMPP v3.4 §5.3.2.43) */
export function standardCoding(settings: StandardCodingSettings = {}): NetworkCoding {
  const { codeIn = 'both', codings = { gsm7: 0x0f, ucs2: 0x08 }, goneStatus = 0x45 } = settings
  return {
    name: 'standard',
    numbers: 256,
    submitResp: 'prompt',
    goneStatus,
    grant: () => [],
    open: ({ number, ...dialogue }) => ({
      ...dialogue,
      id: String(number & 0xff),
      carrier: Buffer.of(number & 0xff, 0),
      service: [0, 1, codeIn === 'destination' ? dialogue.code : serviceNumber(dialogue.code)],
      serviceType: 'USSD',
    }),
    say(event, dialogue, typed) {
      const isOver = event === 'end' || event === 'abort' || event === 'timeout'
      const carrier = Buffer.from(dialogue.carrier)
      if (isOver) carrier[1]! |= 1
      else carrier[1]! &= 0xfe
      const text = event === 'begin' ? (codeIn === 'destination' ? '' : dialogue.code) : typed
      const op = event === 'begin' ? dialogue.beginOp : OPS[event]
      const { body, tlvs } = written(dialogue, text, codings)
      return { command: 'deliver_sm', body, tlvs: [tlv8(OP, op), { tag: CARRIER, value: carrier }, ...tlvs] }
    },
    hear: hearStandard,
  }
}

function hearStandard(pdu: Pdu): DecodedSubmit | null {
  const op = tlv(pdu, OP)?.[0]
  if (op === undefined) return null
  const carrier = tlv(pdu, CARRIER) ?? Buffer.alloc(0)
  const ends = carrier.length > 1 && (carrier[1]! & 1) === 1
  const action = op === 2 ? 'ask' : op === 16 || op === 17 ? 'end' : op === 3 ? (ends ? 'end' : 'notify') : 'unknown'
  return {
    action,
    id: carrier.length ? String(carrier[0]) : null,
    carrier: Buffer.from(carrier),
    ...decodedSubmitOf(pdu),
  }
}

/** The parts of what was heard that are the same in every dialect. */
export function decodedSubmitOf(pdu: Pdu): Omit<DecodedSubmit, 'action' | 'id' | 'carrier'> {
  const body = pdu.body
  const dataCoding = integerField(body, 'data_coding')
  return {
    msisdn: cstring(body, 'destination_addr').replace(/^\+/, ''),
    service: [
      integerField(body, 'source_addr_ton'),
      integerField(body, 'source_addr_npi'),
      cstring(body, 'source_addr'),
    ],
    serviceType: cstring(body, 'service_type'),
    decoding: readUssd(octetsOfText(pdu), dataCoding),
    dataCoding,
  }
}

/** Addresses and text of a request from a subscriber; over 254 octets the text goes into message_payload. */
function written(
  dialogue: NetworkDialogue,
  text: string,
  codings: { gsm7: number; ucs2: number },
): { body: PduBody; tlvs: Tlv[] } {
  const { octets, dataCoding } = writeTyped(text, codings)
  const [ton, npi, digits] = dialogue.service
  const [sourceTon, sourceNpi, source] = dialogue.source
  return {
    body: {
      service_type: dialogue.serviceType,
      source_addr_ton: sourceTon,
      source_addr_npi: sourceNpi,
      source_addr: source,
      dest_addr_ton: ton,
      dest_addr_npi: npi,
      destination_addr: digits,
      data_coding: dataCoding,
      short_message: octets.length > 254 ? undefined : octets,
    },
    tlvs: octets.length > 254 ? [{ tag: 0x0424, value: octets }] : [],
  }
}

/** The service number that a dialled string begins with: `123` of `*123*2#`; otherwise its digits. */
export function serviceNumber(code: string): string {
  return /^\*(\d+)/.exec(code)?.[1] ?? code.replace(/[*#]/g, '')
}
