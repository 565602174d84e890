/** Rows that a screen picks from an answer: those for which a condition holds, in an order, at most so many. */
import { z } from 'zod'
import type { DialogueContext } from '../../../machines/dialogue.ts'
import { LastFew } from '../../base/index.ts'
import type { Json } from '../../ussd/index.ts'
import {
  compileCondition,
  type ConditionSource,
  LIST_ROWS_KEPT_MAX,
  readDecimal,
  readPath,
  readRows,
  SEARCH_ROWS_MAX,
  Slip,
} from '../expression/index.ts'
import { condition } from '../terms/index.ts'

const SORTED = /^-?[A-Za-z0-9_][A-Za-z0-9_-]*$/

/** The keys of a screen that picks rows, besides `from`. */
export const pickingKeys = {
  where: condition.optional().describe('Takes only the rows for which this holds; it reads their fields as `row.…`.'),
  sort: z
    .string()
    .regex(SORTED, 'a field of the rows, such as at, or -at for the greatest first')
    .optional()
    .meta({ title: '`field` or `-field`' })
    .describe('The field by which rows are sorted; with `-` in front, the greatest first. Rows without it come last.'),
}

export interface Picking {
  from: string
  where?: ConditionSource | undefined
  sort?: string | undefined
  max?: number | undefined
}

/** The rows that are shown. Pure; the same rows and values give the same list. */
export type PickRows = (context: DialogueContext) => readonly Json[]

export const isPicked = ({ where, sort }: Omit<Picking, 'from'>): boolean => where !== undefined || sort !== undefined

/** The field by which rows are sorted. */
export const sortedBy = (sort: string): string => sort.replace(/^-/, '')

/** The paths on which the rows depend. */
export function pickReads({ from, where }: Picking): readonly string[] {
  const compiled = where === undefined ? undefined : compileCondition(where)
  return [from, ...(compiled === undefined || compiled instanceof Slip ? [] : compiled.paths)]
}

const PICKERS = new WeakMap<object, PickRows>()

/** `many`: whether a thousand rows are kept. The condition must be valid. */
export function pickerOf(picking: Picking, many: boolean, zone: string): PickRows {
  const known = PICKERS.get(picking) ?? madePicker(picking, many ? SEARCH_ROWS_MAX : LIST_ROWS_KEPT_MAX, zone)
  PICKERS.set(picking, known)
  return known
}

function madePicker({ from, where, sort, max = Infinity }: Picking, kept: number, zone: string): PickRows {
  const compiled = where === undefined ? undefined : compileCondition(where, zone)
  const asked = compiled instanceof Slip ? undefined : compiled
  const reads = [...new Set(asked?.paths ?? [])].filter((path) => !path.startsWith('row.'))
  return (context) => {
    const all = readRows({ context }, from)
    if (!isPicked({ where, sort })) return all.slice(0, Math.min(kept, max))
    const told = JSON.stringify([context.language, context.now, ...reads.map((path) => readPath({ context }, path))])
    for (const one of DONE.held) if (one.all === all && one.by === reads && one.told === told) return one.rows
    const held = all.slice(0, kept).filter((row) => asked?.holds({ context, row }) ?? true)
    const rows = (sort === undefined ? held : sorted(held, sort, context.language)).slice(0, max)
    DONE.add({ by: reads, all, told, rows })
    return rows
  }
}

/** `by`: the paths that a picker reads, which stand for it. */
interface Done {
  by: readonly string[]
  all: readonly Json[]
  told: string
  rows: readonly Json[]
}

/** A turn asks for the same rows several times, and folding and sorting a thousand takes milliseconds. */
const DONE = new LastFew<Done>(8)

function sorted(rows: readonly Json[], sort: string, language: string): Json[] {
  const field = sortedBy(sort)
  const keyed = rows.map((row) => ({ row, key: keyOf(row, field) }))
  const order = sort === field ? 1 : -1
  const { compare } = collatorOf(language)
  return keyed
    .toSorted(({ key: one }, { key: other }) => {
      if (one === undefined || other === undefined) return Number(one === undefined) - Number(other === undefined)
      if (typeof one === 'bigint' && typeof other === 'bigint') return order * (one < other ? -1 : one > other ? 1 : 0)
      return order * compare(String(one), String(other))
    })
    .map(({ row }) => row)
}

/** The most of a text by which rows are sorted. */
const SORTED_UNITS_MAX = 100

/** A number, also one that comes as a text, or a text; undefined: the row has no such field. */
function keyOf(row: Json, field: string): bigint | string | undefined {
  if (row === null || typeof row !== 'object' || Array.isArray(row) || !Object.hasOwn(row, field)) return undefined
  const value = row[field] as Json
  if (value === null || typeof value === 'object' || value === '') return undefined
  return readDecimal(value) ?? String(value).slice(0, SORTED_UNITS_MAX)
}

const COLLATORS = new Map<string, Intl.Collator>()

/** There are few languages: those of flows. A tag that no locale has is sorted as any. */
function collatorOf(language: string): Intl.Collator {
  const how = { numeric: true, sensitivity: 'base' } as const
  const known = COLLATORS.get(language) ?? new Intl.Collator(isLocale(language) ? language : undefined, how)
  COLLATORS.set(language, known)
  return known
}

function isLocale(language: string): boolean {
  try {
    return Intl.getCanonicalLocales(language).length > 0
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}
