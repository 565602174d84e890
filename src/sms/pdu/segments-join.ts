/** An incoming SMS, or the part of a long one that a PDU brings. */
import { decodeNational, decodeLatin1, decodeUcs2, clean } from '../../ussd/index.ts'
import { tlvOf, uint, splitHeader } from '../../smpp/dialect/index.ts'
import { PLAIN, type PlainText } from './segments.ts'
import type { Pdu } from '../../smpp/index.ts'

/** One incoming message. A complete one is 1 of 1. */
export interface IncomingPart {
  from: string
  to: string
  reference: number
  total: number
  sequence: number
  text: string
}

const TAG = { sarRef: 0x020c, sarTotal: 0x020e, sarSequence: 0x020f }
/** The longest text of one message, in UTF-16 units (message_payload may have 64 K octets). */
const SMS_UNITS_MAX = 4096
/** 3GPP TS 23.040 §9.2.3.24. */
const IEI = { concat8: 0x00, concat16: 0x08, singleShift: 0x24, lockingShift: 0x25 }

/** Decodes an incoming SMS by its data_coding and its header. A complete SMS is part 1 of 1. */
export function readSmsPart(pdu: Pdu, plain: PlainText = PLAIN): IncomingPart {
  const message = splitHeader(pdu)
  const header = elementsOf(message.header)
  const text = decodeSms(message.text, alphabetOf(Number(pdu.body.data_coding ?? 0), plain), header)
  const { source_addr: from, destination_addr: to } = pdu.body
  return { from: String(from ?? ''), to: String(to ?? ''), ...placeOf(pdu, header), text: clean(text, SMS_UNITS_MAX) }
}

function decodeSms(octets: Buffer, alphabet: 'gsm7' | 'latin1' | 'ucs2', header: ReadonlyMap<number, Buffer>): string {
  if (alphabet === 'ucs2') return decodeUcs2(octets)
  if (alphabet === 'latin1') return decodeLatin1(octets)
  const language = (iei: number) => header.get(iei)?.[0] ?? 0
  return decodeNational(octets, { locking: language(IEI.lockingShift), single: language(IEI.singleShift) })
}

/**
 * Up to 0x0E by the SMPP table (v3.4 §5.2.19). Reserved values are the coding scheme of the handset, which some SMSCs
 * pass on: bits 3 and 2 give the alphabet, except for waiting messages (0xC0) and messages with a class (0xF0). (3GPP
 * TS 23.038 §4)
 */
function alphabetOf(dataCoding: number, plain: PlainText): 'gsm7' | 'latin1' | 'ucs2' {
  if (dataCoding === plain.dataCoding) return plain.alphabet === 'gsm7' ? 'gsm7' : 'latin1'
  if (dataCoding < 0x0f) return dataCoding === 0 ? 'gsm7' : dataCoding === 8 ? 'ucs2' : 'latin1'
  if (dataCoding >= 0xf0) return (dataCoding & 4) === 0 ? 'gsm7' : 'latin1'
  if (dataCoding >= 0xc0) return dataCoding >= 0xe0 ? 'ucs2' : 'gsm7'
  const bits = dataCoding === 0x0f ? 0 : dataCoding & 0x0c
  return bits === 0 ? 'gsm7' : bits === 8 ? 'ucs2' : 'latin1'
}

type PartPlace = Pick<IncomingPart, 'reference' | 'total' | 'sequence'>

function placeOf(pdu: Pdu, header: ReadonlyMap<number, Buffer>): PartPlace {
  const [high = 0, low = 0, ofWide = 1, nthWide = 1] = header.get(IEI.concat16) ?? []
  if (header.has(IEI.concat16)) return placed(high * 256 + low, ofWide, nthWide)
  const [narrow = 0, ofNarrow = 1, nthNarrow = 1] = header.get(IEI.concat8) ?? []
  if (header.has(IEI.concat8)) return placed(narrow, ofNarrow, nthNarrow)
  const [reference, total, sequence] = [TAG.sarRef, TAG.sarTotal, TAG.sarSequence].map((tag) => tlvOf(pdu.tlvs, tag))
  // The three are valid only together. (SMPP v3.4 §5.3.2.22)
  if (!reference?.length || !total?.length || !sequence?.length) return ALONE
  const small = (octets: Buffer, bits: bigint) => Number(uint(octets) & ((1n << bits) - 1n))
  return placed(small(reference, 16n), small(total, 8n), small(sequence, 8n))
}

const ALONE: PartPlace = { reference: 0, total: 1, sequence: 1 }

/** If a number is outside its total, the whole element is ignored. (3GPP TS 23.040 §9.2.3.24.1) */
function placed(reference: number, total: number, sequence: number): PartPlace {
  return sequence >= 1 && sequence <= total ? { reference, total, sequence } : ALONE
}

/** The information elements of the user data header. Of a broken header: those that can be read. */
function elementsOf(header: Buffer): Map<number, Buffer> {
  const elements = new Map<number, Buffer>()
  for (let at = 0; at + 2 <= header.length;) {
    const length = header[at + 1] as number
    elements.set(header[at] as number, header.subarray(at + 2, at + 2 + length))
    at += 2 + length
  }
  return elements
}
