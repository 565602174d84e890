/** What a subscriber wants, by the words of the SMS. Pure. */
import { trimAnswer } from '../../ussd/index.ts'

/** How many units of an SMS are searched for keywords: four messages. A longer text is not a keyword. */
const LOOKED_AT = 640

/** In capitals; a subscriber may write them in any case. */
export interface Keywords {
  stop: readonly string[]
  start: readonly string[]
  help: readonly string[]
  /** After a word of `stop` or `start`: of all services. */
  all: readonly string[]
}

/** `words`: not a keyword; trimmed, for the service whose SMS it answers. */
export type Wish = { is: 'stop' | 'start'; all: boolean } | { is: 'help' } | { is: 'words'; words: string }

/**
 * A keyword stands alone, in capital or small letters, with any punctuation. Only the keyword for no more SMS also
 * counts at the start of a longer text: "STOP please". `all` may follow it: "STOP ALL", "START ALL".
 */
export function wishOf(text: string, keywords: Keywords): Wish {
  const words = plainWords(text)
  const upper = words.toUpperCase()
  const [first = '', second = ''] = upper.split(BETWEEN, 2)
  const all = keywords.all.includes(second)
  if (keywords.stop.includes(upper) || keywords.stop.includes(first)) return { is: 'stop', all }
  if (keywords.start.includes(upper)) return { is: 'start', all: false }
  if (keywords.start.includes(first) && all && isTwo(upper)) return { is: 'start', all }
  return keywords.help.includes(upper) ? { is: 'help' } : { is: 'words', words }
}

const BETWEEN = /[\s\p{P}]+/u
const isTwo = (words: string) => words.split(BETWEEN, 3).length === 2
const plainWords = (text: string) => trimAnswer(text.slice(0, LOOKED_AT).normalize('NFKC')).replace(EDGES, '')

/** A word that starts a flow. */
export interface FlowWord {
  flow: string
  /** Empty: any. */
  numbers: readonly string[]
  answer: 'sms' | 'screen'
}

/** The one that this SMS is, and nothing else; `word` as the settings have it. */
export function flowWordIn(
  { text, to }: { text: string; to: string },
  words: Readonly<Record<string, FlowWord>>,
): (FlowWord & { word: string }) | undefined {
  const upper = plainWords(text).toUpperCase()
  const [word, found] = Object.entries(words).find(([one]) => one.toUpperCase() === upper) ?? []
  const isMeant = found && (found.numbers.length === 0 || found.numbers.includes(to.replace(/^\+/, '')))
  return isMeant ? { word: word!, ...found } : undefined
}

const EDGES = /^[\s\p{P}]+|[\s\p{P}]+$/gu
