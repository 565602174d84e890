/** Texts in the 8-bit and wider alphabets of USSD and SMS: UCS-2, Latin-1, ASCII, UTF-8. */

/** UTF-16, big-endian, without a byte order mark: what handsets read as UCS-2. */
export function encodeUcs2(text: string): Buffer {
  return Buffer.from(text, 'utf16le').swap16()
}

/** Reads what `encodeUcs2` writes. An odd octet at the end is dropped. A byte order mark is obeyed and dropped. */
export function decodeUcs2(octets: Uint8Array): string {
  const even = Buffer.from(octets.subarray(0, octets.length & ~1))
  const littleEndian = even.length >= 2 && even[0] === 0xff && even[1] === 0xfe
  const text = (littleEndian ? even : even.swap16()).toString('utf16le')
  return text.startsWith('\ufeff') ? text.slice(1) : text
}

/** ISO 8859-1; characters without a code become `?`. */
export function encodeLatin1(text: string): Buffer {
  return Buffer.from(replaceAbove(text, 0xff), 'latin1')
}

export function decodeLatin1(octets: Uint8Array): string {
  return view(octets).toString('latin1')
}

/** IA5 / ASCII; characters without a code become `?`. */
export function encodeAscii(text: string): Buffer {
  return Buffer.from(replaceAbove(text, 0x7f), 'latin1')
}

/** Octets above 0x7F are read as Latin-1: senders that set the wrong coding mean Latin-1. */
export function decodeAscii(octets: Uint8Array): string {
  return decodeLatin1(octets)
}

/** UTF-8; broken sequences give U+FFFD. */
export function decodeUtf8(octets: Uint8Array): string {
  return view(octets).toString('utf8')
}

function view(octets: Uint8Array): Buffer {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength)
}

function replaceAbove(text: string, highest: number): string {
  let out = ''
  for (const character of text) out += (character.codePointAt(0) as number) <= highest ? character : '?'
  return out
}
