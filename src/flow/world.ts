/** Back ends and subscribers that are made up from what a flow reads: the data that it is walked with. */
import type { Json, JsonObject } from '../ussd/types.ts'
import { examplesOf } from './answer-checks.ts'
import { compileCondition, type Against } from './condition.ts'
import { isRouter, rowsFrom, type CallScreen, type FlowDefinition, type InputScreen } from './definition.ts'
import { exampleOf } from './pattern-example.ts'
import { acceptsAlone } from './screens/input.ts'
import type { DialogueContext } from '../../machines/dialogue.ts'
import { rowsShown } from './screens/list.ts'
import { pathsOf } from './screens/plan.ts'
import { compileIn, wordsIn } from './speech.ts'
import type { Slot } from './message.ts'
import type { FlowEvent } from './types.ts'
import { usesOf } from './uses.ts'

/** What may come of a call. `told` is '' for the answer that is all well. */
export interface Outcome {
  event: FlowEvent
  told: string
}

export interface World {
  outcomes: (screen: string) => readonly Outcome[]
  /** Answers that an input takes; none if no example could be made. */
  answers: (screen: string) => readonly string[]
  isSecret: (screen: string) => boolean
  /** Whether wrong answers lead an input to a screen of the flow. */
  givesUp: (screen: string) => boolean
  /** Letters that a list with a search finds a row by; undefined of others, and of one without rows. */
  searched: (screen: string, context: DialogueContext) => string | undefined
}

/** Rows of an answer that is all well, and of one that needs pages. */
const ROWS = { few: 3, many: 12 }
/** Answers of one call that are tried; each is a branch of the walk. */
const OUTCOMES_MAX = 16
/** Answers besides with one row for a branch to go over. Cheap: the walk goes on once for each way that it takes. */
const ROUTED_MAX = 64

/** For a definition that has been checked. */
export function worldOf(definition: FlowDefinition): World {
  const reads = readsOf(definition)
  const known = new Map<string, readonly Outcome[]>()
  return {
    outcomes: (name) => {
      const screen = definition.screens[name]
      if (screen?.kind !== 'call') return []
      const found = known.get(name) ?? outcomesOf(name, screen, { definition, reads })
      known.set(name, found)
      return found
    },
    isSecret: (name) => {
      const screen = definition.screens[name]
      return screen?.kind === 'input' && screen.secret === true
    },
    givesUp: (name) => {
      const screen = definition.screens[name]
      return screen?.kind === 'input' && screen.giveUp !== undefined
    },
    searched: (name, context) => {
      const screen = definition.screens[name]
      if (screen?.kind !== 'list' || !screen.search) return undefined
      const [row] = rowsShown(screen, context) as (JsonObject | undefined)[]
      const texts = screen.search.map((field) => String(row?.[field] ?? ''))
      return texts.flatMap((text) => /\p{L}+/u.exec(text)?.[0] ?? [])[0]
    },
    answers: (name) => {
      const screen = definition.screens[name]
      return screen?.kind === 'input' ? answersOf(screen, valuesAt(reads, `answers.${screen.as ?? name}`), definition.zone) : []
    },
  }
}

interface Reads {
  slots: readonly Slot[]
  against: readonly Against[]
  /** Paths that are only handed on. */
  handed: readonly string[]
}

interface Known {
  definition: FlowDefinition
  reads: Reads
}

function readsOf(definition: FlowDefinition): Reads {
  const { conditions, values } = usesOf(definition)
  const against = conditions.flatMap(({ condition }) => {
    const compiled = compileCondition(condition)
    return typeof compiled === 'string' ? [] : [...compiled.against]
  })
  return { slots: slotsOf(definition), against, handed: values.flatMap(({ value }) => pathsOf(value)) }
}

/** All that its texts show, in all languages. */
export function slotsOf(definition: FlowDefinition): Slot[] {
  return usesOf(definition).texts.flatMap(({ text }) =>
    definition.languages.flatMap((language) => {
      const message = compileIn(definition, wordsIn(definition, text, language) ?? '', language)
      return typeof message === 'string' ? [] : [...message.slots]
    }),
  )
}

function outcomesOf(name: string, screen: CallScreen, known: Known): Outcome[] {
  const root = `data.${screen.as ?? name}`
  const well = answerOf(root, screen, ROWS.few, known)
  const out: Outcome[] = [{ event: { type: 'RESULT', data: well }, told: '' }]
  const say = (what: string, data: Json) =>
    void out.push({ event: { type: 'RESULT', data }, told: `${screen.call} says ${what}` })
  const lists = listsOf(root, known.definition)
  if (lists.length > 0 || Object.values(screen.expect ?? {}).some((is) => typeOf(is) === 'rows')) {
    say('no rows', answerOf(root, screen, 0, known))
    say(`${ROWS.many} rows`, answerOf(root, screen, ROWS.many, known))
  }
  const single: Outcome[] = []
  for (const { from, fields, routed } of lists) {
    if (!routed) continue
    const under = from.slice(root.length + 1).split('.').filter(Boolean)
    for (const row of rowsTried(fields, known.reads)) {
      const data = put(structuredClone(well), under, [row])
      single.push({ event: { type: 'RESULT', data }, told: `${screen.call} says a row ${JSON.stringify(row)}` })
    }
  }
  for (const path of pathsUnder(root, known)) {
    for (const value of valuesAt(known.reads, path)) {
      const field = path.slice(root.length + 1)
      if (field !== '') say(`${field} is ${JSON.stringify(value)}`, put(structuredClone(well), field.split('.'), value))
    }
  }
  const refusals = Object.keys(screen.refused ?? {}).map((refusal): Outcome => ({
    event: { type: 'REFUSED', refusal, data: null },
    told: `${screen.call} refuses: ${refusal}`,
  }))
  const down: Outcome = { event: { type: 'FAILED', why: 'down' }, told: `${screen.call} is down` }
  return [...out.slice(0, OUTCOMES_MAX), ...single, ...refusals, down]
}

/** An answer with all that is read of it. */
function answerOf(root: string, screen: CallScreen, rows: number, known: Known): Json {
  const { definition, reads } = known
  let data: Json = {}
  for (const [field, wanted] of Object.entries(screen.expect ?? {})) {
    const type = typeOf(wanted)
    const value = { text: made(field), number: 120, boolean: true, rows: [], any: made(field) }[type]
    data = put(data, [field], typeof value === 'string' ? textAt(`${root}.${field}`, reads, value) : value)
  }
  for (const path of pathsUnder(root, known)) {
    const field = path.slice(root.length + 1)
    if (field === '' || field.endsWith('.count') || expectedAt(screen, field)) continue
    data = put(data, field.split('.'), sampleAt(path, reads, 1) ?? made(field))
  }
  const lists = listsOf(root, definition)
  for (const { from, fields } of lists) {
    const field = from.slice(root.length + 1)
    const all = Array.from({ length: rows }, (_, i) => rowOf(fields, reads, i))
    data = field === '' ? all : put(data, field.split('.'), all)
  }
  return data
}

/** Amounts and dates may come as texts. */
function textAt(path: string, reads: Reads, otherwise: string): string {
  return String(sampleAt(path, reads, 1) ?? otherwise)
}

/** Whether its type is said. What is `any` may be a block, by what is read of it. */
function expectedAt(screen: CallScreen, field: string): boolean {
  const wanted = screen.expect?.[field]
  return wanted !== undefined && typeOf(wanted) !== 'any'
}

function typeOf(wanted: NonNullable<CallScreen['expect']>[string]) {
  return typeof wanted === 'string' ? wanted : wanted.is
}

interface RowFields {
  from: string
  /** By the name of a field: the paths that it is read by. */
  fields: Map<string, string[]>
  /** A branch goes over them: which way it takes hangs on single rows. */
  routed: boolean
}

/** The rows under there, once each, with all that lists and branches read of them. */
function listsOf(root: string, definition: FlowDefinition): RowFields[] {
  const lists = new Map<string, RowFields>()
  const { slots, against, handed } = readsOf(definition)
  for (const [name, screen] of Object.entries(definition.screens)) {
    const from = rowsFrom(screen)
    if (from === undefined || (from !== root && !from.startsWith(`${root}.`))) continue
    const list = lists.get(from) ?? { from, fields: new Map<string, string[]>(), routed: false }
    lists.set(from, { ...list, routed: list.routed || isRouter(screen) })
    const note = (field: string | undefined, path: string) => {
      const known = list.fields.get(field ?? '') ?? []
      if (field !== undefined && !known.includes(path)) list.fields.set(field, [...known, path])
    }
    const chosen = `chosen.${('as' in screen ? screen.as : undefined) ?? name}`
    for (const path of [...slots.map((slot) => slot.path), ...against.map((test) => test.path), ...handed]) {
      if (path.startsWith('row.')) note(path.split('.')[1], path)
      if (path.startsWith(`${chosen}.`)) note(path.split('.')[2], path)
    }
    if (screen.kind === 'list') for (const field of screen.search ?? []) note(field, `row.${field}`)
  }
  return [...lists.values()]
}

/** Rows of which a branch may make something else each: every combination of the values that conditions name, and of none of them. */
function rowsTried(fields: RowFields['fields'], reads: Reads): Json[] {
  let rows = [rowOf(fields, reads, 0) as JsonObject]
  for (const [field, paths] of fields) {
    const named = paths.flatMap((path) => valuesAt(reads, path))
    const values = named.some((value) => typeof value === 'string') ? [...named, `${made(field)} 0`] : named
    if (values.length > 0) rows = rows.flatMap((row) => values.map((value) => ({ ...row, [field]: value }))).slice(0, ROUTED_MAX)
  }
  return rows
}

function rowOf(fields: RowFields['fields'], reads: Reads, i: number): Json {
  const row: JsonObject = {}
  for (const [field, paths] of fields) {
    const tried = paths.flatMap((path) => valuesAt(reads, path))
    const shown = paths.map((path) => sampleAt(path, reads, i + 1)).find((value) => value !== undefined)
    row[field] = tried.length > 0 ? (tried[i % tried.length] as Json) : (shown ?? `${made(field)} ${i + 1}`)
  }
  return row
}

function pathsUnder(root: string, { reads, definition }: Known): string[] {
  const lists = listsOf(root, definition).map(({ from }) => from)
  const all = [...reads.slots.map((slot) => slot.path), ...reads.against.map((test) => test.path), ...reads.handed]
  return [...new Set(all)].filter(
    (path) =>
      (path === root || path.startsWith(`${root}.`)) &&
      !lists.some((from) => path === from || path.startsWith(`${from}.`)),
  )
}

/** A value that texts can show as they do; undefined if no text shows it. */
function sampleAt(path: string, { slots }: Reads, n: number): Json | undefined {
  const shown = slots.filter((slot) => slot.path === path)
  const as = new Set(shown.map((slot) => slot.as))
  if (as.has('date') || as.has('time')) return `2025-05-${String(9 + n).padStart(2, '0')}T09:00:00Z`
  if (as.has('number')) return 120 * n
  if (as.has('choice')) return shown.flatMap((slot) => slot.among ?? [])[0] ?? ''
  return undefined
}

/** Values at which conditions and choices change over. */
function valuesAt({ slots, against }: Reads, path: string): Json[] {
  const tests = against.filter((test) => test.path === path).map((test) => test.value)
  const numbers = tests.filter((value) => typeof value === 'number').flatMap((value) => [value - 1, value, value + 1])
  const others = tests.filter((value) => typeof value !== 'number')
  const among = slots.filter((slot) => slot.path === path).flatMap((slot) => slot.among ?? [])
  return [...new Set<Json>([...numbers, ...others, ...among])]
}

function answersOf(screen: InputScreen, tested: readonly Json[], zone: string): string[] {
  const checked = (screen.checks ?? []).flatMap((check) => [
    ...examplesOf(check, zone),
    ...(check.pattern === undefined ? [] : [exampleOf(check.pattern, screen.length)]),
  ])
  const typed = [...checked.filter((word) => word !== undefined), ...plainAnswersOf(screen, tested)]
  return [...new Set(typed)].filter((word) => acceptsAlone(screen, word))
}

function plainAnswersOf(screen: InputScreen, tested: readonly Json[]): string[] {
  const { number, length, pattern } = screen
  if (screen.name) return ['Mary Kila']
  if (number) {
    const { min = Math.min(1, number.max ?? 1), max = min + 1 } = number
    const within = tested.filter((value) => typeof value === 'number' && value >= min && value <= max)
    return [...new Set([min, max, ...within].map(String))]
  }
  const words = tested.filter((value) => typeof value === 'string')
  if (pattern !== undefined) return [exampleOf(pattern, length), ...words].filter((word) => word !== undefined)
  return [...words, 'abcdefghij'.repeat(16).slice(0, Math.max(length?.min ?? 1, Math.min(length?.max ?? 10, 10)))]
}

/** A made-up text: the name of the field as a word. */
function made(field: string): string {
  const word = field.replace(/^.*\./, '')
  return `${word.charAt(0).toUpperCase()}${word.slice(1)}`
}

function put(into: Json, path: readonly string[], value: Json): Json {
  const [key, ...rest] = path
  if (key === undefined) return value
  const block: JsonObject = into !== null && typeof into === 'object' && !Array.isArray(into) ? into : {}
  return { ...block, [key]: put(block[key] ?? null, rest, value) }
}
