/**
 * Right-to-left texts: the marks by which a handset orders them rightly, whatever direction its screen has. Only the
 * two marks that every handset with such letters knows (Unicode 1.1): newer ones show as boxes on old handsets.
 */

/** Left-to-right mark: a letter of no width. */
const LRM = '\u200e'
/** Right-to-left mark. */
const RLM = '\u200f'
const MARKS = /[\u200e\u200f]/g

/** Languages written from right to left, by their primary tag; others say it by their script (`ku-Arab`). */
const RTL_LANGUAGES: ReadonlySet<string> = new Set([
  'ar',
  'arc',
  'ckb',
  'dv',
  'fa',
  'he',
  'iw',
  'ps',
  'sd',
  'syr',
  'ug',
  'ur',
  'yi',
])

/** Whether a language is written from right to left. */
export function isRtl(language: string): boolean {
  const [primary = '', ...rest] = language.split('-')
  const script = rest.find((part) => part.length === 4)
  if (script !== undefined) return /^(arab|hebr|syrc|thaa|nkoo)$/i.test(script)
  return RTL_LANGUAGES.has(primary)
}

const RTL_LETTER = /[\u0591-\u07ff\u200f\ufb1d-\ufdfd\ufe70-\ufefc]/
/** Punctuation whose direction is its own. */
const OWN_SIGNS = '؟؛'
/** A code to dial, or a number with its plus: their signs have no direction of their own. */
const CODE = /(?<![\u200e\d*#+])(?:[*#]\d[\d*#]*#|\+\d(?:[\d ]*\d)?)(?![\u200e\d*#])/g

/**
 * The text with its marks: lines of a page that begin or end with a sign, a digit or a Latin letter are ordered from
 * the right, and codes from the left. A text without right-to-left letters stays as it is. Twice is as once.
 */
export function directed(text: string): string {
  return RTL_LETTER.test(text) ? text.split('\n').map(directedLine).join('\n') : text
}

function directedLine(line: string): string {
  if (line.trim() === '') return line
  const whole = line.replace(CODE, (code) => `${LRM}${code}${LRM}`)
  const begins = RTL_LETTER.test(whole.charAt(0)) ? '' : RLM
  const last = whole.at(-1) as string
  const ends = /[\p{P}\p{S}]/u.test(last) && !OWN_SIGNS.includes(last) && !RTL_LETTER.test(last) ? RLM : ''
  return `${begins}${whole}${ends}`
}

/** A value within a right-to-left text: one that reads from the left keeps its signs and parts in that order. */
export function directedValue(value: string): string {
  if (RTL_LETTER.test(value) || !/[\p{L}\p{N}]/u.test(value)) return value
  // One number keeps its order, and so does one run of Latin words.
  if (/^\d+(?:[.,:/]\d+)*$/.test(value) || /^\p{L}(?:[\p{L}\d ]*[\p{L}\d])?$/u.test(value)) return value
  return `${LRM}${value}${LRM}`
}

/** The text without its marks, as people write and compare it. */
export function undirected(text: string): string {
  return text.replace(MARKS, '')
}
