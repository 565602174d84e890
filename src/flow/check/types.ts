/** Checks the types in expressions, as far as calls, inputs and sets declare the type of a value. */
import { didYouMean, remedyAmong } from '../../base/index.ts'
import { rowFieldsAt } from './bounds.ts'
import type { Complain } from './check.ts'
import { compileCondition, Slip, type Type, typed, readingOf, wholePath } from '../expression/index.ts'
import {
  callOf,
  type ExpectedType,
  expectsOf,
  fieldTypeOf,
  type FieldType,
  keepersAt,
  keptAt,
  kindOf,
  rowsFrom,
  type FlowDefinition,
  type Scalar,
  pointing,
  setIn,
  typeFor,
  usesOf,
} from '../language/index.ts'
import type { ReadFlow } from '../read/index.ts'

/** Every expression: conditions, and values that are computed. */
export function expressionsIn(definition: FlowDefinition) {
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
  return [...asked, ...worked]
}

export function checkTypes({ definition, at }: ReadFlow, complain: Complain): void {
  const typeOf = typesIn(definition)
  const file = (where: string) => where.replace(/:\d+:\d+$/, '')
  for (const { node, source, screen, place, paths, against } of expressionsIn(definition)) {
    typed(node, {
      source,
      typeOf: (path) => typeOf(path, screen),
      fieldTypeOf: (from, field) => columnTypeAt(from, field, definition),
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

/** The type of a value at a path. Only with a screen, `row` has a meaning. */
export type TypeAt = (path: string, screen?: string) => Type | undefined

/** The type on which all screens that set a path agree; undefined if one does not say, or if they differ. */
export function typesIn(definition: FlowDefinition): TypeAt {
  const set = setIn(definition)
  const known = new Map<string, Type | undefined>()
  const typeOf: TypeAt = (path, screen) => {
    const key = path.startsWith('row.') ? `${screen} ${path}` : path
    if (!known.has(key)) {
      // While a type is being computed, a value that depends on itself has no type.
      known.set(key, undefined)
      known.set(key, key === path ? found(path) : rowType(path, screen, definition))
    }
    return known.get(key)
  }
  const found = (path: string): Type | undefined => {
    const [root, name = '', ...rest] = path.split('.')
    if (root === 'vars') return rest.length === 0 ? only((set.get(name) ?? []).map(valueType)) : undefined
    return declaredType(path, definition)
  }
  const valueType = (value: Scalar): Type | undefined => {
    const reading = readingOf(value)
    const fieldTypeOf = (from: string, field: string) => columnTypeAt(from, field, definition)
    if (reading) return typed(reading.node, { source: String(value), typeOf, fieldTypeOf, found: () => undefined })
    const path = wholePath(value)
    if (path !== undefined) return typeOf(path)
    return value === null ? undefined : typeof value === 'string' ? 'text' : (typeof value as 'number' | 'boolean')
  }
  return typeOf
}

/** The declared type of a field of the rows at a path. */
function columnTypeAt(from: string, field: string, definition: FlowDefinition): Type | undefined {
  const is = columnAt(from, field, definition)
  return is && typeFor(is)
}

/** What all calls that answer with these rows say of the field. */
function columnAt(from: string, field: string, definition: FlowDefinition): FieldType | undefined {
  return only(rowFieldsAt(from, definition).flatMap(([name, said]) => (name === field ? [fieldTypeOf(said)] : [])))
}

/** What a call declares a value to be: a field of its answer, or of a row. */
export function declaredAs(path: string, screen: string, definition: FlowDefinition): ExpectedType | undefined {
  const [root, as, field, ...deeper] = path.split('.')
  if (root !== 'data') return columnOf(path, screen, definition)
  if (field === undefined || deeper.length > 0) return undefined
  const said = keepersAt(`data.${as}`, definition).flatMap((keeper) => {
    const call = callOf(keeper)
    return call ? expectsOf(call).flatMap((expect) => (Object.hasOwn(expect, field) ? [expect[field]!] : [])) : []
  })
  return only(said.map((wanted) => (typeof wanted === 'string' ? wanted : wanted.is)))
}

function rowType(path: string, screen: string | undefined, definition: FlowDefinition): Type | undefined {
  const is = columnOf(path, screen, definition)
  return is && typeFor(is)
}

/** What `row.amount` or `chosen.bill.amount` is, as its call declares it. */
function columnOf(path: string, screen: string | undefined, definition: FlowDefinition): FieldType | undefined {
  const [root, name = '', field, ...deeper] = path.split('.')
  const here = screen === undefined ? undefined : definition.screens[screen]
  if (root === 'row' && field === undefined) return here && columnAt(rowsFrom(here) ?? '', name, definition)
  if (root !== 'chosen' || field === undefined || deeper.length > 0) return undefined
  const keepers = keepersAt(`chosen.${name}`, definition).map((keeper) => rowsFrom(keeper) ?? '')
  return only(keepers.map((from) => columnAt(from, field, definition)))
}

function only<T>(types: readonly (T | undefined)[]): T | undefined {
  return new Set(types).size === 1 ? types[0] : undefined
}

function declaredType(path: string, definition: FlowDefinition): Type | undefined {
  const [root, as, field, ...deeper] = path.split('.')
  if (root === 'chosen' && field !== undefined) return rowType(path, undefined, definition)
  if (['msisdn', 'code', 'line', 'language', 'now'].includes(root as string)) return 'text'
  const types = keepersAt(`${root}.${as}`, definition).flatMap((screen) => kindOf(screen).types?.(screen, field) ?? [])
  const is = only(types)
  if (deeper.length === 0) return is
  return is === 'rows' && deeper.join() === 'count' ? 'number' : undefined
}

/** The expected field that was probably meant. An answer may have more fields than are expected. */
export function slipIn(path: string, screen: string, definition: FlowDefinition): string | undefined {
  const [root, as, field] = path.split('.')
  if (root === 'data' && as !== undefined && field !== undefined) {
    const calls = keepersAt(`data.${as}`, definition).map((call) => kindOf(call).fields?.(call) ?? [])
    return calls.some((known) => known.includes(field)) ? undefined : didYouMean(field, calls.flat())
  }
  const here = definition.screens[screen]
  const chosen = () => keepersAt(`chosen.${as}`, definition).map(rowsFrom)
  const from = root === 'row' ? [here && rowsFrom(here)] : root === 'chosen' ? chosen() : []
  const named = root === 'row' ? as : field
  const fields = from.flatMap((path) => (path === undefined ? [] : rowFieldsAt(path, definition).map(([name]) => name)))
  return named === undefined || fields.includes(named) ? undefined : didYouMean(named, fields)
}
