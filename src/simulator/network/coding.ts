/**
 * How one operator's network puts USSD into SMPP, seen from the network's end. The daemon's dialects are the same thing
 * seen from the other end.
 */
import type { Pdu, PduBody, Tlv } from '../../smpp/index.ts'
import { integerField, octetsOfText, textField as cstring, readUssd, type Decoding } from '../codec/index.ts'

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
  decode(pdu: Pdu, by: 'subscriber' | 'esme' | null): DecodedSubmit | null
}

/** The parts of a decoded submit that are the same in every dialect. */
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

/** The service number that a dialled string begins with: `123` of `*123*2#`; otherwise its digits. */
export function serviceNumber(code: string): string {
  return /^\*(\d+)/.exec(code)?.[1] ?? code.replace(/[*#]/g, '')
}
