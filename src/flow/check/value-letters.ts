/**
 * Checks what becomes of pages and SMS if a value has a letter that GSM 7-bit lacks: the whole text then goes as UCS-2,
 * a page has 80 characters and an SMS 70. Values that say `letters: gsm`, numbers and dates have none.
 */
import { oncePer } from '../../base/index.ts'
import { pathsOf, readingOf, typed } from '../expression/index.ts'
import {
  callOf,
  expectsOf,
  type FlowDefinition,
  inputOf,
  type InputScreen,
  keepersAt,
  kindOf,
  rowsFrom,
  setIn,
} from '../language/index.ts'
import type { ReadFlow } from '../read/index.ts'
import { acceptsAlone } from '../screens/index.ts'
import { boundsOf } from './bounds.ts'
import type { Complain } from './check.ts'
import { aboutIn, type Measured, overfullOf } from './texts.ts'
import { typesIn } from './types.ts'

export function checkLettered({ definition, at }: ReadFlow, complain: Complain): void {
  for (const { measured, what } of overfullByLetters(definition)) {
    if (!kindOf(measured.screen).onePage) continue
    complain('warning', {
      rule: 'letters-in-values',
      where: at(['screens', measured.name]),
      what: `${aboutIn(measured, definition)}${what}, if a value has letters that GSM 7-bit lacks`,
      remedy: 'say letters: gsm in expect or in the file of the back end, or shorten the text',
    })
  }
}

/** Screens that take more pages if a value has such letters. */
export function pagedByLetters(definition: FlowDefinition): string[] {
  const found = overfullByLetters(definition).filter(({ measured }) => !kindOf(measured.screen).onePage)
  return [...new Set(found.map(({ measured }) => measured.name))]
}

const overfullByLetters = oncePer((definition: FlowDefinition): { measured: Measured; what: string }[] => {
  const isLettered = letteredIn(definition)
  const boundsOn = boundsOf(definition)
  return Object.entries(definition.screens).flatMap(([name, screen]) => {
    const bounds = boundsOn(name)
    const own = (path: string) => isLettered(path, name)
    return definition.languages.flatMap((language) => {
      const measured = { name, screen, language, bounds }
      const plain = overfullOf(measured, definition).map(({ what }) => what)
      const found = overfullOf(measured, definition, own).find(({ what }) => !plain.includes(what))
      return found ? [{ measured, what: found.what }] : []
    })
  })
})

/** Lengths of answers that are tried. */
const TRIED = [1, 2, 4, 6, 8, 12, 16, 24]

/** Whether the value at a path of a screen may have letters that GSM 7-bit lacks. */
function letteredIn(definition: FlowDefinition): (path: string, screen: string) => boolean {
  const typeOf = typesIn(definition)
  const set = setIn(definition)
  const known = new Map<string, boolean>()
  const isLettered = (path: string, screen: string): boolean => {
    const key = path.startsWith('row.') ? `${screen} ${path}` : path
    if (!known.has(key)) {
      known.set(key, false)
      known.set(key, found(path, screen))
    }
    return known.get(key) as boolean
  }
  const found = (path: string, screen: string): boolean => {
    const type = typeOf(path, screen)
    if (type !== undefined && type !== 'text') return false
    const [root, name = '', field = ''] = path.split('.')
    const kept = keepersAt(`${root}.${name}`, definition)
    if (root === 'answers') return kept.some((one) => takesLetters(inputOf(one)))
    if (root === 'data') return !isPlain(`data.${name}`, field, definition)
    if (root === 'chosen' || root === 'row') {
      const here = definition.screens[screen]
      const from = root === 'row' ? [here && rowsFrom(here)] : kept.map(rowsFrom)
      return from.some((rows) => rows === undefined || !isPlainRows(rows, definition))
    }
    if (root !== 'vars') return false
    return (set.get(name) ?? []).some((value) => {
      const reading = readingOf(value)
      const is = reading && typed(reading.node, { source: String(value), typeOf, found: () => undefined })
      return is !== 'number' && pathsOf(value).some((inner) => isLettered(inner, screen))
    })
  }
  return isLettered
}

function takesLetters(screen: InputScreen | undefined): boolean {
  if (!screen) return false
  if (screen.name) return true
  return TRIED.some((chars) => acceptsAlone(screen, 'ê'.repeat(chars)))
}

/** Whether all calls that answer with this field say that it has letters of GSM only. */
function isPlain(kept: string, field: string, definition: FlowDefinition): boolean {
  const said = keepersAt(kept, definition).flatMap((screen) => {
    const call = callOf(screen)
    return call ? expectsOf(call).flatMap((expect) => expect[field] ?? []) : []
  })
  return said.length > 0 && said.every((wanted) => typeof wanted === 'object' && wanted.letters === 'gsm')
}

function isPlainRows(from: string, definition: FlowDefinition): boolean {
  const [root, as, field = '', ...deeper] = from.split('.')
  return root === 'data' && deeper.length === 0 && isPlain(`data.${as}`, field, definition)
}
