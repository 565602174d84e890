/**
 * What is kept of a back end's answer: only the fields that the flow reads somewhere. So a dialogue stays small,
 * however much a back end sends.
 */
import type { Json, JsonObject } from '../../ussd/index.ts'
import {
  compileCondition,
  Slip,
  LIST_ROWS_KEPT_MAX,
  SEARCH_ROWS_MAX,
  type Reading,
  type RowsRead,
  isExpression,
  pathsOf,
  readingOf,
} from '../expression/index.ts'
import { type FlowDefinition, kindOf, type ScreenDefinition, usesOf } from '../language/index.ts'
import type { KeepAnswer } from '../plan/index.ts'
import { compileIn, wordsIn } from '../text/index.ts'

/** `all`, or the fields that are read. If a field is a list: what is read of its rows. */
type Fields = 'all' | Map<string, Fields>

export function keeping(definition: FlowDefinition): KeepAnswer {
  const read: Map<string, Fields> = new Map()
  const note = (path: string, rows?: Fields) => {
    const [root, as, field] = path.split('.')
    if (root !== 'data' || as === undefined) return
    const known = read.get(as) ?? new Map<string, Fields>()
    if (field === undefined || known === 'all') return void read.set(as, 'all')
    known.set(field, joined(known.get(field), path.split('.').length === 3 ? rows : rowsOf(path)))
    read.set(as, known)
  }
  const { shown, handed, rows } = pathsRead(definition)
  for (const path of shown) note(path)
  // A value that is passed on is passed on whole.
  for (const path of handed) note(path, 'all')
  for (const { from, reads } of rows)
    note(from, reads === 'whole' ? 'all' : new Map(reads === 'count' ? [] : [[reads.field, 'all']]))
  const searched = new Set<string | undefined>()
  for (const [name, screen] of Object.entries(definition.screens)) {
    const rowsOf = kindOf(screen).rows?.(screen)
    if (!rowsOf) continue
    const { from, keep, search, sort, many } = rowsOf
    const own = [...(search ?? []), ...(sort === undefined ? [] : [sort])]
    const fields = keep && [...rowFieldsRead(definition, name), ...keep, ...own]
    note(from, fields ? new Map(fields.map((field) => [field, 'all'])) : 'all')
    if (many) searched.add(from.split('.')[1])
  }
  return (as, data) => cut(data, read.get(as) ?? new Map(), searched.has(as) ? SEARCH_ROWS_MAX : LIST_ROWS_KEPT_MAX)
}

/** `data.a.rows.count` reads no field of any row. Any other path of this depth reads everything. */
function rowsOf(path: string): Fields {
  return path.split('.').length === 4 && path.endsWith('.count') ? new Map() : 'all'
}

function joined(one: Fields | undefined, other: Fields | undefined): Fields {
  if (one === undefined || other === undefined) return other ?? one ?? new Map()
  return one === 'all' || other === 'all' ? 'all' : new Map([...one, ...other])
}

/** The fields of a row that a screen shows, or that its conditions read. */
function rowFieldsRead(definition: FlowDefinition, name: string): string[] {
  const { texts, conditions } = usesOf({ screens: { [name]: definition.screens[name] as ScreenDefinition } })
  const asked = conditions.flatMap(({ condition, inRow }) => {
    const compiled = inRow ? compileCondition(condition) : undefined
    return compiled === undefined || compiled instanceof Slip ? [] : compiled.paths
  })
  const shown = texts.filter(({ role }) => role === 'row').flatMap(({ text }) => slotsOf(definition, text))
  return [...shown, ...asked].flatMap((path) => (path.startsWith('row.') ? [path.split('.')[1] as string] : []))
}

function pathsRead(definition: FlowDefinition): { shown: string[]; handed: string[]; rows: RowsRead[] } {
  const { texts, conditions, values } = usesOf(definition)
  const asked = conditions.flatMap(({ condition }) => {
    const compiled = compileCondition(condition)
    return compiled instanceof Slip ? [] : compiled.made
  })
  const worked = values.flatMap(({ value }) => readingOf(value) ?? [])
  return {
    shown: [...texts.flatMap(({ text }) => slotsOf(definition, text)), ...asked.flatMap(plainPaths)],
    handed: [
      ...values.flatMap(({ value }) => (isExpression(value) ? [] : pathsOf(value))),
      ...worked.flatMap(plainPaths),
    ],
    rows: [...asked, ...worked].flatMap(({ rows }) => rows),
  }
}

/** Without rows that a function reads: the function says itself which fields it needs. */
function plainPaths({ paths, rows }: Reading): string[] {
  return paths.filter((path) => rows.every(({ from }) => from !== path))
}

function slotsOf(definition: FlowDefinition, text: string | Record<string, string>): string[] {
  return definition.languages.flatMap((language) => {
    const words = wordsIn(definition, text, language)
    const message = words === undefined ? undefined : compileIn(definition, words, language)
    return typeof message === 'object' ? message.slots.map((slot) => slot.path) : []
  })
}

function cut(data: Json, fields: Fields, rowsMax: number): Json {
  if (Array.isArray(data)) return data.slice(0, rowsMax).map((row) => cut(row, fields, rowsMax))
  if (fields === 'all' || data === null || typeof data !== 'object') return data
  const out: JsonObject = {}
  for (const [field, inner] of fields)
    if (Object.hasOwn(data, field)) out[field] = cut(data[field] as Json, inner, rowsMax)
  return out
}
