/**
 * The largest that values can be. It follows from the rules of inputs, from what calls are expected to answer, and from
 * what is set from those.
 */
import { oncePer } from '../../base/index.ts'
import { fieldChars, fieldRange, type FlowDefinition, keptAt, kindOf, type RowField, setIn } from '../language/index.ts'
import type { KeptSize } from '../screens/index.ts'
import { charsOf, largest, type Size } from '../expression/index.ts'
import { valueSize } from './value-size.ts'

/** Keyed by path, such as `answers.amount` or `data.slots.rows`; `row.name` within one list. */
export interface Bounds {
  /** The most characters of a value. */
  lengths: ReadonlyMap<string, number>
  /** The largest value of a number. */
  numbers: ReadonlyMap<string, number>
}

interface Growing extends Bounds {
  lengths: Map<string, number>
  numbers: Map<string, number>
  /** How many decimals a number can have, if that is known. */
  decimals: Map<string, number>
}

/** The bounds that hold on each screen. */
export const boundsOf = oncePer((definition: FlowDefinition): ((screen: string) => Bounds) => {
  const bounds: Growing = { lengths: new Map(), numbers: new Map(), decimals: new Map() }
  const rows = new Map<string, Bounds>()
  for (const [from, screen] of Object.entries(definition.screens)) {
    const kept = keptAt(from, screen)
    const { sizes, rows: rowsOf } = kindOf(screen)
    for (const size of kept === undefined ? [] : (sizes?.(screen) ?? []))
      keep(bounds, size.field === '' ? kept! : `${kept}.${size.field}`, size)
    const source = rowsOf?.(screen)
    if (!source) continue
    const fields = rowFieldsAt(source.from, definition)
    if (kept !== undefined) ofRow(kept, fields, bounds)
    rows.set(from, ofRow('row', fields, { lengths: new Map(), numbers: new Map() }))
  }
  ofVars(definition, bounds)
  return (screen) => {
    const row = rows.get(screen)
    if (!row) return bounds
    return {
      lengths: new Map([...bounds.lengths, ...row.lengths]),
      numbers: new Map([...bounds.numbers, ...row.numbers]),
    }
  }
})

/** Sets the bounds of a row's fields: by their types, or a number of characters, or of digits if shown as a number. */
function ofRow(
  root: string,
  fields: readonly [string, RowField][],
  bounds: Pick<Growing, 'lengths' | 'numbers'>,
): Bounds {
  for (const [field, said] of fields) {
    const [chars, { max }] = [fieldChars(said), fieldRange(said)]
    if (chars !== undefined) grow(bounds.lengths, `${root}.${field}`, chars)
    if (max !== undefined) grow(bounds.numbers, `${root}.${field}`, max)
  }
  return bounds
}

function grow(sizes: Map<string, number>, path: string, max: number): void {
  sizes.set(path, Math.max(max, sizes.get(path) ?? 0))
}

/** A variable is as large as the largest value that it is set to. */
function ofVars(definition: FlowDefinition, bounds: Growing): void {
  const set = setIn(definition)
  const known = new Map<string, Size>()
  const fieldOf = (from: string, field: string) =>
    digitsOf(rowFieldsAt(from, definition).find(([name]) => name === field)?.[1])
  const sizeOf = (path: string): Size => {
    const [root, name = '', ...rest] = path.split('.')
    if (root !== 'vars' || rest.length > 0)
      return { chars: bounds.lengths.get(path), max: bounds.numbers.get(path), decimals: bounds.decimals.get(path) }
    if (!known.has(name)) {
      // While a size is being computed, the size of a variable that depends on itself is unknown.
      known.set(name, {})
      known.set(name, largest((set.get(name) ?? []).map((value) => valueSize(value, { sizeOf, fieldOf }))))
    }
    return known.get(name) as Size
  }
  for (const name of set.keys()) {
    const size = sizeOf(`vars.${name}`)
    const chars = charsOf(size)
    if (size.max !== undefined) bounds.numbers.set(`vars.${name}`, size.max)
    if (chars !== undefined) bounds.lengths.set(`vars.${name}`, chars)
  }
}

function keep({ lengths, numbers, decimals }: Growing, path: string, size: KeptSize): void {
  if (size.chars !== undefined) grow(lengths, path, size.chars)
  if (size.max !== undefined) grow(numbers, path, size.max)
  if (size.decimals !== undefined) grow(decimals, path, size.decimals)
}

/** The characters of a field, or the digits of a number: its decimals do not make a sum larger. */
function digitsOf(field: RowField | undefined): number | undefined {
  const { max } = fieldRange(field)
  return typeof field === 'object' && max !== undefined ? String(Math.ceil(Math.abs(max))).length : fieldChars(field)
}

/** The fields of the rows at this path that calls declare, with what they are. */
export function rowFieldsAt(from: string, definition: FlowDefinition): readonly [string, RowField][] {
  return rowFields(definition).get(from) ?? []
}

const rowFields = oncePer(({ screens }: FlowDefinition): ReadonlyMap<string, [string, RowField][]> => {
  const all = new Map<string, [string, RowField][]>()
  for (const [name, screen] of Object.entries(screens)) {
    for (const { field, fields } of kindOf(screen).sizes?.(screen) ?? []) {
      if (fields === undefined) continue
      const from = `${keptAt(name, screen)}.${field}`
      all.set(from, [...(all.get(from) ?? []), ...Object.entries(fields)])
    }
  }
  return all
})
