/** Texts as a handset reads and types them: the simulator's own GSM 7-bit and UCS-2 codec. (3GPP TS 23.038) */

/** A text as it arrived, and how much space it took. */
export interface Decoding {
  text: string
  /** units: septets (an extension character takes two) or UCS-2 units; otherwise octets. */
  alphabet: 'gsm7' | 'ucs2' | 'latin1' | 'octets'
  units: number
  octets: number
}

// Index = septet. (3GPP TS 23.038 §6.2.1; 0x1B leads to the extension table)
const DEFAULT =
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\u001bÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?' +
  '¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà'
const EXTENSION = new Map<number, string>([
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
const SEPTETS = new Map<string, number[]>([
  ...Array.from(DEFAULT, (char, septet): [string, number[]] => [char, [septet]]),
  ...Array.from(EXTENSION, ([septet, char]): [string, number[]] => [char, [0x1b, septet]]),
])

/** Unpacked septets, one per octet. Undefined if the alphabet lacks a character. */
export function gsm7(text: string): Buffer | undefined {
  const septets: number[] = []
  for (const char of text) {
    const coded = char === '\u001b' ? undefined : SEPTETS.get(char)
    if (!coded) return undefined
    septets.push(...coded)
  }
  return Buffer.from(septets)
}

/** Reads unpacked septets. An unknown extension shows the default character. (3GPP TS 23.038 §6.2.1.1) */
export function readGsm7(octets: Buffer): string {
  let text = ''
  for (let i = 0; i < octets.length; i++) {
    const septet = octets[i]! & 0x7f
    if (septet !== 0x1b) text += DEFAULT[septet]
    else if (++i < octets.length) text += EXTENSION.get(octets[i]! & 0x7f) ?? DEFAULT[octets[i]! & 0x7f]
  }
  return text
}

/** UTF-16 big-endian octets. */
export function ucs2(text: string): Buffer {
  return Buffer.from(text, 'utf16le').swap16()
}

export function readUcs2(octets: Buffer): string {
  return Buffer.from(octets.subarray(0, octets.length & ~1))
    .swap16()
    .toString('utf16le')
}

/** Unpacks 7-bit octets. A CR that only fills the last octet is dropped. (3GPP TS 23.038 §6.1.2.3.1) */
export function unpack(octets: Buffer): Buffer {
  const count = Math.floor((octets.length * 8) / 7)
  const septets = Buffer.alloc(count)
  for (let i = 0; i < count; i++) {
    const bit = i * 7
    const pair = octets[bit >> 3]! | ((octets[(bit >> 3) + 1] ?? 0) << 8)
    septets[i] = (pair >> (bit & 7)) & 0x7f
  }
  const padded = count % 8 === 0 && septets[count - 1] === 0x0d
  return padded ? septets.subarray(0, count - 1) : septets
}

/** Reads the text of a USSD string. Here data_coding is a CBS data coding scheme. (3GPP TS 23.038 §5) */
export function readUssd(octets: Buffer, dataCoding: number): Decoding {
  const size = octets.length
  if (dataCoding === 0x08 || dataCoding === 0x48) {
    return { text: readUcs2(octets), alphabet: 'ucs2', units: size >> 1, octets: size }
  }
  if (dataCoding === 0x11) {
    return { text: readUcs2(octets.subarray(2)), alphabet: 'ucs2', units: size >> 1, octets: size }
  }
  if (dataCoding === 0x10) return { text: readGsm7(octets.subarray(3)), alphabet: 'gsm7', units: size, octets: size }
  if (dataCoding === 0x44) return { text: octets.toString('latin1'), alphabet: 'octets', units: size, octets: size }
  return { text: readGsm7(octets), alphabet: 'gsm7', units: size, octets: size }
}

/** Reads the text of an SMS. Here data_coding has its SMPP meaning. (SMPP v3.4 §5.2.19) */
export function readSms(octets: Buffer, dataCoding: number): Decoding {
  const size = octets.length
  if (dataCoding === 0x08) return { text: readUcs2(octets), alphabet: 'ucs2', units: size >> 1, octets: size }
  if (dataCoding === 0x03) return { text: octets.toString('latin1'), alphabet: 'latin1', units: size, octets: size }
  if (dataCoding === 0x01) return { text: octets.toString('latin1'), alphabet: 'latin1', units: size, octets: size }
  if (dataCoding === 0x02 || dataCoding === 0x04) {
    return { text: octets.toString('latin1'), alphabet: 'octets', units: size, octets: size }
  }
  return { text: readGsm7(octets), alphabet: 'gsm7', units: size, octets: size }
}

/** Writes what a subscriber typed: GSM 7-bit if possible, otherwise UCS-2. */
export function writeTyped(
  text: string,
  codings: { gsm7: number; ucs2: number },
): { octets: Buffer; dataCoding: number } {
  const septets = gsm7(text)
  return septets ? { octets: septets, dataCoding: codings.gsm7 } : { octets: ucs2(text), dataCoding: codings.ucs2 }
}

/** Whether a USSD string is longer than a network carries: 182 septets or 80 UCS-2 units. (3GPP TS 23.038 §6.1.2.3) */
export function isOver(decoding: Decoding): boolean {
  return decoding.units > (decoding.alphabet === 'ucs2' ? 80 : decoding.alphabet === 'gsm7' ? 182 : 160)
}
