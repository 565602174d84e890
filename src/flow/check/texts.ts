/** Checks the texts of a flow: every language is there, characters are GSM, everything fits a page. */
import { oncePer } from '../../base/index.ts'
import { boundsOf, type Bounds } from './bounds.ts'
import type { Complain } from './check.ts'
import { checkScript, type WrittenText } from './text-letters.ts'
import {
  abandonedCall,
  type FlowDefinition,
  type ScreenDefinition,
  type Text,
  keysOn,
  kindOf,
  builtIn,
  builtInFor,
  TEXT_KEYS,
  type TextKey,
  usesOf,
  type TextUse,
} from '../language/index.ts'
import type { Overfull } from '../plan/index.ts'
import type { RowsUsed } from '../screens/index.ts'
import { type Message, compileIn, wordsIn } from '../text/index.ts'
import type { ReadFlow } from '../read/index.ts'
import { sample } from './sample.ts'

export function checkTexts(read: ReadFlow, complain: Complain): void {
  const { definition } = read
  let sound = true
  const written: WrittenText[] = []
  for (const use of usesOf(definition).texts) {
    for (const language of definition.languages) sound = checkText(use, language, { read, written }, complain) && sound
    strangeLanguages(use, read, complain)
  }
  checkScript(written, complain)
  checkCatalogues(read, complain)
  checkBuiltIn(read, complain)
  if (!sound) return
  const boundsOn = boundsOf(definition)
  for (const [name, screen] of Object.entries(definition.screens)) {
    const bounds = boundsOn(name)
    for (const language of definition.languages) checkLength({ name, screen, language, bounds }, read, complain)
  }
}

/** Checks that the text compiles in this language. A missing translation falls back to the first language. */
function checkText(
  use: TextUse,
  language: string,
  { read, written }: { read: ReadFlow; written: WrittenText[] },
  complain: Complain,
): boolean {
  const { definition } = read
  const words = wordsIn(definition, use.text, language)
  const first = definition.languages[0] as string
  if (words === undefined) {
    const original = wordsIn(definition, use.text, first)
    const missing = { where: read.at(use.place), what: `screen '${use.screen}': no text in '${language}'` }
    if (original === undefined) complain('error', missing)
    else if (hasWords(original)) {
      const remedy = `subscribers see '${short(original)}' instead: translate it`
      complain('warning', { rule: 'untranslated', ...missing, remedy })
    }
    return original !== undefined
  }
  const where =
    typeof use.text === 'string' && language !== first
      ? read.catalogueAt(language, use.text)
      : read.at(typeof use.text === 'string' ? use.place : [...use.place, language])
  const message = compileIn(definition, words, language)
  if (typeof message === 'string') {
    complain('error', { where, what: `screen '${use.screen}': the text in '${language}' ${message}` })
    return false
  }
  written.push({ words, where, language, screen: use.screen })
  if (language !== first) sameValues(use, { message, where, language, read }, complain)
  return true
}

/** A translation that shows fewer or other values than the original is most often a mistake. */
function sameValues(
  use: TextUse,
  own: { message: Message; where: string; language: string; read: ReadFlow },
  complain: Complain,
): void {
  const { definition } = own.read
  const first = definition.languages[0] as string
  const original = compileIn(definition, wordsIn(definition, use.text, first) ?? '', first)
  if (typeof original === 'string') return
  const shown = own.message.slots.map((slot) => slot.path)
  const wanted = original.slots.map((slot) => slot.path)
  const lacking = wanted.filter((path) => !shown.includes(path))
  const extra = shown.filter((path) => !wanted.includes(path))
  const say = (what: string) =>
    complain('warning', {
      rule: 'values',
      where: own.where,
      what: `screen '${use.screen}': the text in '${own.language}' ${what}`,
    })
  if (lacking.length > 0) say(`does not show ${lacking.join(', ')}`)
  if (extra.length > 0) say(`shows ${extra.join(', ')}, but the text in '${first}' does not`)
}

function strangeLanguages(use: TextUse, { definition, at }: ReadFlow, complain: Complain): void {
  if (typeof use.text === 'string') return
  for (const language of Object.keys(use.text).filter((known) => !definition.languages.includes(known))) {
    complain('warning', {
      where: at([...use.place, language]),
      what: `screen '${use.screen}': '${language}' is not one of the flow's languages`,
    })
  }
}

function checkCatalogues({ definition, catalogueAt }: ReadFlow, complain: Complain): void {
  const used = new Set(
    usesOf(definition)
      .texts.map((use) => use.text)
      .filter((text) => typeof text === 'string'),
  )
  for (const [language, texts] of Object.entries(definition.catalogues)) {
    for (const text of Object.keys(texts).filter((known) => !used.has(known))) {
      complain('warning', {
        rule: 'catalogue',
        where: catalogueAt(language, text),
        what: `no screen has the text '${short(text)}'`,
        remedy: 'the text in the flow changed: change it here too, or delete it',
      })
    }
  }
}

/** Built-in texts that only some kinds of screens show. */
const ON_SCREENS: ReadonlySet<TextKey> = new Set([
  'invalid',
  'invalid-short',
  'more',
  'back',
  'home',
  'wrong',
  'no-match',
  'no-number',
  'show-all',
])

/** Checks for built-in texts that the flow may show in a language in which nobody has written them. */
function checkBuiltIn({ definition, at }: ReadFlow, complain: Complain): void {
  const screens = Object.values(definition.screens)
  const shown = new Set(screens.flatMap((screen) => kindOf(screen).words?.(screen) ?? []))
  for (const key of ['back', 'home'] as const) if (screens.some((one) => keysOn(definition, one)[key])) shown.add(key)
  for (const [i, language] of definition.languages.entries()) {
    if (builtInFor(language) !== undefined) continue
    const lacking = TEXT_KEYS.filter(
      (key) => !(ON_SCREENS.has(key) && !shown.has(key)) && definition.texts[language]?.[key] === undefined,
    )
    if (lacking.length === 0) continue
    complain('warning', {
      rule: 'built-in',
      where: at(definition.texts[language] ? ['texts', language] : ['languages', i]),
      what: `no built-in text in '${language}' for: ${lacking.join(', ')}`,
      remedy: `subscribers see English instead: write them under texts: { ${language}: … }`,
    })
  }
}

function short(text: string): string {
  const line = text.replace(/\s+/g, ' ')
  return line.length > 48 ? `${line.slice(0, 45)}...` : line
}

/** Whether there is anything to translate outside the braces. */
function hasWords(text: string): boolean {
  return /\p{L}/u.test(text.replace(/\{[^{}]*\}/g, ''))
}

export interface Measured {
  name: string
  screen: ScreenDefinition
  language: string
  bounds: Bounds
}

function checkLength(measured: Measured, read: ReadFlow, complain: Complain): void {
  const where = read.at(['screens', measured.name])
  for (const { severity, what, remedy } of overfullOf(measured, read.definition)) {
    const about = aboutIn(measured, read.definition)
    complain(severity, { rule: 'long', where, what: `${about}${what}`, ...(remedy === undefined ? {} : { remedy }) })
  }
}

export function aboutIn({ name, language }: Measured, { languages }: FlowDefinition): string {
  return languages.length > 1 ? `screen '${name}' in '${language}'` : `screen '${name}'`
}

const plainly = oncePer((_definition: FlowDefinition) => new Map<string, Overfull[]>())

/** What does not fit on the screen's page, or into its SMS. `isLettered`: values that may have letters GSM lacks. */
export function overfullOf(
  measured: Measured,
  definition: FlowDefinition,
  isLettered?: (path: string) => boolean,
): Overfull[] {
  if (isLettered) return overfull(measured, definition, isLettered)
  const known = plainly(definition)
  const key = `${measured.language} ${measured.name}`
  const found = known.get(key) ?? overfull(measured, definition)
  known.set(key, found)
  return found
}

function overfull(
  { screen, language, bounds }: Measured,
  definition: FlowDefinition,
  isLettered?: (path: string) => boolean,
): Overfull[] {
  const rows = kindOf(screen).rows?.(screen)
  const say = (text: Text, values: 'none' | 'likely') =>
    said(definition, text, { language, values, bounds, isLettered, rows })
  const keys = keysOn(definition, screen)
  const word = (key: TextKey) => definition.texts[language]?.[key] ?? builtIn(key, language)
  const under = (['back', 'home'] as const)
    .flatMap((key) => (keys[key] === undefined ? [] : [`\n${keys[key]}. ${word(key)}`]))
    .join('')
  const sent = abandonedCall(screen)
  return [
    ...(kindOf(screen).overfull?.(screen, { say, word, under }) ?? []),
    ...(sent ? (kindOf(sent).overfull?.(sent, { say, word, under }) ?? []) : []),
  ]
}

interface Saying {
  language: string
  values: 'none' | 'likely'
  bounds: Bounds
  isLettered?: ((path: string) => boolean) | undefined
  rows?: RowsUsed | undefined
}

/** The text without values, or with values of the likely length; with the most rows that it may show. */
function said(definition: FlowDefinition, text: Text, how: Saying): string {
  const words =
    wordsIn(definition, text, how.language) ?? wordsIn(definition, text, definition.languages[0] as string) ?? ''
  const message = compileIn(definition, words, how.language)
  if (typeof message === 'string') return words
  const lines = how.rows?.text?.shows === text ? linesSaid(definition, how.rows, how) : ''
  return sample(message, how.values, how.bounds, how.isLettered, lines)
}

/** As many lines as there can be; without values, what stands there if there are no rows. */
function linesSaid(definition: FlowDefinition, { from, text, max = 0 }: RowsUsed, how: Saying): string {
  const { row, none } = text!
  const plain = { ...how, rows: undefined }
  const nothing = none === undefined ? '' : said(definition, none, plain)
  if (how.values === 'none') return nothing
  const most = Math.min(max, how.bounds.numbers.get(`${from}.count`) ?? max)
  const lines = Array.from({ length: most }, () => said(definition, row, plain)).join('\n')
  return lines.length > nothing.length ? lines : nothing
}
