/**
 * Replaces a text by x of the same length, so that it stays valid in its coding. Of a dialled code, the part that may
 * be shown stays.
 */

export interface RedactText {
  dataCoding: number
  /** It begins with a user data header, which stays. */
  header: boolean
  /**
   * The code as it may be shown, with the same length. Null: it is not a code, or it may be the answer to a question.
   */
  code(written: string): string | null
}

/** `*123#`, `*384*1#`, and what networks append to them. */
const CODE = /^([*#]{1,3}\d+(?:[*#]+\d+)*[*#]*)([\r\0@]?)$/
/** Appendix B of SMPP v3.4: ids, dates and states are not personal; the beginning of the text at the end is. */
const RECEIPT = /^\s*id:\S+ /i
const HEX = /^(?:[0-9a-f]{2}){4,}$/i
const X = 0x78

/** The length stays. Octets above 0x7F in place of septets mean that they are packed; then x is packed too. */
export function fillText(octets: Buffer, { dataCoding, header, code }: RedactText): Buffer {
  const skipped = header ? Math.min(octets.length, 1 + (octets[0] ?? 0)) : 0
  const said = octets.subarray(skipped)
  return Buffer.concat([octets.subarray(0, skipped), fill(said, dataCoding, code)])
}

function fill(octets: Buffer, dataCoding: number, codeOf: RedactText['code']): Buffer {
  const latin = octets.toString('latin1')
  if (RECEIPT.test(latin)) return receipt(latin)
  const [, written, padding] = CODE.exec(latin) ?? []
  const code = written === undefined ? null : codeOf(written)
  if (code !== null) return Buffer.from(code + padding, 'latin1')
  if (isUcs2(dataCoding)) return ucs2(octets, dataCoding)
  if (HEX.test(latin)) return Buffer.alloc(octets.length, '78')
  return isSeptets(dataCoding) && octets.some((octet) => octet > 0x7f)
    ? packed(octets.length)
    : Buffer.alloc(octets.length, X)
}

function receipt(latin: string): Buffer {
  const at = /text:/i.exec(latin)
  const end = at ? at.index + at[0].length : latin.length
  return Buffer.from(latin.slice(0, end) + 'x'.repeat(latin.length - end), 'latin1')
}

/** 8 and the general groups with those bits; with 0x11, two octets of language come first. (3GPP TS 23.038 §4, §5) */
function isUcs2(dataCoding: number): boolean {
  if (dataCoding === 0x08 || dataCoding === 0x11) return true
  return dataCoding >= 0x40 && dataCoding < 0x80 && (dataCoding & 0x0c) === 0x08
}

function isSeptets(dataCoding: number): boolean {
  return dataCoding === 0 || dataCoding === 1 || dataCoding === 0x0f || dataCoding === 0x10
}

function ucs2(octets: Buffer, dataCoding: number): Buffer {
  const filled = Buffer.from(octets)
  for (let i = dataCoding === 0x11 ? 2 : 0; i < filled.length; i++) filled[i] = i % 2 === 0 ? 0 : X
  return filled
}

/** Packed septets of x: seven octets for every eight. (3GPP TS 23.038 §6.1.2.1.1) */
function packed(length: number): Buffer {
  const octets = Buffer.alloc(length)
  for (let bit = 0; bit < length * 8; bit++) {
    const isSet = (X >> (bit % 7)) & 1
    if (isSet) octets[bit >> 3]! |= 1 << (bit & 7)
  }
  return octets
}
