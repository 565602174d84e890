/** Rows that back ends answer with, made up from what lists and branches read of them. */
import type { Json, JsonObject } from '../../ussd/index.ts'
import { isRouter, kindOf, rowsFrom, type FlowDefinition } from '../language/index.ts'
import { fieldPath, readsOf, sampleAt, valuesAt, type Reads } from './reads.ts'

/** How long what back ends answer is: as is usual, or as long as the `max` of `expect` let it be. */
export type Lengths = 'likely' | 'longest'

/** Answers besides with one row for a branch to go over. Cheap: the walk goes on once for each way that it takes. */
const ROUTED_MAX = 64
/** Digits that a number is exact with. */
const DIGITS_MAX = 15

/** Rows that a call answers with. */
export interface RowFields {
  from: string
  /** By the name of a field: the paths that it is read by. */
  fields: Map<string, string[]>
  /** A branch goes over them: which way it takes hangs on single rows. */
  routed: boolean
}

/** The rows under there, once each, with all that lists and branches read of them. */
export function listsOf(root: string, definition: FlowDefinition): RowFields[] {
  const lists = new Map<string, RowFields>()
  const { slots, against, handed, rows } = readsOf(definition)
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
    for (const field of kindOf(screen).rows?.(screen)?.search ?? []) note(field, `row.${field}`)
  }
  for (const { from, reads } of rows) {
    if (from !== root && !from.startsWith(`${root}.`)) continue
    const list = lists.get(from) ?? { from, fields: new Map<string, string[]>(), routed: false }
    lists.set(from, list)
    if (typeof reads === 'object')
      list.fields.set(reads.field, [...(list.fields.get(reads.field) ?? []), fieldPath(from, reads.field)])
  }
  return [...lists.values()]
}

/**
 * Rows of which a branch may make something else each: every combination of the values that conditions name, and of
 * none of them.
 */
export function rowsTried(fields: RowFields['fields'], sizes: RowLengths): Json[] {
  let rows = [rowOf(fields, sizes, 0) as JsonObject]
  for (const [field, paths] of fields) {
    const named = namedOf(paths, field, sizes)
    const values = named.some((value) => typeof value === 'string') ? [...named, `${syntheticRows(field)} 0`] : named
    if (values.length > 0)
      rows = rows.flatMap((row) => values.map((value) => ({ ...row, [field]: value }))).slice(0, ROUTED_MAX)
  }
  return rows
}

/** How long the fields of a row are made. */
export interface RowLengths {
  reads: Reads
  /** The most characters of a field. */
  bounds: Readonly<Record<string, number>>
  lengths: Lengths
}

/** The row of that index, with a value for each field that is read. */
export function rowOf(fields: RowFields['fields'], sizes: RowLengths, i: number): Json {
  const row: JsonObject = {}
  for (const [field, paths] of fields) {
    const tried = namedOf(paths, field, sizes)
    const shown = paths.map((path) => sampleAt(path, sizes.reads, i + 1)).find((value) => value !== undefined)
    row[field] = tried.length > 0 ? (tried[i % tried.length] as Json) : rowValue(shown, field, sizes, i)
  }
  return row
}

/** Values that conditions and choices name, as far as the field may be that long. */
function namedOf(paths: readonly string[], field: string, { reads, bounds }: RowLengths): Json[] {
  return paths
    .flatMap((path) => valuesAt(reads, path))
    .filter((value) => String(value).length <= (bounds[field] ?? Infinity))
}

/** Rows differ at their beginning, so that they still do when they are cut. */
function rowValue(shown: Json | undefined, field: string, { bounds, lengths }: RowLengths, i: number): Json {
  const max = bounds[field]
  if (typeof shown === 'number' && max !== undefined) return sized(shown, 10 ** Math.min(max, DIGITS_MAX) - 1, lengths)
  if (shown !== undefined) return shown
  return sized(
    max === undefined ? `${syntheticRows(field)} ${i + 1}` : `${i + 1} ${syntheticRows(field)}`,
    max,
    lengths,
  )
}

/** As large as it may be, or no larger. */
export function sized(value: Json, max: number | undefined, lengths: Lengths): Json {
  if (max === undefined) return value
  if (typeof value === 'number') return lengths === 'longest' ? max : Math.min(value, max)
  if (typeof value !== 'string') return value
  return value.slice(0, max).padEnd(lengths === 'longest' ? max : 0, 'x')
}

/** A made-up text: the name of the field as a word. */
export function syntheticRows(field: string): string {
  const word = field.replace(/^.*\./, '')
  return `${word.charAt(0).toUpperCase()}${word.slice(1)}`
}
