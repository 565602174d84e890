/** The texts of a flow in each of its languages, compiled once. */
import type { DialogueContext } from '../../../machines/dialogue.ts'
import { compileCondition, Slip, type Condition, type ConditionSource, type Scope } from '../expression/index.ts'
import { DEFAULT_DATE_FORMAT, type DateFormat } from '../../base/index.ts'
import { type Text, builtIn, type TextKey } from '../terms/index.ts'
import { isRtl } from '../../ussd/index.ts'
import { compileMessage, type Filling, type Message } from './message.ts'

/** The parts of a flow that its texts are made from. */
export interface Wording {
  languages: readonly string[]
  zone: string
  formats: Readonly<Record<string, Partial<Record<keyof DateFormat | 'locale', string | undefined>>>>
  /** Its own texts in place of built-in ones, by language. */
  texts: Readonly<Record<string, Partial<Record<TextKey, string | undefined>>>>
  /** Translations, by language and text. */
  catalogues: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** Texts may quote the bounds of its inputs. */
  screens?: Readonly<Record<string, object>>
}

/** A text in the dialogue's language. */
export interface SayText {
  (scope: Scope, filling?: Filling): string
  /** The paths of all values that it shows, in any language. Without any it depends only on the language. */
  reads: readonly string[]
}

export interface CompiledTexts {
  text: (text: Text) => SayText
  word: (key: TextKey, context: DialogueContext) => string
  wordIn: (key: TextKey, language: string) => string
  condition: (source: ConditionSource) => Condition
}

/** The definition must be valid: a text that does not compile throws. */
export function compiledTexts(definition: Wording): CompiledTexts {
  const [first] = definition.languages
  const words = new Map(definition.languages.map((language) => [language, new Map<TextKey, string>()]))
  const wordIn = (key: TextKey, language: string) => {
    const known = words.has(language) ? language : first!
    const found = words.get(known)!.get(key)
    if (found !== undefined) return found
    const word = definition.texts[known]?.[key] ?? builtIn(key, known)
    words.get(known)!.set(key, word)
    return word
  }
  return {
    wordIn,
    word: (key, context) => wordIn(key, context.language),
    text: (text) => {
      const messages = new Map(
        definition.languages.map((language) => [language, messageIn(definition, text, language)]),
      )
      const fallback = messages.get(first!) as Message
      const say = (scope: Scope, filling?: Filling) =>
        (messages.get(scope.context.language) ?? fallback).say(scope, filling)
      const reads = new Set([...messages.values()].flatMap(({ slots }) => slots.map(({ path }) => path)))
      return Object.assign(say, { reads: [...reads] })
    },
    condition: (source) => sound<Condition>(compileCondition(source, definition.zone)),
  }
}

/** The text as written for this language. Undefined if it is not translated. */
export function wordsIn(definition: Wording, text: Text, language: string): string | undefined {
  if (typeof text !== 'string') return text[language]
  if (language === definition.languages[0]) return text
  const catalogue = definition.catalogues[language]
  return catalogue && Object.hasOwn(catalogue, text) ? catalogue[text] : undefined
}

/**
 * What was compiled of each flow, by language and text. The checks, the walk and the flow itself ask for the same texts
 * many times, and reading one takes longer than all that is then asked of it.
 */
const compiledBefore = new WeakMap<Wording, Map<string, Message | string>>()

/** Compiles one text in one language, or returns a sentence about what is wrong with it. */
export function compileIn(definition: Wording, words: string, language: string): Message | string {
  const known = compiledBefore.get(definition) ?? new Map<string, Message | string>()
  compiledBefore.set(definition, known)
  const key = `${language} ${words}`
  const message = known.get(key) ?? compiledText(definition, words, language)
  known.set(key, message)
  return message
}

function compiledText(definition: Wording, words: string, language: string): Message | string {
  return compileMessage(words, {
    locale: localeOf(definition, language),
    zone: definition.zone,
    dates: datesOf(definition, language),
    isRtl: isRtl(language),
    bound: (path) => boundOf(path, definition),
  })
}

const BOUND = /^answers\.([^.]+)\.(min|max)$/

/**
 * `answers.amount.max`: the bound of the input that keeps this answer. Null: it has none, or two inputs have different
 * ones. Undefined: the path names something else.
 */
function boundOf(path: string, { screens = {} }: Wording): number | null | undefined {
  const [, name, which] = BOUND.exec(path) ?? []
  if (name === undefined) return undefined
  const bounds = Object.entries(screens as Record<string, Asking>).flatMap(([screen, asking]) => {
    const { number, length } = asking.typed ?? asking
    const isAsked = asking.input !== undefined || asking.typed !== undefined
    return isAsked && (asking.as ?? screen) === name ? [(number ?? length)?.[which as 'min' | 'max']] : []
  })
  return (new Set(bounds).size === 1 ? bounds[0] : null) ?? null
}

/** What is read here of an input. */
interface Asking {
  input?: unknown
  as?: string
  typed?: Asking
  number?: { min?: number; max?: number }
  length?: { min?: number; max?: number }
}

function messageIn(definition: Wording, text: Text, language: string): Message {
  const first = definition.languages[0] as string
  const words = wordsIn(definition, text, language) ?? wordsIn(definition, text, first) ?? Object.values(text)[0] ?? ''
  return sound(compileIn(definition, words, language))
}

function localeOf(definition: Wording, language: string): string {
  return definition.formats[language]?.locale ?? language
}

function datesOf(definition: Wording, language: string): DateFormat {
  const { date, time, timeMinutes, locale } = definition.formats[language] ?? {}
  return {
    date: date ?? DEFAULT_DATE_FORMAT.date,
    time: time ?? DEFAULT_DATE_FORMAT.time,
    timeMinutes: timeMinutes ?? time ?? DEFAULT_DATE_FORMAT.timeMinutes,
    // Few ICU locales know Tok Pisin; AM and PM are the same in it.
    locale: locale ?? DEFAULT_DATE_FORMAT.locale,
  }
}

function sound<T>(found: T | Slip | string): T {
  const wrong = found instanceof Slip ? found.what : found
  if (typeof wrong === 'string') throw new Error(`a text or condition that was not checked: ${wrong}`)
  return found as T
}
