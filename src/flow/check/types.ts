/** Checks the types in expressions, as far as calls, inputs and sets declare the type of a value. */
import { didYouMean, remedyAmong } from '../../base/index.ts'
import { rowSizesAt } from './bounds.ts'
import type { Complain } from './check.ts'
import { compileCondition, Slip, type Type, typed, readingOf, wholePath } from '../expression/index.ts'
import {
  keptAt,
  kindOf,
  rowsFrom,
  type ScreenDefinition,
  type FlowDefinition,
  type Scalar,
  pointing,
  setIn,
  usesOf,
} from '../language/index.ts'
import type { ReadFlow } from '../read/index.ts'

export function checkTypes({ definition, at }: ReadFlow, complain: Complain): void {
  const typeOf = typesIn(definition)
  const { conditions, values } = usesOf(definition)
  const asked = conditions.flatMap(({ screen, place, condition }) => {
    const compiled = compileCondition(condition)
    return compiled instanceof Slip
      ? []
      : compiled.made.map((made) => ({ ...made, screen, place: [...place, ...made.within] }))
  })
  const worked = values.flatMap(({ screen, place, value }) => {
    const reading = readingOf(value)
    return reading ? [{ ...reading, screen, place, source: value as string }] : []
  })
  const file = (where: string) => where.replace(/:\d+:\d+$/, '')
  for (const { node, source, screen, place, paths, against } of [...asked, ...worked]) {
    typed(node, {
      source,
      typeOf,
      found: (severity, what, inside, remedy) =>
        complain(severity, { ...pointing(at, place, source, inside), what: `screen '${screen}'${what}`, remedy }),
    })
    for (const { path, value } of against) {
      const words = wordsAt(path, definition)
      // A part may also be used by flows in other languages.
      if (typeof value !== 'string' || !words || words.includes(value) || file(at(place)) !== file(at(['flow'])))
        continue
      const what = `screen '${screen}': '${path}' can never be '${value}'`
      complain('warning', {
        ...pointing(at, place, source, Math.max(source.lastIndexOf(value), 0)),
        what,
        remedy: remedyAmong(value, words),
      })
    }
    for (const path of new Set(paths)) {
      const slip = slipIn(path, screen, definition)
      if (!slip) continue
      const what = `screen '${screen}': the call does not list the field '${path}' under expect`
      complain('warning', { ...pointing(at, place, source, Math.max(source.indexOf(path), 0)), what, remedy: slip })
    }
  }
}

/** All words that a value may be, if it is one of a list. */
function wordsAt(path: string, { languages, screens }: FlowDefinition): readonly string[] | undefined {
  if (path === 'language') return languages
  const asked = Object.entries(screens).flatMap(([name, screen]) => {
    const { among } = kindOf(screen)
    return among && path === keptAt(name, screen) ? [among(screen)] : []
  })
  return asked.every((words) => words !== undefined) && asked.length > 0 ? asked.flat() : undefined
}

/** The type on which all screens that set a path agree; undefined if one does not say, or if they differ. */
export function typesIn(definition: FlowDefinition): (path: string) => Type | undefined {
  const set = setIn(definition)
  const known = new Map<string, Type | undefined>()
  const typeOf = (path: string): Type | undefined => {
    if (!known.has(path)) {
      // While a type is being computed, a value that depends on itself has no type.
      known.set(path, undefined)
      known.set(path, found(path))
    }
    return known.get(path)
  }
  const found = (path: string): Type | undefined => {
    const [root, name = '', ...rest] = path.split('.')
    if (root === 'vars') return rest.length === 0 ? only((set.get(name) ?? []).map(valueType)) : undefined
    return declaredType(path, definition)
  }
  const valueType = (value: Scalar): Type | undefined => {
    const reading = readingOf(value)
    if (reading) return typed(reading.node, { source: String(value), typeOf, found: () => undefined })
    const path = wholePath(value)
    if (path !== undefined) return typeOf(path)
    return value === null ? undefined : typeof value === 'string' ? 'text' : (typeof value as 'number' | 'boolean')
  }
  return typeOf
}

function only(types: (Type | undefined)[]): Type | undefined {
  return new Set(types).size === 1 ? types[0] : undefined
}

function declaredType(path: string, definition: FlowDefinition): Type | undefined {
  const [root, as, field, ...deeper] = path.split('.')
  if (['msisdn', 'code', 'line', 'language', 'now'].includes(root as string)) return 'text'
  const types = keepersOf(`${root}.${as}`, definition).flatMap((screen) => kindOf(screen).types?.(screen, field) ?? [])
  const is = only(types)
  if (deeper.length === 0) return is
  return is === 'rows' && deeper.join() === 'count' ? 'number' : undefined
}

/** The screens that keep a value at this path, such as `data.balance`. */
function keepersOf(path: string, { screens }: FlowDefinition): ScreenDefinition[] {
  return Object.entries(screens).flatMap(([name, screen]) => (keptAt(name, screen) === path ? [screen] : []))
}

/** The expected field that was probably meant. An answer may have more fields than are expected. */
export function slipIn(path: string, screen: string, definition: FlowDefinition): string | undefined {
  const [root, as, field] = path.split('.')
  if (root === 'data' && as !== undefined && field !== undefined) {
    const calls = keepersOf(`data.${as}`, definition).map((call) => kindOf(call).fields?.(call) ?? [])
    return calls.some((known) => known.includes(field)) ? undefined : didYouMean(field, calls.flat())
  }
  const here = definition.screens[screen]
  const chosen = () => keepersOf(`chosen.${as}`, definition).map(rowsFrom)
  const from = root === 'row' ? [here && rowsFrom(here)] : root === 'chosen' ? chosen() : []
  const named = root === 'row' ? as : field
  const fields = from.flatMap((path) => (path === undefined ? [] : rowSizesAt(path, definition).map(([name]) => name)))
  return named === undefined || fields.includes(named) ? undefined : didYouMean(named, fields)
}
