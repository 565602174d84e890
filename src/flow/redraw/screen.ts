/**
 * A screen of a kept revision as a subscriber saw it, as far as that is known afterwards: its texts in the language of
 * the dialogue, values that are gone as marks, and what each key was. Pure.
 */
import {
  asks,
  builtIn,
  keysOn,
  type FlowDefinition,
  type ScreenDefinition,
  type Text,
  usesOf,
} from '../language/index.ts'
import { wordsIn } from '../text/index.ts'
import { markedText } from './marked.ts'

export interface RedrawnScreen {
  /** One for each line of the handset, above the choices and with them. */
  lines: string[]
  /** What this key chose. Undefined: no line of the screen has it. */
  choice(key: string): RedrawnChoice | undefined
}

export interface RedrawnChoice {
  label: string
  /** Lines before it are shown only under a condition: its number may have been another one. */
  isUnsure?: boolean
}

/** Undefined: the revision has no such screen. */
export function redrawnScreen(definition: FlowDefinition, name: string, language: string): RedrawnScreen | undefined {
  const screen = definition.screens[name]
  if (!screen) return undefined
  const spoken = definition.languages.includes(language) ? language : definition.languages[0]!
  const say = (text: Text) => markedText(wordsFor(definition, text, spoken))
  const { texts } = usesOf({ screens: { [name]: screen } })
  const above = texts.filter(({ role, place }) => !IN_CHOICES.has(role) && place.length === OWN_KEY)
  const rows = texts.filter(({ role }) => role === 'row').map(({ text }) => `1… ${say(text)}`)
  const choices = choicesOn(definition, { screen, spoken, say, hasRows: rows.length > 0 })
  return {
    lines: [
      ...above.flatMap(({ text }) => say(text).split('\n')),
      ...('exit' in screen && above.length === 0 ? [wordOf(definition, 'goodbye', spoken)] : []),
      ...rows,
      ...choices.map(({ key, label, when }) => `${key}. ${label}${when ? ' (shown under a condition)' : ''}`),
    ],
    choice(key) {
      const found = choices.find((one) => one.key === key)
      if (found) return { label: found.label, ...(found.isUnsure ? { isUnsure: true } : {}) }
      return rows.length > 0 && /^[1-9]\d*$/.test(key) ? { label: `line ${key} of the list` } : undefined
    },
  }
}

/** Whether what is typed on this screen is a secret. */
export function isSecretScreen(definition: FlowDefinition, name: string): boolean {
  const screen = definition.screens[name]
  return screen !== undefined && 'secret' in screen && screen.secret === true
}

/** `['screens', NAME, KEY]`: a text of the screen itself, not of what may happen on it. */
const OWN_KEY = 3
const IN_CHOICES = new Set(['label', 'row', 'wrong', 'notice', 'sms'])

interface Line {
  key: string
  label: string
  when?: boolean
  isUnsure?: boolean
}

interface Choosing {
  screen: ScreenDefinition
  spoken: string
  say(text: Text): string
  hasRows: boolean
}

function choicesOn(definition: FlowDefinition, { screen, spoken, say, hasRows }: Choosing): Line[] {
  const written = 'choices' in screen ? screen.choices : []
  let next = 1
  let isUnsure = hasRows
  const lines = written.map(({ label, key, when }): Line => {
    const line = { label: say(label), ...(when === undefined ? {} : { when: true }) }
    if (key !== undefined) return { ...line, key }
    const numbered = { ...line, key: hasRows ? '…' : String(next++), ...(isUnsure ? { isUnsure } : {}) }
    isUnsure ||= when !== undefined
    return numbered
  })
  const word = (key: 'back' | 'home') => wordOf(definition, key, spoken)
  if ('back' in screen && screen.back !== undefined)
    lines.push({ key: hasRows ? '…' : String(next), label: word('back'), ...(isUnsure ? { isUnsure } : {}) })
  for (const [name, key] of Object.entries(asks(screen) ? keysOn(definition, screen) : {}))
    if (key !== undefined) lines.push({ key, label: word(name as 'back' | 'home') })
  return lines
}

function wordOf(definition: FlowDefinition, key: 'back' | 'home' | 'goodbye', language: string): string {
  return definition.texts[language]?.[key] ?? builtIn(key, language)
}

function wordsFor(definition: FlowDefinition, text: Text, language: string): string {
  const first = definition.languages[0]!
  return wordsIn(definition, text, language) ?? wordsIn(definition, text, first) ?? ''
}
