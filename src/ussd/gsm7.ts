/** The GSM 7-bit default alphabet with its extension table, as unpacked and as packed septets. */

/** 3GPP TS 23.038 §6.2.1; index = septet. U+FFFF is at 0x1B, the escape to the extension table. */
export const GSM7_DEFAULT =
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\uffffÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?' +
  '¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà'

/** 3GPP TS 23.038 §6.2.1.1: septet after the escape → character. */
export const GSM7_EXTENSION: ReadonlyMap<number, string> = new Map([
  [0x0a, '\f'],
  [0x14, '^'],
  [0x28, '{'],
  [0x29, '}'],
  [0x2f, '\\'],
  [0x3c, '['],
  [0x3d, '~'],
  [0x3e, ']'],
  [0x40, '|'],
  [0x65, '€'],
])

export const ESCAPE = 0x1b
const CR = 0x0d
/** In `SEPTETS`: no such character. Extension characters have the high bit; none of them is 0x7F. */
const NONE = 0xff
const EXTENDED = 0x80

/** UTF-16 unit → septet, or 0x80 + septet after the escape, or NONE. */
const SEPTETS = lookup()

/** Index of the first UTF-16 unit that GSM 7-bit does not have, or -1. */
export function uncodableAt(text: string): number {
  for (let i = 0; i < text.length; i++) if (SEPTETS[text.charCodeAt(i)] === NONE) return i
  return -1
}

/** How many septets the text takes, or -1 if GSM 7-bit does not have all of it. Read once: pages are tried often. */
export function septetsIn(text: string): number {
  let septets = 0
  for (let i = 0; i < text.length; i++) {
    const code = SEPTETS[text.charCodeAt(i)]!
    if (code === NONE) return -1
    septets += code >= EXTENDED ? 2 : 1
  }
  return septets
}

/**
 * How many septets the text takes. Extension characters take 2; characters without a code count as 1 (they become `?`).
 */
export function countGsm7(text: string): number {
  let septets = 0
  for (let i = 0; i < text.length; i++) {
    const code = SEPTETS[text.charCodeAt(i)] ?? NONE
    septets += code !== NONE && code >= EXTENDED ? 2 : 1
  }
  return septets
}

/** One septet per octet, as in SMPP. Null if a character has no code (`uncodableAt` says which). */
export function encodeGsm7(text: string): Buffer | null {
  const octets = Buffer.allocUnsafe(countGsm7(text))
  let at = 0
  for (let i = 0; i < text.length; i++) {
    const code = SEPTETS[text.charCodeAt(i)] ?? NONE
    if (code === NONE) return null
    if (code >= EXTENDED) octets[at++] = ESCAPE
    octets[at++] = code & 0x7f
  }
  return octets
}

/**
 * The text of unpacked septets. An escape before a septet that is not in the extension table gives that septet's
 * character of the default table (3GPP TS 23.038 §6.2.1.1). An escape at the end gives nothing. The high bit is
 * ignored.
 */
export function decodeGsm7(octets: Uint8Array): string {
  const plain = asciiOctets(octets)
  let text = latin1Of(octets, plain)
  for (let i = plain; i < octets.length; i++) {
    let septet = (octets[i] as number) & 0x7f
    if (septet !== ESCAPE) {
      text += GSM7_DEFAULT[septet]
      continue
    }
    if (++i >= octets.length) break
    septet = (octets[i] as number) & 0x7f
    // Two escapes are reserved for another extension table; the same clause says to show a blank.
    text += septet === ESCAPE ? ' ' : (GSM7_EXTENSION.get(septet) ?? GSM7_DEFAULT[septet])
  }
  return text
}

/** How many octets at the start are characters that have the same code in ASCII: nearly every text has no others. */
function asciiOctets(octets: Uint8Array): number {
  let at = 0
  while (at < octets.length && IS_ASCII[octets[at] as number] === 1) at++
  return at
}

function latin1Of(octets: Uint8Array, end: number): string {
  const buffer = octets instanceof Buffer ? octets : Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength)
  return buffer.toString('latin1', 0, end)
}

/**
 * Septets packed into octets as USSD does it. If seven bits are left over, they hold CR: zero bits would show `@`. A
 * text that really ends with CR on an octet boundary gets another CR. (3GPP TS 23.038 §6.1.2.3.1)
 */
export function packSeptets(septets: Uint8Array): Buffer {
  const spare = septets.length % 8
  const needsCr = spare === 7 || (spare === 0 && septets.length > 0 && septets[septets.length - 1] === CR)
  const count = septets.length + (needsCr ? 1 : 0)
  const octets = Buffer.alloc(Math.ceil((count * 7) / 8))
  for (let i = 0; i < count; i++) {
    const septet = (septets[i] ?? CR) & 0x7f
    const bit = i * 7
    const at = bit >> 3
    const shifted = septet << (bit & 7)
    octets[at] = (octets[at] as number) | (shifted & 0xff)
    if (shifted > 0xff) octets[at + 1] = shifted >> 8
  }
  return octets
}

/** The inverse of `packSeptets`. A CR that ends on an octet boundary is padding and is dropped. */
export function unpackSeptets(octets: Uint8Array): Buffer {
  const count = Math.floor((octets.length * 8) / 7)
  const septets = Buffer.alloc(count)
  for (let i = 0; i < count; i++) {
    const bit = i * 7
    const at = bit >> 3
    const pair = (octets[at] as number) | ((octets[at + 1] ?? 0) << 8)
    septets[i] = (pair >> (bit & 7)) & 0x7f
  }
  const padded = count > 0 && count % 8 === 0 && septets[count - 1] === CR
  return padded ? septets.subarray(0, count - 1) : septets
}

/** Octet → 1 if GSM 7-bit has the same character there as ASCII. */
const IS_ASCII = Uint8Array.from({ length: 256 }, (_, octet) => (GSM7_DEFAULT.charCodeAt(octet) === octet ? 1 : 0))

function lookup(): Uint8Array {
  const table = new Uint8Array(65_536).fill(NONE)
  for (let septet = 0; septet < 128; septet++) {
    if (septet !== ESCAPE) table[GSM7_DEFAULT.charCodeAt(septet)] = septet
  }
  for (const [septet, character] of GSM7_EXTENSION) table[character.charCodeAt(0)] = EXTENDED | septet
  return table
}
