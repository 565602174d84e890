/** GSM 7-bit with national language shift tables. Only for SMS: a USSD string has no header that could name a table. */
import { ESCAPE, GSM7_DEFAULT, GSM7_EXTENSION } from './gsm7.ts'
import { LOCKING_TABLES, SINGLE_TABLES } from './national-tables.ts'

/** National language identifiers, 0 for the default tables. (3GPP TS 23.038 §6.2.1.2.4) */
export interface Shift {
  /** Replaces the default alphabet. */
  locking: number
  /** Replaces the extension table. */
  single: number
}

export const NO_SHIFT: Shift = { locking: 0, single: 0 }

/** Languages by name, as in the settings of a line. Spanish has a single shift table only. */
export const LANGUAGES = {
  turkish: 1,
  spanish: 2,
  portuguese: 3,
  bengali: 4,
  gujarati: 5,
  hindi: 6,
  kannada: 7,
  malayalam: 8,
  oriya: 9,
  punjabi: 10,
  tamil: 11,
  telugu: 12,
  urdu: 13,
} as const

/** The text of unpacked septets. An unassigned identifier means the default tables. (§6.2.1.2.4) */
export function decodeNational(octets: Uint8Array, shift: Shift): string {
  const locking = LOCKING_TABLES.get(shift.locking) ?? GSM7_DEFAULT
  const single = SINGLE_TABLES.get(shift.single)
  let text = ''
  for (let i = 0; i < octets.length; i++) {
    let septet = (octets[i] as number) & 0x7f
    if (septet !== ESCAPE) {
      text += locking[septet]
      continue
    }
    if (++i >= octets.length) break
    septet = (octets[i] as number) & 0x7f
    text += septet === ESCAPE ? ' ' : (extended(single, septet) ?? locking[septet])
  }
  return text
}

/** One septet per octet, or null if the tables lack a character. */
export function encodeNational(text: string, shift: Shift): Buffer | null {
  const codes = codesOf(shift)
  const octets: number[] = []
  for (const character of text) {
    const code = codes.get(character)
    if (code === undefined) return null
    octets.push(...code)
  }
  return Buffer.from(octets)
}

/**
 * The shift in which a text takes the fewest septets, including its header (4 octets for one table, 7 for both, counted
 * in septets). Null if no language has all its characters. The default tables come first.
 */
export function shiftFor(text: string, languages: readonly number[]): Shift | null {
  let best: { shift: Shift; septets: number } | null = null
  for (const shift of [NO_SHIFT, ...languages.flatMap(shiftsOf)]) {
    const octets = encodeNational(text, shift)
    if (!octets) continue
    const septets = octets.length + Math.ceil((headerOctets(shift) * 8) / 7)
    if (!best || septets < best.septets) best = { shift, septets }
  }
  return best?.shift ?? null
}

/** Information elements for a user data header, without its length octet: `25 01 NLI 24 01 NLI`. */
export function shiftElements(shift: Shift): Buffer {
  const locking = shift.locking === 0 ? [] : [0x25, 1, shift.locking]
  const single = shift.single === 0 ? [] : [0x24, 1, shift.single]
  return Buffer.from([...locking, ...single])
}

function headerOctets(shift: Shift): number {
  const elements = shiftElements(shift).length
  return elements === 0 ? 0 : elements + 1
}

function shiftsOf(language: number): Shift[] {
  const single = { locking: 0, single: language }
  if (!LOCKING_TABLES.has(language)) return [single]
  return [single, { locking: language, single: 0 }, { locking: language, single: language }]
}

const codesByShift = new Map<number, ReadonlyMap<string, readonly number[]>>()

/** Character → its septets, built once per pair of tables. */
function codesOf(shift: Shift): ReadonlyMap<string, readonly number[]> {
  // An unassigned identifier means the default table, so there are never more than 14 × 14 entries.
  const locking = LOCKING_TABLES.has(shift.locking) ? shift.locking : 0
  const single = SINGLE_TABLES.has(shift.single) ? shift.single : 0
  const key = locking * 16 + single
  const known = codesByShift.get(key)
  if (known) return known
  const codes = buildCodes(LOCKING_TABLES.get(locking) ?? GSM7_DEFAULT, SINGLE_TABLES.get(single))
  codesByShift.set(key, codes)
  return codes
}

function buildCodes(locking: string, single: string | undefined): Map<string, readonly number[]> {
  const codes = new Map<string, readonly number[]>()
  for (let septet = 127; septet >= 0; septet--) {
    const character = extended(single, septet)
    if (character !== undefined && septet !== ESCAPE) codes.set(character, [ESCAPE, septet])
  }
  // One septet is shorter than two. A blank is 0x20, although unused positions of the tables also show a blank.
  for (let septet = 127; septet >= 0; septet--) {
    const character = locking[septet] as string
    if (septet !== ESCAPE && (character !== ' ' || septet === 0x20)) codes.set(character, [septet])
  }
  return codes
}

function extended(single: string | undefined, septet: number): string | undefined {
  if (single === undefined) return GSM7_EXTENSION.get(septet)
  const character = single[septet]
  return character === ' ' ? undefined : character
}
