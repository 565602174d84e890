/** Long SMS: a text as one or more messages, and the messages that arrive as one text again. */
import { countGsm7, encodeGsm7, uncodableAt } from '../ussd/gsm7.ts'
import { encodeUcs2 } from '../ussd/octets.ts'
import { boundaryAt, transliterate } from '../ussd/text.ts'
import type { Alphabet } from '../ussd/types.ts'
import type { OutgoingPdu, Tlv } from './types.ts'

/**
 * How parts are told to belong together. `udh8`/`udh16`: a header with a reference of that width (3GPP TS
 * 23.040 §9.2.3.24.1, .8) · `sar`: parameters, the SMSC makes the header · `payload`: message_payload, the
 * SMSC splits.
 */
export type Concatenation = 'udh8' | 'udh16' | 'sar' | 'payload'

export interface SplitSettings {
  concatenation: Concatenation
  /** A longer text is cut. Default `PARTS_MAX`. */
  partsMax?: number
  /** Give marks and typographic characters up where that saves UCS-2. Default true. */
  translit?: boolean
}

/** What of one submit_sm differs from part to part. */
export interface SmsPart {
  /** What the part says. */
  text: string
  shortMessage: Buffer
  esmClass: number
  dataCoding: number
  tlvs: Tlv[]
}

export interface SplitSms {
  alphabet: Alphabet
  parts: SmsPart[]
  /** The text was longer than `partsMax` parts. */
  cut: boolean
}

/** More parts are a mistake in a text: nobody reads them, and each is paid for. */
export const PARTS_MAX = 10
/** esm_class: the message starts with a user data header. (SMPP v3.4 §5.2.12) */
const UDHI = 0x40
const DATA_CODING = { gsm7: 0, ucs2: 8 }
const TAG = { payload: 0x0424, sarRef: 0x020c, sarTotal: 0x020e, sarSequence: 0x020f }
/**
 * 140 octets of user data hold 160 septets or 70 units; a header takes its share. (3GPP TS 23.040 §9.2.3.24)
 */
const SINGLE = { gsm7: 160, ucs2: 70 }
const PER_PART: Record<Concatenation, Record<Alphabet, number>> = {
  udh8: { gsm7: 153, ucs2: 67 },
  udh16: { gsm7: 152, ucs2: 66 },
  sar: { gsm7: 153, ucs2: 67 },
  payload: { gsm7: 153, ucs2: 67 },
}

/**
 * A text as messages. `reference` tells the parts of one text from those of another to the same handset (its
 * low 8 or 16 bits). Escape pairs, surrogate pairs and letters with their marks stay together.
 */
export function splitSms(text: string, settings: SplitSettings, reference: number): SplitSms {
  const { concatenation, partsMax = PARTS_MAX, translit = true } = settings
  const plain = translit && uncodableAt(text) >= 0 ? transliterate(text) : text
  const wanted = uncodableAt(plain) < 0 ? plain : text
  const alphabet: Alphabet = uncodableAt(wanted) < 0 ? 'gsm7' : 'ucs2'
  if (count(wanted, alphabet) <= SINGLE[alphabet]) {
    return { alphabet, parts: [partOf(wanted, { alphabet, header: Buffer.alloc(0), tlvs: [] })], cut: false }
  }
  const texts = pieces(wanted, alphabet, PER_PART[concatenation][alphabet])
  const kept = texts.slice(0, partsMax)
  const cut = texts.length > kept.length
  if (concatenation === 'payload') return { alphabet, parts: [payloadPart(kept.join(''), alphabet)], cut }
  const parts = kept.map((piece, i) => {
    const place = { reference, total: kept.length, sequence: i + 1 }
    if (concatenation === 'sar') return partOf(piece, { alphabet, header: Buffer.alloc(0), tlvs: sarTlvs(place) })
    return partOf(piece, { alphabet, header: headerOf(concatenation, place), tlvs: [] })
  })
  return { alphabet, parts, cut }
}

export interface SmsAddresses {
  source: string
  sourceTon: number
  sourceNpi: number
  msisdn: string
  /** SMPP v3.4 §5.2.17; 1 asks for a final receipt. */
  registeredDelivery: number
  /** SMPP v3.4 §7.1.1, '' for the SMSC's own. */
  validityPeriod: string
  /** Echoed in receipts by some SMSCs. */
  userMessageReference?: number
}

/** The submit_sm of one part. */
export function smsPdu(part: SmsPart, to: SmsAddresses): OutgoingPdu {
  const tlvs = [...part.tlvs]
  if (to.userMessageReference !== undefined) tlvs.push({ tag: 0x0204, value: u16(to.userMessageReference) })
  return {
    command: 'submit_sm',
    tlvs,
    body: {
      service_type: '', source_addr_ton: to.sourceTon, source_addr_npi: to.sourceNpi, source_addr: to.source,
      dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: to.msisdn, esm_class: part.esmClass, protocol_id: 0,
      priority_flag: 0, schedule_delivery_time: '', validity_period: to.validityPeriod,
      registered_delivery: to.registeredDelivery, replace_if_present_flag: 0, data_coding: part.dataCoding,
      sm_default_msg_id: 0, short_message: part.shortMessage,
    },
  }
}

/** Months and years are counted as each SMSC likes; days are not. */
const RELATIVE_DAYS_MAX = 31

/** A validity period of so many milliseconds, a minute to 31 days: `000001000000000R`. (SMPP v3.4 §7.1.1) */
export function relativeTime(ms: number): string {
  const minutes = Math.min(Math.max(1, Math.floor(ms / 60_000)), RELATIVE_DAYS_MAX * 24 * 60)
  const fields = [Math.floor(minutes / (24 * 60)), Math.floor(minutes / 60) % 24, minutes % 60]
  return `0000${fields.map((value) => String(value).padStart(2, '0')).join('')}00000R`
}

interface PartForm {
  alphabet: Alphabet
  header: Buffer
  tlvs: Tlv[]
}

function partOf(text: string, { alphabet, header, tlvs }: PartForm): SmsPart {
  return {
    text,
    shortMessage: Buffer.concat([header, octetsOf(text, alphabet)]),
    esmClass: header.length > 0 ? UDHI : 0,
    dataCoding: DATA_CODING[alphabet],
    tlvs,
  }
}

function payloadPart(text: string, alphabet: Alphabet): SmsPart {
  const value = octetsOf(text, alphabet)
  const part = partOf('', { alphabet, header: Buffer.alloc(0), tlvs: [{ tag: TAG.payload, value }] })
  return { ...part, text }
}

interface PartPlace {
  reference: number
  total: number
  sequence: number
}

function headerOf(concatenation: 'udh8' | 'udh16', { reference, total, sequence }: PartPlace): Buffer {
  if (concatenation === 'udh8') return Buffer.from([5, 0x00, 3, reference & 0xff, total, sequence])
  return Buffer.from([6, 0x08, 4, (reference >> 8) & 0xff, reference & 0xff, total, sequence])
}

function sarTlvs({ reference, total, sequence }: PartPlace): Tlv[] {
  return [
    { tag: TAG.sarRef, value: u16(reference) },
    { tag: TAG.sarTotal, value: Buffer.from([total]) },
    { tag: TAG.sarSequence, value: Buffer.from([sequence]) },
  ]
}

/** The text in pieces of at most `size` septets or units, cut where a reader would not see it. */
function pieces(text: string, alphabet: Alphabet, size: number): string[] {
  const out: string[] = []
  let rest = text
  while (rest !== '') {
    const at = boundaryAt(rest, alphabet === 'ucs2' ? size : reach(rest, size))
    const end = at > 0 ? at : 1
    out.push(rest.slice(0, end))
    rest = rest.slice(end)
  }
  return out
}

/** How many characters of the beginning are within so many septets. */
function reach(text: string, septets: number): number {
  let used = 0
  for (let i = 0; i < text.length; i++) {
    used += countGsm7(text.charAt(i))
    if (used > septets) return i
  }
  return text.length
}

function count(text: string, alphabet: Alphabet): number {
  return alphabet === 'gsm7' ? countGsm7(text) : text.length
}

function octetsOf(text: string, alphabet: Alphabet): Buffer {
  return alphabet === 'gsm7' ? (encodeGsm7(text) as Buffer) : encodeUcs2(text)
}

function u16(value: number): Buffer {
  return Buffer.from([(value >> 8) & 0xff, value & 0xff])
}
