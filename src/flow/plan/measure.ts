/** Measures whether what a screen shows fits on its page. */
import { alphabetOf, count, directed, fits, USSD_PAGE } from '../../ussd/index.ts'
import type { Text, TextKey } from '../terms/index.ts'

/** What a screen is measured with, in one language. */
export interface Measuring {
  /** A text without values, or with values of the likely length. */
  say(text: Text, values: 'none' | 'likely'): string
  word(key: TextKey): string
  /** The lines that name the keys. */
  under: string
}

/** `what` continues the name of the screen. */
export interface Overfull {
  severity: 'error' | 'warning'
  what: string
  remedy?: string
}

/** The marks of right-to-left lines count, too. */
export const fitsPage = (text: string): boolean => fits(text, { ...USSD_PAGE, isRtl: true })

/** For a text that cannot have pages: it is too long as written, or it is too long with long values. */
export function unpaged(lines: { never: boolean; likely: boolean }, said: { over: string; thing: string }): Overfull[] {
  const remedy = `a ${said.thing} must fit on one page`
  if (lines.never) return [{ severity: 'error', what: said.over, remedy }]
  if (!lines.likely) return []
  const what = `: long values are cut, because ${remedy}`
  return [{ severity: 'warning', what, remedy: 'limit their length (expect, length, pattern), or show fewer of them' }]
}

/**
 * How many SMS the text takes: one SMS has 160 septets or 70 units; parts of a longer text have fewer. (3GPP TS 23.040
 * §9.2.3.24)
 */
export function smsOf(written: string): number {
  const text = directed(written)
  if (fits(text, { septets: 160, ucs2: 70 })) return 1
  const alphabet = alphabetOf(text)
  return Math.ceil(count(text, alphabet) / (alphabet === 'gsm7' ? 153 : 67))
}
