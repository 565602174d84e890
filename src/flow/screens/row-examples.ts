/** Synthetic rows of back ends, made from what lists and branches read of them. */
import type { Json, JsonObject } from '../../ussd/index.ts'
import { fieldChars, fieldRange, fieldTypeOf, isOfType, type RowField } from '../terms/index.ts'
import { type Lengths, momentAt, type Reads, type RowFields, sampleAt, valuesAt } from './examples.ts'

/**
 * The most extra answers with one row, for a branch to go over. They are cheap: the exploration continues once for each
 * way that the branch takes.
 */
const ROUTED_MAX = 64
/** Of so many rows, one lacks what is optional, and one has the least numbers. */
const LACKING = 3
/** The most digits with which a number is exact. */
const DIGITS_MAX = 15

/**
 * Rows for which a branch may take different ways: every combination of the values that conditions name, and of a value
 * that none names.
 */
export function rowsTried(fields: RowFields['fields'], sizes: RowLengths): Json[] {
  let rows = [rowOf(fields, sizes, 0) as JsonObject]
  for (const [field, paths] of fields) {
    const named = namedOf(paths, field, sizes)
    const other = `${wordOf(field)} 0`.slice(0, fieldChars(sizes.bounds[field]))
    const hasWords =
      named.some((value) => typeof value === 'string') &&
      !named.includes(other) &&
      isAllowed(other, sizes.bounds[field])
    const values = hasWords ? [...named, other] : named
    if (values.length > 0)
      rows = rows.flatMap((row) => values.map((value) => ({ ...row, [field]: value }))).slice(0, ROUTED_MAX)
  }
  return rows
}

/** How long the fields of a row are. */
export interface RowLengths {
  reads: Reads
  /** What fields are, as far as the call declares it. */
  bounds: Readonly<Record<string, RowField>>
  lengths: Lengths
  stands?: RowFields['stands']
}

/** The row with this index, with a value for each field that is read. */
export function rowOf(fields: RowFields['fields'], sizes: RowLengths, i: number): Json {
  const row: JsonObject = {}
  for (const [field, paths] of fields) {
    const said = sizes.bounds[field]
    if (typeof said === 'object' && said.optional && i % LACKING === 1) continue
    const typed = sizes.stands?.get(field) ?? []
    const tried = typed.length > 0 ? typed : namedOf(paths, field, sizes)
    const shown = paths.map((path) => sampleAt(path, sizes.reads, i + 1)).find((value) => value !== undefined)
    const usual = rowValue(shown, field, sizes, i)
    // At its longest, a value with which conditions compare is also as long as it may be.
    const all = tried.length > 0 && sizes.lengths === 'longest' ? [...tried, usual] : tried
    row[field] = all.length > 0 ? (all[i % all.length] as Json) : usual
  }
  return row
}

/** Values that conditions and choices name, if the field may be that long. */
function namedOf(paths: readonly string[], field: string, { reads, bounds }: RowLengths): Json[] {
  return paths.flatMap((path) => valuesAt(reads, path)).filter((value) => isAllowed(value, bounds[field]))
}

/** Whether a row may have this value, as far as the call says. */
function isAllowed(value: Json, said: RowField | undefined): boolean {
  const is = fieldTypeOf(said)
  if (is === undefined || is === 'text') return String(value).length <= (fieldChars(said) ?? Infinity)
  const { min = -Infinity, max = Infinity } = fieldRange(said)
  return isOfType(is, value) && (typeof value !== 'number' || (value >= min && value <= max))
}

/** Rows differ at their beginning, so that they still differ after they are cut. */
function rowValue(shown: Json | undefined, field: string, { bounds, lengths }: RowLengths, i: number): Json {
  const is = fieldTypeOf(bounds[field])
  if (is === 'date') return momentAt(i + 1)
  if (is === 'boolean') return i % 2 === 0
  if (is === 'number' || is === 'money') return numberOf(bounds[field], lengths, i)
  const max = fieldChars(bounds[field])
  if (typeof shown === 'number' && max !== undefined) return sized(shown, 10 ** Math.min(max, DIGITS_MAX) - 1, lengths)
  if (shown !== undefined) return shown
  return sized(max === undefined ? `${wordOf(field)} ${i + 1}` : `${i + 1} ${wordOf(field)}`, max, lengths)
}

/** A number within its bounds; some rows have the least one, which may be negative. */
function numberOf(said: RowField | undefined, lengths: Lengths, i: number): number {
  const { min, max } = fieldRange(said)
  const usual = Math.max(Math.min(120 * (i + 1), max ?? Infinity), min ?? -Infinity)
  const ends = [min, max].filter((bound) => bound !== undefined)
  if (i % LACKING === 2) return min ?? usual
  if (lengths === 'likely' || ends.length === 0) return usual
  return ends.reduce((one, other) => (String(other).length >= String(one).length ? other : one))
}

/** As large as it may be, or no larger. */
export function sized(value: Json, max: number | undefined, lengths: Lengths): Json {
  if (max === undefined) return value
  if (typeof value === 'number') return lengths === 'longest' ? max : Math.min(value, max)
  if (typeof value !== 'string') return value
  return value.slice(0, max).padEnd(lengths === 'longest' ? max : 0, 'x')
}

/** A synthetic text: the name of the field as a word. */
export function wordOf(field: string): string {
  const word = field.replace(/^.*\./, '')
  return `${word.charAt(0).toUpperCase()}${word.slice(1)}`
}
