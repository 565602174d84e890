/** The simulator's own reading of USSD over SMPP (SMPP v3.4 §5.3.2.43 and 44): that of vectors u01 to u25. */
import type { Pdu, PduBody, Tlv } from '../../smpp/index.ts'
import { tlv, tlv8, writeTyped } from '../codec/index.ts'
import {
  decodedSubmitOf,
  serviceNumber,
  type DecodedSubmit,
  type NetworkCoding,
  type NetworkDialogue,
  type NetworkEvent,
} from './coding.ts'

export interface StandardCodingSettings {
  /** Where the dialled string is. Default: both places, as in u01. */
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
    decode: decodeStandard,
  }
}

function decodeStandard(pdu: Pdu): DecodedSubmit | null {
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

/** The addresses and the text of a subscriber's request. A text over 254 octets goes into message_payload. */
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
