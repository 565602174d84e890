/** The functions of expressions: what each takes and returns, and how large the result can be. All are pure. */
import type { Json } from '../../ussd/index.ts'
import { dayOf, timeOfDay, yearsBetween } from '../../base/index.ts'
import { ARITHMETIC, asNumber, DECIMALS_MAX, readDecimal, rounded, type Decimal } from './decimal.ts'
import { LIST_ROWS_KEPT_MAX } from './path.ts'
import { added, charsOf, DAYS_MAX, type Size } from './size.ts'

export type Type = 'text' | 'number' | 'boolean' | 'rows' | 'date'

/**
 * `value`: a text, or a number as a text; `list`: rows, or the characters of a text; `places`, `field`: literals, not
 * computed.
 */
export type ArgumentType = 'number' | 'text' | 'value' | 'date' | 'rows' | 'list' | 'places' | 'field'

/** An argument in the type that the function takes: a Decimal, a text, an ISO day, rows. */
export type Arg = Decimal | string | readonly Json[]

export interface Fn {
  /** As an author writes it. */
  form: string
  does: string
  takes: readonly ArgumentType[]
  /** The least number of arguments. Absent: all are required. */
  least?: number
  /** The last argument may be repeated. */
  many?: true
  /** Undefined: the type that the rows have. */
  gives: Type | undefined
  /** Returns a Decimal for a number. Throws Unworkable. */
  run: (args: readonly Arg[], world: { now: string | undefined; zone: string }) => Json | Decimal | undefined
  size: (sizes: readonly Size[], places: number | undefined) => Size
}

/** A value cannot be computed, and why. */
export class Unworkable extends Error {}

const numbers = (args: readonly Arg[]) => args as readonly Decimal[]
const rounding = (name: string, does: string, how: 'nearest' | 'down' | 'up'): Fn => ({
  form: `${name}(number, places)`,
  does,
  takes: ['number', 'places'],
  least: 1,
  gives: 'number',
  run: ([units, places]) => rounded(units as Decimal, Number(places ?? 0), how),
  size: ([{ max } = {}], places) => ({ max: max === undefined ? undefined : Math.ceil(max), decimals: places ?? 0 }),
})
const extreme = (name: string, does: string, better: (one: Decimal, than: Decimal) => boolean): Fn => ({
  form: `${name}(number, number, …)`,
  does,
  takes: ['number'],
  least: 2,
  many: true,
  gives: 'number',
  run: (args) => numbers(args).reduce((best, one) => (better(one, best) ? one : best)),
  size: (sizes) => ({
    max: extremeOf(name, sizes),
    decimals: Math.max(...sizes.map((size) => size.decimals ?? DECIMALS_MAX)),
  }),
})
/** `min` is at most the smallest known bound; `max` is bounded only if all its arguments are. */
const extremeOf = (name: string, sizes: readonly Size[]) => {
  const known = sizes.flatMap(({ max }) => max ?? [])
  if (name === 'min') return known.length === 0 ? undefined : Math.min(...known)
  return known.length === sizes.length ? Math.max(...known) : undefined
}
const changed = (name: string, does: string, change: (text: string) => string): Fn => ({
  form: `${name}(text)`,
  does,
  takes: ['text'],
  gives: 'text',
  run: ([text]) => change(text as string),
  size: ([size = {}]) => ({ chars: size.chars }),
})
const ending = (name: string, does: string, at: 0 | -1): Fn => ({
  form: `${name}(rows, 'field')`,
  does: `${does}, or that field of it; empty if there are no rows.`,
  takes: ['rows', 'field'],
  least: 1,
  gives: undefined,
  run: ([rows, field]) => fieldOf((at === 0 ? (rows as Json[]) : whole(rows)).at(at), field as string | undefined),
  size: ([{ field } = {}]) => ({ chars: field, max: field === undefined ? undefined : 10 ** field }),
})

export const FUNCTIONS: Readonly<Record<string, Fn>> = {
  round: rounding('round', 'Rounds to that many decimals (none if left out); a half goes away from zero.', 'nearest'),
  floor: rounding('floor', 'Rounds down to that many decimals.', 'down'),
  ceil: rounding('ceil', 'Rounds up to that many decimals.', 'up'),
  min: extreme('min', 'The least.', (one, than) => one < than),
  max: extreme('max', 'The greatest.', (one, than) => one > than),
  number: {
    form: 'number(text)',
    does: 'The number that a text holds.',
    takes: ['value'],
    gives: 'number',
    run: ([text]) => decimalOf(text),
    size: ([{ chars, max, decimals } = {}]) => ({
      max: max ?? (chars === undefined ? undefined : 10 ** chars),
      decimals,
    }),
  },
  length: {
    form: 'length(rows or text)',
    does: 'The number of rows, like `.count`; or the number of characters.',
    takes: ['list'],
    gives: 'number',
    run: ([list]) => readDecimal(typeof list === 'string' ? [...list].length : (list as Json[]).length),
    size: ([{ rows, chars } = {}]) => ({ max: rows ?? chars, decimals: 0 }),
  },
  sum: {
    form: "sum(rows, 'field')",
    does: `The sum of that field over all rows; works on fewer than ${LIST_ROWS_KEPT_MAX} rows, as no more are kept.`,
    takes: ['rows', 'field'],
    gives: 'number',
    run: ([rows, field]) =>
      whole(rows).reduce((sum: Decimal, row) => {
        const both = ARITHMETIC['+'](sum, decimalOf(fieldOf(row, field as string)))
        if (both === undefined) throw new Unworkable('the sum has too many digits')
        return both
      }, 0n),
    size: ([{ rows, field } = {}]) => ({
      max: rows === undefined || field === undefined ? undefined : rows * 10 ** field,
    }),
  },
  first: ending('first', 'The first row', 0),
  last: ending('last', 'The last row', -1),
  concat: {
    form: 'concat(value, value, …)',
    does: 'Joins texts and numbers.',
    takes: ['value'],
    many: true,
    gives: 'text',
    run: (args) => args.join(''),
    size: (sizes) => ({ chars: added(sizes.map(charsOf)) }),
  },
  join: {
    form: "join(rows, 'field', text)",
    does: 'Joins that field of all rows, with the text between them.',
    takes: ['rows', 'field', 'text'],
    gives: 'text',
    run: ([rows, field, between]) =>
      whole(rows)
        .map((row) => asText(fieldOf(row, field as string)))
        .join(between as string),
    size: ([{ rows, field } = {}, , { chars } = {}]) => {
      const each = added([field, chars])
      return { chars: rows === undefined || each === undefined ? undefined : rows * each }
    },
  },
  // A letter whose capital has two letters stays as it is: the text keeps its length, so its measured size holds.
  upper: changed('upper', 'In capitals.', (text) => letters(text, (letter) => letter.toUpperCase())),
  lower: changed('lower', 'The text in small letters.', (text) => letters(text, (letter) => letter.toLowerCase())),
  trim: changed('trim', 'The text without blanks at its ends.', (text) => text.trim()),
  today: {
    form: 'today()',
    does: "The day on which the subscriber dialled, in the flow's zone, as `2025-05-10`; also written `today`.",
    takes: [],
    gives: 'text',
    run: (_args, { now, zone }) => dayIn(now, zone),
    size: () => ({ chars: 10 }),
  },
  time: {
    form: 'time(moment)',
    does: "The time of day of a moment, in the flow's zone, as `18:05`: `time(now) >= '18:00'`. Of `6:30`: `06:30`.",
    takes: ['value'],
    gives: 'text',
    run: ([moment], { zone }) => timeIn(moment, zone),
    size: () => ({ chars: 5 }),
  },
  years: {
    form: 'years(date, date)',
    does: "Whole years from the first date to the second, in the flow's zone, such as an age: `years(answers.born, today)`.",
    takes: ['date', 'date'],
    gives: 'number',
    run: ([from, to]) => readDecimal(yearsBetween(from as string, to as string)),
    size: () => ({ max: 9999, decimals: 0 }),
  },
  days: {
    form: 'days(date, date)',
    does: "Days from the first date to the second, in the flow's zone; negative if the second is earlier.",
    takes: ['date', 'date'],
    gives: 'number',
    run: ([from, to]) => readDecimal(Math.round((Date.parse(to as string) - Date.parse(from as string)) / DAY_MS)),
    size: () => ({ max: DAYS_MAX, decimals: 0 }),
  },
}

const DAY_MS = 86_400_000

/** The value as a number. */
export function decimalOf(value: unknown): Decimal {
  if (typeof value === 'bigint') return value
  const units = readDecimal(value)
  if (units === undefined)
    throw new Unworkable(value === undefined || value === null ? 'a number is missing' : 'a value is not a number')
  return units
}

/** A date or a moment as a day in the zone. */
export function dayIn(value: unknown, zone: string): string {
  const day = dayOf(value, zone)
  if (day === undefined)
    throw new Unworkable(value === undefined || value === null ? 'a date is missing' : 'a value is not a date')
  return day
}

/** The time of day of a moment in the zone. */
export function timeIn(value: unknown, zone: string): string {
  const time = timeOfDay(value, zone)
  if (time === undefined)
    throw new Unworkable(value === '' ? 'a moment is missing' : 'a value is neither a moment nor a time of day')
  return time
}

/** The value as a text; a missing value is empty. */
export function asText(value: unknown): string {
  if (typeof value === 'bigint') return String(asNumber(value))
  return value === undefined || value === null || typeof value === 'object' ? '' : String(value)
}

/** Rows of which none is missing. A list with the maximum number of kept rows may have lost some. */
function whole(rows: Arg | undefined): readonly Json[] {
  const list = rows as readonly Json[]
  if (list.length >= LIST_ROWS_KEPT_MAX)
    throw new Unworkable(`the list has ${LIST_ROWS_KEPT_MAX} rows or more, so rows may be missing`)
  return list
}

function fieldOf(row: Json | undefined, field: string | undefined): Json | undefined {
  if (field === undefined) return row
  return row !== null && typeof row === 'object' && !Array.isArray(row) && Object.hasOwn(row, field)
    ? row[field]
    : undefined
}

function letters(text: string, change: (letter: string) => string): string {
  return [...text].map((letter) => (change(letter).length === letter.length ? change(letter) : letter)).join('')
}
