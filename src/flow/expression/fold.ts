/** Words as people type them on a handset: without case, accents and superfluous blanks, in any script. */
import { fewMarks } from '../../ussd/index.ts'

/** `Buy Café` and `buy cafe` become the same. Marks that belong to a letter (Devanagari vowel signs) stay. */
export function folded(text: string): string {
  return fewMarks(text.replace(PHRASES, ' '))
    .normalize('NFKD')
    .replace(LATIN_MARKS, '')
    .toLowerCase()
    .normalize('NFC')
    .replace(/[\s\p{P}]+/gu, ' ')
    .trim()
}

/**
 * Two characters that each stand for four words. Nobody types them, and a text of them would become eighteen times as
 * long.
 */
const PHRASES = /[\ufdfa\ufdfb]/g

/** Combining marks of the Latin, Greek and Cyrillic scripts. */
const LATIN_MARKS = /[\u0300-\u036f]/g

/** How much of a label is compared with what was typed: an answer has at most 160 characters. */
const LABEL_UNITS = 200

/**
 * The only label that the typed words name: the whole label, or else its beginning. Digits alone name no label, because
 * they are the numbers of lines.
 */
export function labelNamed(labels: readonly string[], typed: string): number | undefined {
  const words = folded(typed)
  if (words === '' || /^[\d*#+]/.test(typed.trim())) return undefined
  const all = labels.map((label) => folded(label.slice(0, LABEL_UNITS)))
  const only = (good: (label: string) => boolean) => {
    const first = all.findIndex(good)
    return first >= 0 && all.findLastIndex(good) === first ? first : undefined
  }
  return all.includes(words) ? only((label) => label === words) : only((label) => label.startsWith(words))
}
