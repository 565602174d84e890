/** What a call expects of its answer and of refusals: the fields, their types and bounds. */
import { z } from 'zod'
import { transliterate, type Json } from '../../ussd/index.ts'
import { EXPECTED, fieldTypeOf, isOfType, type RowField, rowField, wrongFields } from '../terms/index.ts'
import type { CallScreen } from './call.ts'

/** The check uses the bounds to measure the worst case. An answer beyond them is not refused. */
const bounded = z
  .strictObject({
    is: z.enum(EXPECTED),
    min: z.int().optional().describe('The least number.'),
    max: z
      .int()
      .min(1)
      .optional()
      .describe('The most characters of a text, the most rows of a list, or the greatest number.'),
    letters: z
      .literal('gsm')
      .optional()
      .describe(
        'Letters that GSM 7-bit lacks are replaced by the nearest that it has: the text then fits where it is measured.',
      ),
    fields: z
      .record(z.string().min(1), rowField)
      .optional()
      .describe('For rows: the type of each field, or its most characters (digits of a number).'),
  })
  .meta({ title: '`{ is, min, max, letters, fields }`' })

export const expectedFields = z
  .record(z.string().min(1), z.union([z.enum(EXPECTED), bounded]))
  .optional()
  .meta({ title: '`{ field: type }`' })
export type Expect = NonNullable<CallScreen['expect']>

/** The fields that a back end declares: like `expect`, and some may be left out of an answer. */
export const declaredFields = z.record(
  z.string().min(1),
  z.union([
    z.enum(EXPECTED),
    bounded.extend({ optional: z.boolean().optional().describe('Some answers do not have it.') }),
  ]),
)
export type DeclaredFields = z.infer<typeof declaredFields>

/** Without the letters that GSM 7-bit lacks, in the fields that say so. */
export function lettered(data: Json, fields: Expect = {}): Json {
  if (data === null || typeof data !== 'object' || Array.isArray(data)) return data
  const plain = Object.entries(fields).flatMap(([field, wanted]): [string, Json][] =>
    typeof wanted === 'object' && wanted.letters && Object.hasOwn(data, field)
      ? [[field, plainText(data[field]!)]]
      : [],
  )
  return plain.length === 0 ? data : { ...data, ...Object.fromEntries(plain) }
}

function plainText(value: Json): Json {
  if (typeof value === 'string') return transliterate(value)
  if (Array.isArray(value)) return value.map(plainText)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plainText(inner)]))
}

/** The fields that come with this refusal. Undefined: none are expected. */
export function refusalExpects({ refused }: CallScreen, refusal: string): Expect | undefined {
  const way = refused && Object.hasOwn(refused, refusal) ? refused[refusal] : undefined
  return typeof way === 'object' ? way.expect : undefined
}

/** Everything that is expected of the call: of its answer and of its refusals. */
export function expectsOf(screen: CallScreen): Expect[] {
  const all = [screen.expect, ...Object.keys(screen.refused ?? {}).map((refusal) => refusalExpects(screen, refusal))]
  return all.filter((expect) => expect !== undefined)
}

/** Whether an answer has the fields that the flow needs. Otherwise it counts as no answer. */
export function expected(data: Json, fields: CallScreen['expect']): boolean {
  return missing(data, fields).length === 0
}

/** The fields that are missing in it, or that have another type than expected. */
export function missing(data: Json, fields: CallScreen['expect'] = {}): string[] {
  const given = data !== null && typeof data === 'object' && !Array.isArray(data) ? data : {}
  return Object.entries(fields).flatMap(([name, wanted]) => {
    const type = typeof wanted === 'string' ? wanted : wanted.is
    const value = Object.hasOwn(given, name) ? given[name] : undefined
    if (!isOfType(type, value)) return [name]
    return typeof wanted === 'object' && wanted.fields ? wrongColumns(name, value as Json[], wanted.fields) : []
  })
}

/** `rows.amount`: columns that are missing in some row, or have another type there. */
function wrongColumns(name: string, rows: readonly Json[], fields: Readonly<Record<string, RowField>>): string[] {
  const typed = Object.fromEntries(Object.entries(fields).filter(([, field]) => fieldTypeOf(field) !== undefined))
  if (Object.keys(typed).length === 0) return []
  return [...new Set(rows.flatMap((row) => wrongFields(row, typed)))].map((field) => `${name}.${field}`)
}
