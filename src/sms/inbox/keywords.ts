/** What a subscriber's SMS wants, by its words. Pure. */
import { trimAnswer } from '../../ussd/index.ts'

/** Units of an SMS that wishes are looked for in: four messages. What is longer is no keyword. */
const LOOKED_AT = 640

/** Upper case; a subscriber may write them in any case. */
export interface Keywords {
  stop: readonly string[]
  start: readonly string[]
  help: readonly string[]
}

/** `words`: none of the keywords; trimmed, for whoever the SMS answers. */
export type Wish = { is: 'stop' | 'start' | 'help' } | { is: 'words'; words: string }

/**
 * A keyword stands alone, in any case, with whatever punctuation. Only the wish for no SMS is also heard in a longer
 * text that begins with it: "STOP please".
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
