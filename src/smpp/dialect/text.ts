/** Texts in a dialect's coding, both ways: octets on the wire ↔ text. The simulator reads the same profile. */
import {
  decodeGsm7,
  encodeGsm7,
  packSeptets,
  uncodableAt,
  unpackSeptets,
  decodeAscii,
  decodeLatin1,
  decodeUcs2,
  decodeUtf8,
  encodeAscii,
  encodeLatin1,
  encodeUcs2,
  fit,
  toGsm7Text,
  transliterate,
  type Alphabet,
  type PageLimit,
} from '../../ussd/index.ts'
import type { DialectProfile, TextCoding, TextInProfile, TextOutProfile } from './schema.ts'

/** Three septets: two letters and CR. (3GPP TS 23.038 §5, 0x10) */
const DCS10_PREFIX = 3
/** Two letters packed in two octets. (0x11) */
const DCS11_PREFIX = 2

/** One page in this dialect: the profile's limits and what its octets hold, minus a language prefix. */
export function pageOf(profile: DialectProfile): PageLimit {
  const { septets, ucs2, octets } = profile.limits
  const { text } = profile.outbound
  const prefix = text.ucs2 !== false && text.ucs2.langPrefix !== undefined ? DCS11_PREFIX : 0
  const units = Math.min(ucs2, Math.floor((octets - prefix) / 2))
  // A text never has fewer septets than UTF-16 units.
  return { septets: isWide(text) ? units : Math.min(septets, Math.floor((octets * 8) / 7)), ucs2: units }
}

/** Every text is UCS-2, even if GSM 7-bit has all its letters. */
function isWide({ ucs2 }: TextOutProfile): boolean {
  return ucs2 !== false && ucs2.always === true
}

/** The text that these octets mean in this coding. */
export function decodeText(octets: Uint8Array, coding: TextCoding): string {
  switch (coding) {
    case 'gsm7':
      return decodeGsm7(octets)
    case 'gsm7packed':
      return decodeGsm7(unpackSeptets(octets))
    case 'latin1':
      return decodeLatin1(octets)
    case 'ascii':
      return decodeAscii(octets)
    case 'utf8':
      return decodeUtf8(octets)
    case 'dcs10':
      return decodeGsm7(octets.subarray(DCS10_PREFIX))
    case 'dcs11':
      return decodeUcs2(octets.subarray(DCS11_PREFIX))
    case 'ucs2be':
      return decodeUcs2(octets)
  }
}

/** The text as octets in this coding; a character that the coding lacks becomes `?`. The inverse of `decodeText`. */
export function encodeText(text: string, coding: TextCoding, lang = 'en'): Buffer {
  switch (coding) {
    case 'gsm7':
      return septetsOf(text)
    case 'gsm7packed':
      return packSeptets(septetsOf(text))
    case 'latin1':
      return encodeLatin1(text)
    case 'ascii':
      return encodeAscii(text)
    case 'utf8':
      return Buffer.from(text, 'utf8')
    case 'dcs10':
      return Buffer.concat([septetsOf(`${lang}\r`), septetsOf(text)])
    case 'dcs11':
      return Buffer.concat([packSeptets(septetsOf(lang)), encodeUcs2(text)])
    case 'ucs2be':
      return encodeUcs2(text)
  }
}

/** The coding that a profile assigns to a data_coding. An odd number of octets is never UCS-2. */
export function codingOf(profile: TextInProfile, dataCoding: number, octets: number): TextCoding {
  const coding = profile.byDcs[dataCoding] ?? profile.fallback
  return coding === 'ucs2be' && octets % 2 === 1 ? 'ascii' : coding
}

/** What the octets of an incoming message say, before an envelope is opened. */
export function readText(profile: TextInProfile, dataCoding: number, octets: Uint8Array): string {
  if (profile.unwrap === 'asciiHex') {
    const digits = decodeLatin1(octets)
    const inner = /^(?:[0-9a-fA-F]{2})*$/.test(digits) ? Buffer.from(digits, 'hex') : octets
    return decodeText(inner, codingOf(profile, dataCoding, inner.length))
  }
  // An envelope is ASCII whatever data_coding says: its `|` would be `ö` in the GSM alphabet.
  const coding = profile.unwrap === 'comviva' ? 'latin1' : codingOf(profile, dataCoding, octets.length)
  return decodeText(octets, coding)
}

/** The text without what gateways append to it. */
export function tidyText(profile: TextInProfile, text: string): string {
  let tidy = text
  for (const extra of profile.stripTrailing) if (tidy.endsWith(extra)) tidy = tidy.slice(0, -1)
  return profile.trim ? tidy.trim() : tidy
}

/** A text ready for the wire, but without the envelope around it. */
export interface CodedText {
  /** As the handset will show it: cut and transliterated where needed. */
  text: string
  alphabet: Alphabet
  dataCoding: number
  octets: Buffer
  /** It was longer than the page and lost its end. */
  cut: boolean
}

/** A text as this dialect writes it. */
export function writeText(profile: TextOutProfile, page: PageLimit, text: string): CodedText {
  const lines = text.replace(/\r\n?/g, '\n').replaceAll('\n', profile.newline)
  const wide = isWide(profile)
  const plain = profile.translit && !wide && uncodableAt(lines) >= 0 ? sparing(lines) : lines
  const wanted = profile.ucs2 === false ? toGsm7Text(plain) : plain
  const shown = fit(wanted, page)
  const cut = shown.length < wanted.length
  if (profile.ucs2 === false || (!wide && uncodableAt(shown) < 0)) {
    const { dcs, packed } = profile.gsm7
    const octets = encodeText(shown, packed ? 'gsm7packed' : 'gsm7')
    return { text: shown, alphabet: 'gsm7', dataCoding: dcs, octets, cut }
  }
  const { dcs, langPrefix } = profile.ucs2
  const octets = encodeText(shown, langPrefix === undefined ? 'ucs2be' : 'dcs11', langPrefix)
  return { text: shown, alphabet: 'ucs2', dataCoding: dcs, octets, cut }
}

const NONE: readonly number[] = []

/** The data_coding of a text: that of the network's message, if it had one and the profile wants it back. */
export function dataCodingOf(coded: CodedText, { gsm7, ucs2 }: TextOutProfile, networkDcs?: number): number {
  const echo = coded.alphabet === 'gsm7' ? gsm7.echo : ucs2 === false ? NONE : ucs2.echo
  return networkDcs !== undefined && echo.includes(networkDcs) ? networkDcs : coded.dataCoding
}

/** Transliterates if that makes the whole text GSM 7-bit; otherwise leaves it, because UCS-2 would be needed anyway. */
function sparing(text: string): string {
  const plain = transliterate(text)
  return uncodableAt(plain) < 0 ? plain : text
}

function septetsOf(text: string): Buffer {
  return encodeGsm7(text) ?? (encodeGsm7(toGsm7Text(text)) as Buffer)
}
