/** Texts as a handset shows them: the alphabet that they need, their length in it, and where they may be cut. */
import type { Alphabet, PageLimit } from './vocabulary.ts'
import { directed } from './direction.ts'
import { countGsm7, septetsIn, uncodableAt } from './gsm7.ts'

/** The longest input that is kept, in UTF-16 units. No handset sends more (182), and no screen reads more. */
export const INPUT_UNITS_MAX = 256

/** `gsm7` if every character has a code there, else `ucs2`. (3GPP TS 23.038 §5) */
export function alphabetOf(text: string): Alphabet {
  return uncodableAt(text) < 0 ? 'gsm7' : 'ucs2'
}

/** The length in the units of this alphabet: septets (extension characters take two), or UTF-16 units. */
export function count(text: string, alphabet: Alphabet): number {
  return alphabet === 'gsm7' ? countGsm7(text) : text.length
}

/** Whether the text fits the limit in the alphabet that it needs. A text that is far too long is not read in full. */
export function fits(text: string, limit: PageLimit): boolean {
  if (text.length > longestPage(limit)) return false
  if (limit.isRtl) return fits(directed(text), { septets: limit.septets, ucs2: limit.ucs2 })
  const septets = septetsIn(text)
  return septets < 0 ? text.length <= limit.ucs2 : septets <= limit.septets
}

/** No page has more UTF-16 units, whatever its alphabet. */
export function longestPage({ septets, ucs2 }: PageLimit): number {
  return Math.max(septets, ucs2)
}

/**
 * The longest beginning of the text that fits the limit. Never cuts within an escape pair, a surrogate pair or a
 * cluster of a base and its marks, unless one cluster alone is over the limit.
 */
export function fit(text: string, limit: PageLimit): string {
  if (fits(text, limit)) return text
  if (limit.isRtl) return fitDirected(text, limit)
  // The beginning may fit GSM 7-bit although the whole text does not. It may then be longer than a UCS-2 page.
  const inGsm7 = text.slice(0, boundaryAt(text, gsm7Reach(text, limit.septets)))
  const inUcs2 = text.slice(0, boundaryAt(text, limit.ucs2))
  return inUcs2.length > inGsm7.length && fits(inUcs2, limit) ? inUcs2 : inGsm7
}

/** The same for a text whose marks take room. */
function fitDirected(text: string, limit: PageLimit): string {
  let cut = fit(text, { septets: limit.septets, ucs2: limit.ucs2 })
  while (cut !== '' && !fits(cut, limit)) cut = cut.slice(0, boundaryAt(cut, cut.length - 1))
  return cut
}

/** The last position at or before `index` where a cut does not look broken to a reader. Surrogates are never split. */
export function boundaryAt(text: string, index: number): number {
  if (index <= 0) return 0
  if (index >= text.length) return text.length
  const start = clusterAt(text, index)
  if (start > 0) return start
  return isLowSurrogate(text, index) && isHighSurrogate(text, index - 1) ? index - 1 : index
}

/** The start of the cluster (what a reader takes for one character) at `index`. */
export function clusterAt(text: string, index: number): number {
  // A boundary depends only on the text before it and the character after it, so nothing else is examined.
  return GRAPHEMES.segment(text.slice(0, index + 2)).containing(index)?.index ?? index
}

/**
 * Changes the text to GSM 7-bit where a reader loses nothing: typographic quotes, dashes and blanks become plain ones,
 * and Latin letters lose accents that the alphabet lacks. Other scripts stay (they need UCS-2).
 */
export function transliterate(text: string): string {
  if (uncodableAt(text) < 0) return text
  let out = ''
  for (const character of fewMarks(text).normalize('NFC')) {
    out += uncodableAt(character) < 0 ? character : (PLAIN.get(character) ?? baseLetter(character))
  }
  return out
}

/**
 * No letter of any script has more marks in a row. `normalize` sorts marks first, in time that grows with the square of
 * their number: 0.2 s for 16,000 in a row. (UAX #15, Stream-Safe Text Format)
 */
export function fewMarks(text: string): string {
  return text.replace(MANY_MARKS, '$1')
}

/** `transliterate`, then `?` for each character that GSM 7-bit still lacks. */
export function toGsm7Text(text: string): string {
  let out = ''
  for (const character of transliterate(text)) out += uncodableAt(character) < 0 ? character : '?'
  return out
}

/**
 * What a subscriber typed, safe to keep and to show: no NUL, no lone surrogates, no control characters except line
 * feeds, no direction overrides. CR becomes LF, tabs become blanks. At most `unitsMax` units.
 */
export function clean(text: string, unitsMax = INPUT_UNITS_MAX): string {
  if (text.length <= unitsMax && isPrintableAscii(text)) return text
  const kept = text
    .slice(0, 4 * unitsMax)
    .replace(LONE_SURROGATE, '')
    .replace(LINE_ENDS, '\n')
    .replaceAll('\t', ' ')
    .replace(UNWANTED, '')
  return kept.slice(0, boundaryAt(kept, unitsMax))
}

/** An answer without surrounding blanks, with digits of any script as ASCII digits. */
export function trimAnswer(text: string): string {
  if (isPrintableAscii(text)) return text.trim()
  return asciiDigits(text.replace(INVISIBLE, '')).trim()
}

/** Whether it has characters of ASCII only, and no control characters. */
export function isPrintableAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x20 || code > 0x7e) return false
  }
  return true
}

/** Decimal digits of any script (Arabic-Indic, Devanagari, full width …) as ASCII digits. */
export function asciiDigits(text: string): string {
  return text.replace(FOREIGN_DIGIT, (digit) => String(digitValue(digit)))
}

const GRAPHEMES = new Intl.Segmenter('und', { granularity: 'grapheme' })
const LINE_ENDS = /\r\n?|[\u2028\u2029\u0085]/g
const LONE_SURROGATE = /\p{Cs}/gu
// Control characters except LF; bidi marks, embeddings, isolates; byte order mark and non-characters; U+FFFD (a broken
// sequence).
const UNWANTED = new RegExp(
  '[\\u0000-\\u0009\\u000b-\\u001f\\u007f-\\u009f\\u061c\\u200e\\u200f' +
    '\\u202a-\\u202e\\u2066-\\u2069\\ufeff\\ufffd-\\uffff]',
  'g',
)
const MANY_MARKS = /(\p{M}{30})\p{M}+/gu
const INVISIBLE = /[\u200b\u2060\ufeff\u00ad]/g
const FOREIGN_DIGIT = /(?![0-9])\p{Nd}/gu
const DIGIT = /\p{Nd}/u

/** Characters with a plain equivalent in GSM 7-bit. '' removes the character. */
const PLAIN: ReadonlyMap<string, string> = new Map([
  ...each('‘’‚‛′ʼ`´ʻ', "'"),
  ...each('“”„‟″«»', '"'),
  ...each('‹', '<'),
  ...each('›', '>'),
  ...each('‐‑‒–—―−\u2043', '-'),
  ...each('•·∙', '-'),
  ...each('\u00a0\u202f\u2000\u2001\u2002\u2003\u2004', ' '),
  ...each('\u2005\u2006\u2007\u2008\u2009\u200a\u205f\u3000\t', ' '),
  ...each('\u200b\u2060\ufeff\u00ad', ''),
  ['…', '...'],
  ['⁄', '/'],
  ['×', 'x'],
  ['©', '(c)'],
  ['®', '(R)'],
  ['™', '(TM)'],
  ['№', 'No.'],
  ['½', '1/2'],
  ['¼', '1/4'],
  ['¾', '3/4'],
  ['ª', 'a'],
  ['º', 'o'],
  ['¹', '1'],
  ['²', '2'],
  ['³', '3'],
  ['đ', 'd'],
  ['Đ', 'D'],
  ['ð', 'd'],
  ['Ð', 'D'],
  ['ħ', 'h'],
  ['Ħ', 'H'],
  ['ı', 'i'],
  ['ł', 'l'],
  ['Ł', 'L'],
  ['ŋ', 'n'],
  ['Ŋ', 'N'],
  ['œ', 'oe'],
  ['Œ', 'OE'],
  ['ŧ', 't'],
  ['Ŧ', 'T'],
  ['þ', 'th'],
  ['Þ', 'Th'],
  ['ɓ', 'b'],
  ['Ɓ', 'B'],
  ['ɗ', 'd'],
  ['Ɗ', 'D'],
  ['ƙ', 'k'],
  ['Ƙ', 'K'],
  ['ƴ', 'y'],
  ['Ƴ', 'Y'],
  ['ẞ', 'ß'],
  ['ɛ', 'e'],
  ['Ɛ', 'E'],
  ['ɔ', 'o'],
  ['Ɔ', 'O'],
  ['ŉ', "'n"],
  ['ĸ', 'k'],
  ['ſ', 's'],
  ['ƒ', 'f'],
])

function each(characters: string, plain: string): [string, string][] {
  return [...characters].map((character) => [character, plain])
}

function baseLetter(character: string): string {
  const base = character.normalize('NFD').replace(/\p{M}+/gu, '')
  return /^[A-Za-z]$/.test(base) ? base : character
}

/** How many UTF-16 units of the beginning are in GSM 7-bit and within this many septets. */
function gsm7Reach(text: string, septets: number): number {
  let used = 0
  for (let i = 0; i < text.length; i++) {
    const character = text.charAt(i)
    if (uncodableAt(character) === 0) return i
    used += countGsm7(character)
    if (used > septets) return i
  }
  return text.length
}

/** The digits of a script form a run of ten from its zero; runs may be adjacent. (Unicode, general category Nd) */
function digitValue(digit: string): number {
  const code = digit.codePointAt(0) as number
  let run = 0
  while (DIGIT.test(String.fromCodePoint(code - run - 1))) run++
  return run % 10
}

function isHighSurrogate(text: string, index: number): boolean {
  return (text.charCodeAt(index) & 0xfc00) === 0xd800
}

function isLowSurrogate(text: string, index: number): boolean {
  return (text.charCodeAt(index) & 0xfc00) === 0xdc00
}
