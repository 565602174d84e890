/** The types of what back ends answer: of fields of an answer, and of fields of its rows. */
import { z } from 'zod'
import { readDecimal } from '../expression/index.ts'
import type { Json } from '../../ussd/index.ts'

/** What a field of a row may be. Money has at most two decimals; it may come as a text, as many systems send it. */
export const FIELD_TYPES = ['text', 'number', 'money', 'date', 'boolean'] as const
export type FieldType = (typeof FIELD_TYPES)[number]
/** What a field of a back end's answer may be. */
export const EXPECTED = [...FIELD_TYPES, 'rows', 'any'] as const
export type ExpectedType = (typeof EXPECTED)[number]

/** The type that expressions know. */
export function typeFor(is: ExpectedType): 'text' | 'number' | 'date' | 'boolean' | 'rows' | undefined {
  return is === 'any' ? undefined : is === 'money' ? 'number' : is
}

/** What a message calls a value of this type. */
export const TYPE_WORDS: Readonly<Record<ExpectedType, string>> = {
  text: 'a text',
  number: 'a number',
  money: 'money',
  date: 'a date',
  boolean: 'true or false',
  rows: 'a list of rows',
  any: 'anything',
}

/** Whether the value is one of this type. `rows`: only whether it is a list of rows. */
export function isOfType(is: ExpectedType, value: Json | undefined): boolean {
  switch (is) {
    case 'text':
      return typeof value === 'string'
    case 'money':
      return isMoney(value)
    case 'date':
      return typeof value === 'string' && isMoment(value)
    case 'rows':
      return (
        Array.isArray(value) && value.every((row) => row !== null && typeof row === 'object' && !Array.isArray(row))
      )
    case 'any':
      return value !== undefined
    default:
      return typeof value === is
  }
}

/** Two decimals, in units of 10⁻¹⁰. */
const CENT = 10n ** 8n

function isMoney(value: Json | undefined): boolean {
  const units = readDecimal(value)
  return units !== undefined && units % CENT === 0n
}

const MOMENT = /^(\d{4})-(\d{2})-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/

/** A day or a moment of ISO 8601 that is in the calendar. Thousands of them are read in a millisecond. */
function isMoment(text: string): boolean {
  const [, year, month, day, hour = '0', minute = '0', second = '0'] = text.length > 40 ? [] : (MOMENT.exec(text) ?? [])
  if (year === undefined || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return false
  const midnight = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)))
  return midnight.getUTCMonth() === Number(month) - 1 && midnight.getUTCDate() === Number(day)
}

const typedField = z
  .strictObject({
    is: z.enum(FIELD_TYPES),
    min: z.number().optional().describe('The least number.'),
    max: z.number().optional().describe('The most characters of a text, or the greatest number.'),
    optional: z.boolean().optional().describe('Some rows do not have it.'),
  })
  .meta({ title: '`{ is, min, max, optional }`' })

/** A field of rows: the most characters, or its type. A row with another type there makes the answer unusable. */
export const rowField = z.union([
  z.int().min(1),
  z.enum(FIELD_TYPES, { error: `one of ${FIELD_TYPES.join(', ')}` }),
  typedField,
])
export type RowField = z.infer<typeof rowField>

/** What a row's field is. Undefined: only its length is known. */
export function fieldTypeOf(field: RowField | undefined): FieldType | undefined {
  return field === undefined || typeof field === 'number' ? undefined : typeof field === 'string' ? field : field.is
}

/** The bounds of a row's field as a number: of its digits, or as they are written. */
export function fieldRange(field: RowField | undefined): { min?: number | undefined; max?: number | undefined } {
  if (typeof field === 'number') return { max: 10 ** Math.min(field, DIGITS_MAX) - 1 }
  const is = fieldTypeOf(field)
  return typeof field === 'object' && (is === 'number' || is === 'money') ? { min: field.min, max: field.max } : {}
}

/** The most digits with which a number is exact. */
const DIGITS_MAX = 15
/** `2025-12-30T12:30:00.000+10:00`. */
const DATE_CHARS = 29

/** The most characters of a row's field, shown as it is. Undefined: nobody says. */
export function fieldChars(field: RowField | undefined): number | undefined {
  if (typeof field === 'number') return field
  const is = fieldTypeOf(field)
  if (is === 'date') return DATE_CHARS
  if (is === 'boolean') return 'false'.length
  const { min = 0, max } = typeof field === 'object' ? field : {}
  if (is === 'text' || max === undefined) return is === 'text' ? max : undefined
  const digits = Math.max(...[min, max].map((bound) => String(Math.trunc(bound)).length))
  return digits + (is === 'money' ? '.00'.length : 0)
}

/** The fields of a row that have another type than they should. */
export function wrongFields(row: Json, fields: Readonly<Record<string, RowField>>): string[] {
  const given = row as Record<string, Json>
  return Object.entries(fields).flatMap(([name, field]) => {
    const is = fieldTypeOf(field)
    if (is === undefined) return []
    const value = Object.hasOwn(given, name) ? given[name] : undefined
    if (value === undefined || value === null) return typeof field === 'object' && field.optional ? [] : [name]
    return isOfType(is, value) ? [] : [name]
  })
}
