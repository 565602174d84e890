/**
 * Checks for letters that GSM 7-bit does not have. Each is reported, or all in one problem if the language uses such
 * letters throughout.
 */
import { uncodableAt, transliterate, USSD_PAGE } from '../../ussd/index.ts'
import type { Complain } from './check.ts'

export interface WrittenText {
  screen: string
  language: string
  words: string
  where: string
}

/** How many characters are named. More would not help to find them. */
const NAMED_MAX = 8

const PAGE = `a page then holds only ${USSD_PAGE.ucs2} characters, not ${USSD_PAGE.septets}`

export function checkScript(texts: readonly WrittenText[], complain: Complain): void {
  for (const language of new Set(texts.map((text) => text.language))) {
    const own = texts.filter((text) => text.language === language)
    const said = own.filter(({ words }) => strangeIn(words).length > 0)
    const lettered = said.filter(({ words }) => strangeIn(words).some((character) => /\p{L}/u.test(character)))
    const [first] = lettered
    if (first && lettered.length > 1 && lettered.length * 2 > own.length) {
      const what = `${lettered.length} of ${own.length} texts in '${language}' have letters that GSM 7-bit lacks`
      complain('warning', { rule: 'letters', where: first.where, what: `${what}; ${PAGE}` })
    } else for (const text of said) strange(text, complain)
  }
}

function strange({ screen, words, where }: WrittenText, complain: Complain): void {
  const names = strangeIn(words)
    .slice(0, NAMED_MAX)
    .map((character) => `${character} (${codePoint(character)})`)
  const plain = transliterate(words)
  complain('warning', {
    rule: 'letters',
    where,
    what: `screen '${screen}': GSM 7-bit lacks ${names.join(', ')}; ${PAGE}`,
    ...(uncodableAt(plain) < 0 ? { remedy: `write '${plain}'` } : {}),
  })
}

function strangeIn(words: string): string[] {
  return [...new Set(words)].filter((character) => uncodableAt(character) >= 0)
}

function codePoint(character: string): string {
  return `U+${(character.codePointAt(0) as number).toString(16).toUpperCase().padStart(4, '0')}`
}
