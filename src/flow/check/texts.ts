/** Whether a flow's texts say what they should: in every language, in GSM characters, within a page. */
import { alphabetOf, count, fits, USSD_PAGE } from '../../ussd/index.ts'
import { boundsOf, type Bounds } from './bounds.ts'
import type { Complain } from './check.ts'
import { checkScript, type WrittenText } from './script.ts'
import {
  type FlowDefinition,
  type ScreenDefinition,
  type Text,
  keysOn,
  BUILT_IN,
  builtIn,
  TEXT_KEYS,
  type TextKey,
  usesOf,
  type TextUse,
} from '../language/index.ts'
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

/** Whether it compiles in that language; a missing translation falls back to the first language. */
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
    else if (hasWords(original)) complain('warning', { ...missing, remedy: `'${short(original)}' is shown instead` })
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

/** A translation that shows fewer, or other, values than the original is a slip more often than not. */
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
      where: own.where,
      what: `screen '${use.screen}': the text in '${own.language}' ${what}`,
    })
  if (lacking.length > 0) say(`does not show ${lacking.join(', ')}`)
  if (extra.length > 0) say(`shows ${extra.join(', ')}, which the text in '${first}' does not`)
}

function strangeLanguages(use: TextUse, { definition, at }: ReadFlow, complain: Complain): void {
  if (typeof use.text === 'string') return
  for (const language of Object.keys(use.text).filter((known) => !definition.languages.includes(known))) {
    complain('warning', {
      where: at([...use.place, language]),
      what: `screen '${use.screen}': '${language}' is none of the flow's languages`,
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
        where: catalogueAt(language, text),
        what: `no screen says '${short(text)}'`,
        remedy: 'the text in the flow was changed: change it here too',
      })
    }
  }
}

/** Words of the daemon's own that the flow may show in a language in which nobody has written them. */
function checkBuiltIn({ definition, at }: ReadFlow, complain: Complain): void {
  const screens = Object.values(definition.screens)
  const numbered = screens.some(({ kind }) => kind === 'menu' || kind === 'list')
  const searched = screens.some((screen) => screen.kind === 'list' && screen.search !== undefined)
  const unseen: Partial<Record<TextKey, boolean>> = {
    invalid: !numbered,
    'invalid-short': !numbered,
    more: !numbered,
    back: !numbered && !screens.some((one) => keysOn(definition, one).back),
    home: !screens.some((one) => keysOn(definition, one).home),
    wrong: !screens.some(({ kind }) => kind === 'input'),
    'no-match': !searched,
    'no-number': !searched,
    'show-all': !searched,
  }
  for (const [i, language] of definition.languages.entries()) {
    if (Object.hasOwn(BUILT_IN, language) || language.startsWith('en-')) continue
    const lacking = TEXT_KEYS.filter((key) => !unseen[key] && definition.texts[language]?.[key] === undefined)
    if (lacking.length === 0) continue
    complain('warning', {
      where: at(definition.texts[language] ? ['texts', language] : ['languages', i]),
      what: `no built-in texts in '${language}': ${lacking.join(', ')}`,
      remedy: `English is shown instead; write them under texts: { ${language}: … }`,
    })
  }
}

function short(text: string): string {
  const line = text.replace(/\s+/g, ' ')
  return line.length > 48 ? `${line.slice(0, 45)}...` : line
}

/** Whether there is anything to translate outside of the braces. */
function hasWords(text: string): boolean {
  return /\p{L}/u.test(text.replace(/\{[^{}]*\}/g, ''))
}

const CUT = 'values are cut where they are long, for'
const BOUNDS = 'say how long they may be (expect, length, pattern), or show fewer'

/** SMS that carry the text: 160 septets or 70 units are one, of several each is shorter. (3GPP TS 23.040 §9.2.3.24) */
function smsOf(text: string): number {
  if (fits(text, { septets: 160, ucs2: 70 })) return 1
  const alphabet = alphabetOf(text)
  return Math.ceil(count(text, alphabet) / (alphabet === 'gsm7' ? 153 : 67))
}

interface Measured {
  name: string
  screen: ScreenDefinition
  language: string
  bounds: Bounds
}

function checkLength(measured: Measured, read: ReadFlow, complain: Complain): void {
  const { name, screen, language } = measured
  const { definition } = read
  const where = read.at(['screens', name])
  const say = (text: Text, values: 'none' | 'likely') =>
    said(definition, text, { language, values, bounds: measured.bounds })
  const about = definition.languages.length > 1 ? `screen '${name}' in '${language}'` : `screen '${name}'`
  const keys = keysOn(definition, screen)
  const word = (key: 'back' | 'home' | 'more' | 'wrong') => definition.texts[language]?.[key] ?? builtIn(key, language)
  const under = (['back', 'home'] as const)
    .flatMap((key) => (keys[key] === undefined ? [] : [`\n${keys[key]}. ${word(key)}`]))
    .join('')
  if (screen.kind === 'input') {
    const own = [screen.wrong, ...(screen.checks ?? []).map((check) => check.wrong)].filter(
      (text) => text !== undefined,
    )
    const above = [...own.map((text) => say(text, 'none')), ...(screen.wrong === undefined ? [word('wrong')] : [])]
    if (above.some((wrong) => !fits(`${wrong}\n${say(screen.input, 'none')}${under}`, USSD_PAGE))) {
      complain('error', {
        where,
        what: `${about}: the prompt, with the text for wrong answers above it, is over a page`,
        remedy: 'a prompt cannot be paged',
      })
    } else if (above.some((wrong) => !fits(`${wrong}\n${say(screen.input, 'likely')}${under}`, USSD_PAGE))) {
      complain('warning', { where, what: `${about}: ${CUT} a prompt cannot be paged`, remedy: BOUNDS })
    }
  } else if (screen.kind === 'notify') {
    if (!fits(say(screen.notify, 'none'), USSD_PAGE))
      complain('error', { where, what: `${about} is over a page`, remedy: 'a notification cannot be paged' })
    else if (!fits(say(screen.notify, 'likely'), USSD_PAGE))
      complain('warning', { where, what: `${about}: ${CUT} a notification cannot be paged`, remedy: BOUNDS })
  } else if (screen.kind === 'call' && screen.sms !== undefined) {
    const { parts = 1 } = screen
    const [least, most] = [smsOf(say(screen.sms, 'none')), smsOf(say(screen.sms, 'likely'))]
    const what = `${about} sends ${most} SMS for one text${least > parts ? '' : ' when its values are long'}`
    if (most > parts) complain('warning', { where, what, remedy: `say less, or parts: ${most}` })
  } else if (screen.kind === 'end') {
    if (!fits(say(screen.end, 'likely'), USSD_PAGE))
      complain('warning', { where, what: `${about} takes more than one page` })
  } else if (screen.kind === 'menu') {
    const lines = [
      ...screen.choices.map((choice) => choice.label),
      ...(screen.back === undefined ? [] : [word('back')]),
    ]
    const whole = (values: 'none' | 'likely') =>
      [say(screen.menu, values), ...lines.map((line, i) => `${i + 1}. ${say(line, values)}`)].join('\n') + under
    if (!fits(whole('likely'), USSD_PAGE)) {
      const what = fits(whole('none'), USSD_PAGE)
        ? `${about} takes more than one page when its values are long`
        : `${about} takes more than one page`
      complain('warning', { where, what })
    }
  } else if (screen.kind === 'list') {
    const tail = `2. ${word('more')}\n3. ${word('back')}`
    const page = `${say(screen.list, 'likely')}\n1. ${say(screen.row, 'likely')}\n${tail}${under}`
    if (!fits(page, USSD_PAGE))
      complain('warning', {
        where,
        what: `${about}: not even one row fits on a page when its values are long`,
      })
  }
}

/** The text with no values, or with values as long as they are likely to be. */
function said(
  definition: FlowDefinition,
  text: Text,
  how: { language: string; values: 'none' | 'likely'; bounds: Bounds },
): string {
  const words =
    wordsIn(definition, text, how.language) ?? wordsIn(definition, text, definition.languages[0] as string) ?? ''
  const message = compileIn(definition, words, how.language)
  return typeof message === 'string' ? words : sample(message, how.values, how.bounds)
}
