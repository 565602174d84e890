/** Whether conditions compare what can be compared, as far as calls and inputs say what type a value is of. */
import { nearest } from '../nearest.ts'
import type { Complain } from './check.ts'
import { compileCondition, type Compare, type Operand } from './condition.ts'
import { isRouter, rowsFrom, type CallScreen, type FlowDefinition } from './definition.ts'
import type { ReadFlow } from './read.ts'
import { usesOf } from './uses.ts'

type Type = 'text' | 'number' | 'boolean' | 'rows'

export function checkTypes({ definition, at }: ReadFlow, complain: Complain): void {
  for (const { screen, place, condition } of usesOf(definition).conditions) {
    const compiled = compileCondition(condition)
    if (typeof compiled === 'string') continue
    for (const compare of compiled.compares) {
      const found = clash(compare, definition)
      const remedy = 'compare it with one of its own type'
      if (found) complain(found.severity, { where: at(place), what: `screen '${screen}' ${found.what}`, remedy })
    }
    for (const path of new Set(compiled.paths)) {
      const slip = slipIn(path, screen, definition)
      if (!slip) continue
      const what = `screen '${screen}': '${path}' is no field that is expected`
      complain('warning', { where: at(place), what, remedy: slip })
    }
  }
}

/** What two sides it compares that have no order, or are never equal; of a text and a number, it shows only later. */
function clash({ path, operator, with: right }: Compare, definition: FlowDefinition): Clash | undefined {
  const left = typeOf(path, definition)
  const other = 'path' in right ? typeOf(right.path, definition) : typeOfValue(right)
  if (left === undefined || other === undefined) return undefined
  const shown = 'path' in right ? `'${right.path}'` : JSON.stringify(right.value)
  const what = `compares '${path}', ${WORDS[left]}, with ${shown}, ${WORDS[other]}`
  const inOrder = /^[<>]/.test(operator)
  const pair = new Set([left, other])
  if (pair.has('rows') || (inOrder && pair.has('boolean'))) return { severity: 'error', what }
  if (pair.size === 1) return undefined
  if (pair.has('boolean')) return { severity: 'error', what }
  // What is left is a text and a number: amounts come as texts too.
  const word = 'value' in right && typeof right.value === 'string' && Number.isNaN(Number(right.value))
  if (word) return { severity: 'error', what }
  return inOrder && left === 'text' ? { severity: 'warning', what } : undefined
}

interface Clash {
  severity: 'error' | 'warning'
  what: string
}

const WORDS: Record<Type, string> = { text: 'a text', number: 'a number', boolean: 'true or false', rows: 'rows' }

function typeOfValue(right: Operand): Type | undefined {
  const value = 'value' in right ? right.value : null
  return typeof value === 'string' ? 'text' : typeof value === 'number' ? 'number' : typeof value === 'boolean' ? 'boolean' : undefined
}

/** What all screens that set it say it is; undefined where one says nothing, or they differ. */
function typeOf(path: string, definition: FlowDefinition): Type | undefined {
  const [root, as, field, ...deeper] = path.split('.')
  if (['msisdn', 'code', 'line', 'language'].includes(root as string)) return 'text'
  if (root === 'data' && as !== undefined && field !== undefined) {
    const wanted = callsOf(as, definition).map(({ expect }) => expect?.[field])
    const types = new Set(wanted.map((of) => (typeof of === 'object' ? of.is : of)))
    const [only] = types.size === 1 ? types : []
    if (deeper.length === 0) return only === 'any' ? undefined : only
    return only === 'rows' && deeper.join() === 'count' ? 'number' : undefined
  }
  if (root !== 'answers') return undefined
  const inputs = Object.entries(definition.screens).flatMap(([name, screen]) =>
    screen.kind === 'input' && (screen.as ?? name) === as ? [screen] : [])
  const types = new Set(inputs.map(({ number, name, length, pattern }) => {
    if (number) return 'number'
    return name || (length && !pattern) ? 'text' : undefined
  }))
  return types.size === 1 ? [...types][0] : undefined
}

function callsOf(as: string, { screens }: FlowDefinition): CallScreen[] {
  return Object.entries(screens).flatMap(([name, screen]) => (screen.kind === 'call' && (screen.as ?? name) === as ? [screen] : []))
}

/** The expected field that was likely meant. An answer may well have more fields than are expected. */
function slipIn(path: string, screen: string, definition: FlowDefinition): string | undefined {
  const [root, as, field] = path.split('.')
  if (root === 'data' && as !== undefined && field !== undefined) {
    const calls = callsOf(as, definition).map(({ expect }) => Object.keys(expect ?? {}))
    return calls.some((known) => known.includes(field)) ? undefined : nearest(field, calls.flat())
  }
  const here = definition.screens[screen]
  if (root !== 'row' || as === undefined || !here || !isRouter(here)) return undefined
  const fields = rowFieldsAt(rowsFrom(here) as string, definition)
  return fields.includes(as) ? undefined : nearest(as, fields)
}

function rowFieldsAt(from: string, definition: FlowDefinition): string[] {
  const [, as = '', field = ''] = from.split('.')
  return callsOf(as, definition).flatMap(({ expect }) => {
    const wanted = expect?.[field]
    return typeof wanted === 'object' ? Object.keys(wanted.fields ?? {}) : []
  })
}
