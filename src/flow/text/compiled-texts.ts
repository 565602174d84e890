/** What a flow says: its texts in each of its languages, compiled once. */
import type { DialogueContext } from '../../../machines/dialogue.ts'
import { compileCondition, Slip, type Condition, type ConditionSource, type Scope } from '../expression/index.ts'
import { DEFAULT_DATE_FORMAT, type DateFormat } from '../../base/index.ts'
import { type Text, builtIn, type TextKey } from '../terms/index.ts'
import { compileMessage, type Filling, type Message } from './message.ts'

/** What of a flow its texts are made with. */
export interface Wording {
  languages: readonly string[]
  zone: string
  formats: Readonly<Record<string, Partial<Record<keyof DateFormat | 'locale', string | undefined>>>>
  /** Its own words in place of built-in texts, by language. */
  texts: Readonly<Record<string, Partial<Record<TextKey, string | undefined>>>>
  /** Translations by language and text. */
  catalogues: Readonly<Record<string, Readonly<Record<string, string>>>>
}

/** A text in the dialogue's language. */
export type SayText = (scope: Scope, filling?: Filling) => string

export interface CompiledTexts {
  text: (text: Text) => SayText
  word: (key: TextKey, context: DialogueContext) => string
  wordIn: (key: TextKey, language: string) => string
  condition: (source: ConditionSource) => Condition
}

/** For a definition that has been checked: what does not compile throws. */
export function compiledTexts(definition: Wording): CompiledTexts {
  const wordIn = (key: TextKey, language: string) => {
    const known = definition.languages.includes(language) ? language : (definition.languages[0] as string)
    return definition.texts[known]?.[key] ?? builtIn(key, known)
  }
  return {
    wordIn,
    word: (key, context) => wordIn(key, context.language),
    text: (text) => {
      const messages = new Map(
        definition.languages.map((language) => [language, messageIn(definition, text, language)]),
      )
      const fallback = messages.get(definition.languages[0] as string) as Message
      return (scope, filling) => (messages.get(scope.context.language) ?? fallback).say(scope, filling)
    },
    condition: (source) => sound<Condition>(compileCondition(source, definition.zone)),
  }
}

/** The text as written for that language; undefined if it is not translated. */
export function wordsIn(definition: Wording, text: Text, language: string): string | undefined {
  if (typeof text !== 'string') return text[language]
  if (language === definition.languages[0]) return text
  const catalogue = definition.catalogues[language]
  return catalogue && Object.hasOwn(catalogue, text) ? catalogue[text] : undefined
}

/** Compiles one text in one language; a sentence about what is wrong with it otherwise. */
export function compileIn(definition: Wording, words: string, language: string): Message | string {
  return compileMessage(words, {
    locale: localeOf(definition, language),
    zone: definition.zone,
    dates: datesOf(definition, language),
  })
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
    // Few zones of words know Tok Pisin; AM and PM are the same there.
    locale: locale ?? DEFAULT_DATE_FORMAT.locale,
  }
}

function sound<T>(found: T | Slip | string): T {
  const wrong = found instanceof Slip ? found.what : found
  if (typeof wrong === 'string') throw new Error(`a text or condition that was not checked: ${wrong}`)
  return found as T
}
