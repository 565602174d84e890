/**
 * How one operator's network puts USSD into SMPP, seen from the network's end. The daemon's dialects are the other end
 * of the same thing.
 */
import type { Pdu, PduBody, Tlv } from '../../smpp/index.ts'
import { integerField, octetsOfText, textField as cstring, readUssd, type Decoding } from '../codec/index.ts'

/** What the network can report about a dialogue. */
export type NetworkEvent = 'begin' | 'input' | 'notify-ack' | 'end' | 'abort' | 'timeout'

/** A dialogue as the network knows it. */
export interface NetworkDialogue {
  /** The subscriber. `source` is how this network writes the number: [ton, npi, digits]. */
  msisdn: string
  source: [number, number, string]
  /** The network's own name of the dialogue, from the carrier; '' if this network gives none. */
  id: string
  /** What was dialled; '' for a push. */
  code: string
  by: 'subscriber' | 'esme'
  /** ussd_service_op of the begin: 1, or 0 for a phase 1 handset. */
  beginOp: number
  /** The session carrier as the ESME last sent it, or as the network created it. */
  carrier: Buffer
  /** The ESME's address in it: [ton, npi, digits]. */
  service: [number, number, string]
  serviceType: string
}

/** A request of the network, without its sequence number. */
export interface NetworkRequest {
  command: 'deliver_sm' | 'data_sm'
  body: PduBody
  tlvs: Tlv[]
  /** The network sends it once, whatever becomes of it: no fault strikes it, and it is not delivered again. */
  once?: true
}

/** What an ESME sent. */
export interface DecodedSubmit {
  /** unknown: it is USSD, but this network does not accept it. */
  action: 'ask' | 'end' | 'notify' | 'abort' | 'unknown'
  /** The dialogue that it names. Null: it names none, so the MSISDN decides. */
  id: string | null
  msisdn: string
  carrier: Buffer
  service: [number, number, string]
  serviceType: string
  decoding: Decoding
  dataCoding: number
}

/** A dialogue to open. `number` counts the dialogues. */
export type Opening = Omit<NetworkDialogue, 'carrier' | 'service' | 'serviceType' | 'id'> & { number: number }

export interface NetworkCoding {
  readonly name: string
  /** Dialogue numbers run from 0 to this minus one, then repeat. */
  readonly numbers: number
  /** withheld: the response to a question comes only when the subscriber answers or the dialogue ends. */
  readonly submitResp: 'prompt' | 'withheld'
  /** The status for a submit to a dialogue that is gone. */
  readonly goneStatus: number
  /** The TLVs of the submit_sm_resp to a push: a network may name the dialogue there. */
  grant(dialogue: NetworkDialogue): Tlv[]
  /** A new dialogue of a subscriber, or (by: 'esme') one that a push opens. */
  open(opening: Opening): NetworkDialogue
  /** Null: this network does not report such an event. */
  say(event: NetworkEvent, dialogue: NetworkDialogue, typed: string): NetworkRequest | null
  /** Null: not USSD. `by`: who opened the subscriber's dialogue, if one is open. */
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

/** The service number at the start of a dialled string: `123` of `*123*2#`; otherwise its digits. */
export function serviceNumber(code: string): string {
  return /^\*(\d+)/.exec(code)?.[1] ?? code.replace(/[*#]/g, '')
}
