/** The wish in an SMS of a subscriber, by its words. Pure. */
import { trimAnswer } from '../../ussd/index.ts'

/** Units of an SMS in which to look for keywords: four messages. A longer text is not a keyword. */
const LOOKED_AT = 640

/** Upper case; a subscriber may write them in any case. */
export interface Keywords {
  stop: readonly string[]
  start: readonly string[]
  help: readonly string[]
}

/** `words`: no keyword; trimmed, for the service whose SMS it answers. */
export type Wish = { is: 'stop' | 'start' | 'help' } | { is: 'words'; words: string }

/**
 * A keyword stands alone, in capital or small letters, with any punctuation. Only the wish for no SMS also counts at
 * the start of a longer text: "STOP please".
 */
export function wishOf(text: string, keywords: Keywords): Wish {
  const words = trimAnswer(text.slice(0, LOOKED_AT).normalize('NFKC')).replace(EDGES, '')
  const upper = words.toUpperCase()
  const first = upper.split(/[\s\p{P}]/u, 1)[0] ?? ''
  if (keywords.stop.includes(upper) || keywords.stop.includes(first)) return { is: 'stop' }
  if (keywords.start.includes(upper)) return { is: 'start' }
  return keywords.help.includes(upper) ? { is: 'help' } : { is: 'words', words }
}

const EDGES = /^[\s\p{P}]+|[\s\p{P}]+$/gu
