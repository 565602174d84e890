/** Long SMS: splits a text into messages, and joins arriving messages to one text. */
import {
  countGsm7,
  uncodableAt,
  encodeNational,
  NO_SHIFT,
  shiftElements,
  shiftFor,
  type Shift,
  encodeAscii,
  encodeLatin1,
  encodeUcs2,
  boundaryAt,
  toGsm7Text,
  transliterate,
  type Alphabet,
} from '../../ussd/index.ts'
import type { OutgoingPdu, Tlv } from '../../smpp/index.ts'

/**
 * How parts are marked as one SMS. `udh8`/`udh16`: a header with a reference of that width (3GPP TS 23.040 §9.2.3.24.1,
 * .8) · `sar`: parameters, from which the SMSC makes the header · `payload`: message_payload, which the SMSC splits.
 */
export type Concatenation = 'udh8' | 'udh16' | 'sar' | 'payload'

/** The meaning of plain text at an SMSC: what its data_coding stands for there. */
export interface PlainText {
  alphabet: 'gsm7' | 'latin1' | 'ascii'
  dataCoding: number
}

export interface SplitSettings {
  concatenation: Concatenation
  /** Default: GSM 7-bit, data_coding 0. */
  plain?: PlainText
  /** A longer text is cut. Default `PARTS_MAX`. */
  partsMax?: number
  /** Drop accents and typographic characters if that avoids UCS-2. Default true. */
  translit?: boolean
  /** Whether UCS-2 may be used. If not, `?` replaces what GSM 7-bit lacks. Default true. */
  ucs2?: boolean
  /**
   * National languages (identifiers of 3GPP TS 23.038 §6.2.1.2.4) whose shift tables handsets here can show. They come
   * before transliteration and UCS-2. Not for `sar` and `payload`, where the SMSC writes the header.
   */
  languages?: readonly number[]
}

/** The fields of a submit_sm that differ from part to part. */
export interface SmsPart {
  /** The text of the part. */
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

/** More parts are a mistake in a text: nobody reads them, and each costs. */
export const PARTS_MAX = 10
/** esm_class: the message starts with a user data header. (SMPP v3.4 §5.2.12) */
const UDHI = 0x40
const NOTHING = Buffer.alloc(0)
const UCS2 = 8
export const PLAIN: PlainText = { alphabet: 'gsm7', dataCoding: 0 }
/** The letters of GSM 7-bit that the alphabet also has. */
const LETTERS: Record<PlainText['alphabet'], RegExp> = { gsm7: /^/, latin1: /^[\0-\xff]*$/, ascii: /^[\0-\x7f]*$/ }
const TAG = { payload: 0x0424, sarRef: 0x020c, sarTotal: 0x020e, sarSequence: 0x020f }
/** 140 octets of user data hold 160 septets or 70 units; a header takes some of them. (3GPP TS 23.040 §9.2.3.24) */
const USER_DATA_OCTETS = 140
/** Octets of the concatenation element. If the SMSC writes it, it writes the short form. */
const ELEMENT_OCTETS: Record<Concatenation, number> = { udh8: 5, udh16: 6, sar: 5, payload: 5 }

/**
 * Splits a text into messages. `reference` (its low 8 or 16 bits) distinguishes the parts of one text from those of
 * another to the same handset. Escape pairs, surrogate pairs and letters with their marks stay together.
 */
export function splitSms(text: string, settings: SplitSettings, reference: number): SplitSms {
  const { concatenation, partsMax = PARTS_MAX } = settings
  const form = formFor(text, settings)
  const shift = shiftElements(form.shift)
  const whole = partOf(form.text, { form, elements: shift, tlvs: [] })
  if (unitsOf(form.text, form) <= capacity(form, shift.length))
    return { alphabet: form.alphabet, parts: [whole], cut: false }
  const texts = pieces(form, capacity(form, shift.length + ELEMENT_OCTETS[concatenation]))
  const kept = texts.slice(0, partsMax)
  const cut = texts.length > kept.length
  if (concatenation === 'payload') return { alphabet: form.alphabet, parts: [payloadPart(kept.join(''), form)], cut }
  const parts = kept.map((piece, i) => {
    const place = { reference, total: kept.length, sequence: i + 1 }
    if (concatenation === 'sar') return partOf(piece, { form, elements: NOTHING, tlvs: sarTlvs(place) })
    return partOf(piece, { form, elements: Buffer.concat([elementOf(concatenation, place), shift]), tlvs: [] })
  })
  return { alphabet: form.alphabet, parts, cut }
}

export interface SmsAddresses {
  source: string
  sourceTon: number
  sourceNpi: number
  msisdn: string
  /** SMPP v3.4 §5.2.17; 1 asks for a final receipt. */
  registeredDelivery: number
  /** SMPP v3.4 §7.1.1; '' for the SMSC's own. */
  validityPeriod: string
  /** Some SMSCs echo it in receipts. */
  userMessageReference?: number
  /** priority_flag (SMPP v3.4 §5.2.14). Default 0. */
  priority?: number
  /** Default ''. */
  serviceType?: string
  /** For the subscriber's number. Default: international, ISDN. */
  destTon?: number
  destNpi?: number
  /** Parameters of the operator or the regulator, in every part. */
  tlvs?: readonly Tlv[]
}

/** The submit_sm of one part. */
export function smsPdu(part: SmsPart, to: SmsAddresses): OutgoingPdu {
  const tlvs = [...part.tlvs, ...(to.tlvs ?? [])]
  if (to.userMessageReference !== undefined) tlvs.push({ tag: 0x0204, value: u16(to.userMessageReference) })
  return {
    command: 'submit_sm',
    tlvs,
    body: {
      service_type: to.serviceType ?? '',
      source_addr_ton: to.sourceTon,
      source_addr_npi: to.sourceNpi,
      source_addr: to.source,
      dest_addr_ton: to.destTon ?? 1,
      dest_addr_npi: to.destNpi ?? 1,
      destination_addr: to.msisdn,
      esm_class: part.esmClass,
      protocol_id: 0,
      priority_flag: to.priority ?? 0,
      schedule_delivery_time: '',
      validity_period: to.validityPeriod,
      registered_delivery: to.registeredDelivery,
      replace_if_present_flag: 0,
      data_coding: part.dataCoding,
      sm_default_msg_id: 0,
      short_message: part.shortMessage,
    },
  }
}

/** Each SMSC counts months and years in its own way; days are clear. */
const RELATIVE_DAYS_MAX = 31

/** A validity period of this many milliseconds, from a minute to 31 days: `000001000000000R`. (SMPP v3.4 §7.1.1) */
export function relativeTime(ms: number): string {
  const minutes = Math.min(Math.max(1, Math.floor(ms / 60_000)), RELATIVE_DAYS_MAX * 24 * 60)
  const fields = [Math.floor(minutes / (24 * 60)), Math.floor(minutes / 60) % 24, minutes % 60]
  return `0000${fields.map((value) => String(value).padStart(2, '0')).join('')}00000R`
}

/** A moment in UTC: `YYMMDDhhmmss000+`. (SMPP v3.4 §7.1.1.1) */
export function smppAbsoluteTime(ms: number): string {
  return `${new Date(ms).toISOString().replace(/[-T:]/g, '').slice(2, 14)}000+`
}

/** How a whole text is coded. All parts have the same coding. */
interface Form {
  text: string
  alphabet: Alphabet
  shift: Shift
  plain: PlainText
}

/**
 * The default alphabet; or else an allowed national one; or else the default one after transliteration; or else UCS-2.
 */
function formFor(text: string, settings: SplitSettings): Form {
  const { concatenation, languages = [], translit = true, ucs2 = true, plain = PLAIN } = settings
  const isPlain = (said: string) => uncodableAt(said) < 0 && LETTERS[plain.alphabet].test(said)
  if (isPlain(text)) return { text, alphabet: 'gsm7', shift: NO_SHIFT, plain }
  const headerIsOurs = concatenation === 'udh8' || concatenation === 'udh16'
  const shift = headerIsOurs && plain.alphabet === 'gsm7' && languages.length > 0 ? shiftFor(text, languages) : null
  if (shift) return { text, alphabet: 'gsm7', shift, plain }
  const sparing = !ucs2 ? toGsm7Text(text) : translit ? transliterate(text) : text
  if (!ucs2 || isPlain(sparing)) return { text: sparing, alphabet: 'gsm7', shift: NO_SHIFT, plain }
  return { text, alphabet: 'ucs2', shift: NO_SHIFT, plain }
}

/** How many septets or units fit beside a header with this many octets of elements, plus its length octet. */
function capacity({ alphabet }: Form, elementOctets: number): number {
  const octets = USER_DATA_OCTETS - (elementOctets === 0 ? 0 : elementOctets + 1)
  return alphabet === 'gsm7' ? Math.floor((octets * 8) / 7) : Math.floor(octets / 2)
}

interface PartForm {
  form: Form
  /** The information elements, without the length octet of the header. */
  elements: Buffer
  tlvs: Tlv[]
}

function partOf(text: string, { form, elements, tlvs }: PartForm): SmsPart {
  const header = elements.length === 0 ? NOTHING : Buffer.concat([Buffer.from([elements.length]), elements])
  return {
    text,
    shortMessage: Buffer.concat([header, octetsOf(text, form)]),
    esmClass: header.length > 0 ? UDHI : 0,
    dataCoding: form.alphabet === 'ucs2' ? UCS2 : form.plain.dataCoding,
    tlvs,
  }
}

function payloadPart(text: string, form: Form): SmsPart {
  const value = octetsOf(text, form)
  return { ...partOf('', { form, elements: NOTHING, tlvs: [{ tag: TAG.payload, value }] }), text }
}

interface PartPlace {
  reference: number
  total: number
  sequence: number
}

function elementOf(concatenation: 'udh8' | 'udh16', { reference, total, sequence }: PartPlace): Buffer {
  if (concatenation === 'udh8') return Buffer.from([0x00, 3, reference & 0xff, total, sequence])
  return Buffer.from([0x08, 4, (reference >> 8) & 0xff, reference & 0xff, total, sequence])
}

function sarTlvs({ reference, total, sequence }: PartPlace): Tlv[] {
  return [
    { tag: TAG.sarRef, value: u16(reference) },
    { tag: TAG.sarTotal, value: Buffer.from([total]) },
    { tag: TAG.sarSequence, value: Buffer.from([sequence]) },
  ]
}

/** The text in pieces of at most `size` septets or units, cut where a reader does not notice it. */
function pieces(form: Form, size: number): string[] {
  const out: string[] = []
  let rest = form.text
  while (rest !== '') {
    const at = boundaryAt(rest, form.alphabet === 'ucs2' ? size : reach(rest, form, size))
    const end = at > 0 ? at : 1
    out.push(rest.slice(0, end))
    rest = rest.slice(end)
  }
  return out
}

/** How many characters of the beginning fit in this many septets. */
function reach(text: string, form: Form, septets: number): number {
  let used = 0
  for (let i = 0; i < text.length; i++) {
    used += unitsOf(text.charAt(i), form)
    if (used > septets) return i
  }
  return text.length
}

function unitsOf(text: string, { alphabet, shift }: Form): number {
  if (alphabet === 'ucs2') return text.length
  return shift === NO_SHIFT ? countGsm7(text) : (encodeNational(text, shift)?.length ?? text.length)
}

/** `formFor` has chosen an alphabet with every character, or there is none to choose. */
function octetsOf(text: string, { alphabet, shift, plain }: Form): Buffer {
  if (alphabet === 'ucs2') return encodeUcs2(text)
  if (plain.alphabet === 'latin1') return encodeLatin1(text)
  return plain.alphabet === 'ascii' ? encodeAscii(text) : (encodeNational(text, shift) as Buffer)
}

function u16(value: number): Buffer {
  return Buffer.from([(value >> 8) & 0xff, value & 0xff])
}
