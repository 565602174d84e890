/** Checks that texts, lists and plain values fit the types of what calls are expected to answer. */
import type { Complain } from './check.ts'
import { readsByScreen } from './paths.ts'
import { declaredAs, slipIn, typesIn } from './types.ts'
import { type ExpectedType, kindOf, TYPE_WORDS, usesOf } from '../language/index.ts'
import { type Slot, compileIn, wordsIn } from '../text/index.ts'
import type { ReadFlow } from '../read/index.ts'
import { WORDS, isExpression } from '../expression/index.ts'

export function checkShown(read: ReadFlow, complain: Complain): void {
  const { definition, at } = read
  const typeOf = typesIn(definition)
  for (const [name, screen] of Object.entries(definition.screens)) {
    const rows = kindOf(screen).rows?.(screen)
    if (!rows) continue
    const type = typeOf(rows.from)
    if (type === undefined || type === 'rows') continue
    const where = at(['screens', name, rows.key])
    complain('error', { where, what: `screen '${name}': '${rows.from}' is ${WORDS[type]}, but rows are needed` })
  }
  const declared = new Map<string, ExpectedType | undefined>()
  const declaredOn = (path: string, screen: string) => {
    const key = path.startsWith('row.') ? `${screen} ${path}` : path
    if (!declared.has(key)) declared.set(key, declaredAs(path, screen, definition))
    return declared.get(key)
  }
  for (const { screen, place, text } of usesOf(definition).texts) {
    const slots = slotsOf(read, text)
    for (const slot of slots) {
      const found = misshown(slot, screen, declaredOn(slot.path, screen))
      if (found) complain(found.severity, { rule: 'format', where: at(place), ...found.said })
    }
    for (const { path } of slots.filter(({ as }) => as === 'number')) {
      const type = typeOf(path, screen)
      if (type === undefined || type === 'number') continue
      const what = `screen '${screen}' shows '${path}' as a number, but it is ${WORDS[type]}`
      const remedy =
        type === 'text' ? `expect a number from the call, or set = number(${path})` : 'show it without ", number"'
      complain(type === 'text' ? 'warning' : 'error', { where: at(place), what, remedy })
    }
  }
  // Slips in expressions are reported elsewhere, with their position.
  const worked = new Set(
    usesOf(definition)
      .values.filter(({ value }) => isExpression(value))
      .map(({ place }) => place.join()),
  )
  for (const { screen, place, path, asks } of readsByScreen(definition)) {
    const slip = asks || worked.has(place.join()) ? undefined : slipIn(path, screen, definition)
    if (slip)
      complain('warning', {
        where: at(place),
        what: `screen '${screen}': the call does not list the field '${path}' under expect`,
        remedy: slip,
      })
  }
}

/** Money and dates that a text shows as the back end writes them, and values shown as a date that are not one. */
function misshown({ path, as }: Slot, screen: string, is: ExpectedType | undefined): Misshown | undefined {
  if ((as === 'date' || as === 'time') && (is === 'money' || is === 'boolean')) {
    const what = `screen '${screen}' shows '${path}' as a ${as}, but it is ${TYPE_WORDS[is]}`
    return { severity: 'error', said: { what, remedy: 'show another field, or correct its type' } }
  }
  if (as !== 'value' || (is !== 'money' && is !== 'date')) return undefined
  const what = `screen '${screen}' shows '${path}', ${TYPE_WORDS[is]}, as the back end writes it`
  const form = is === 'money' ? `{${path}, number, money}` : `{${path}, date} or {${path}, time}`
  return { severity: 'warning', said: { what, remedy: `write ${form}` } }
}

interface Misshown {
  severity: 'error' | 'warning'
  said: { what: string; remedy: string }
}

/** What a text shows, in all its languages. */
function slotsOf({ definition }: ReadFlow, text: Parameters<typeof wordsIn>[1]): Slot[] {
  return definition.languages.flatMap((language) => {
    const words = wordsIn(definition, text, language)
    const message = words === undefined ? undefined : compileIn(definition, words, language)
    return typeof message === 'object' ? [...message.slots] : []
  })
}
