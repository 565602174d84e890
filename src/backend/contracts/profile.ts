/**
 * The schema of a contract profile: how an aggregator or an operator asks the applications behind it, as data.
 *
 * Values are texts with names in braces. A text that is only one name in braces keeps the type of its value in JSON.
 */
import { z } from 'zod'
import { END_REASONS, NAMES } from './fill.ts'
import { XML_NAME } from './xml-tree.ts'

const value = z
  .string()
  .max(500)
  .superRefine((text, context) => {
    for (const [, name] of text.matchAll(/\{([^{}]*)\}/g)) {
      if (NAMES.has(name!) || /^(state|chosen)\.[\w.-]{1,64}$/.test(name!)) continue
      context.addIssue({
        code: 'custom',
        message: `uses {${name}}, but the names are ${[...NAMES].join(' ')} state.… chosen.…`,
      })
    }
  })

export type Filled = string | number | boolean | null | Filled[] | { [key: string]: Filled }
const tree: z.ZodType<Filled> = z.lazy(() =>
  z.union([value, z.number(), z.boolean(), z.null(), z.array(tree), z.record(z.string(), tree)]),
)
const fields = z.record(z.string(), tree)

const formats = z.enum(['query', 'form', 'json', 'xml', 'xmlrpc'])

const ask = z.strictObject({
  method: z.enum(['GET', 'POST']).optional(),
  /** Appended to the URL of the settings. */
  path: value.optional(),
  /** query: in the URL · form: application/x-www-form-urlencoded · json · xml: one element · xmlrpc: one struct. */
  format: formats.optional(),
  /** The procedure that xmlrpc calls. */
  procedure: z
    .string()
    .regex(/^[\w.:/]{1,64}$/, 'the name of a procedure')
    .optional(),
  fields: fields.default({}),
  headers: z.record(z.string(), value).default({}),
  /** Fields of JSON that are sent as integers: a text of digits as its number, true and false as 1 and 0. */
  integers: z.array(z.string()).default([]),
})

const place = z.union([z.string(), z.number().int().min(-20).max(20)])

/** One line for each row. A row without one of the named values gives no line. */
const line = z.string().regex(/\{[^{}]+\}/, 'must name a value of the row, such as {#text}')
const rows = z.strictObject({ rows: place, line })
const said = z.union([place, rows])

/** Exactly one decides: prefix (of the text), field (a path), has (a path that exists) or header. */
const mark = z
  .strictObject({
    prefix: z.string().min(1).optional(),
    field: place.optional(),
    has: place.optional(),
    header: z.string().optional(),
    is: z.array(z.union([z.string(), z.number(), z.boolean(), z.null()])).optional(),
  })
  .refine((it) => [it.prefix, it.field, it.has, it.header].filter((by) => by !== undefined).length === 1, {
    message: 'must be decided by exactly one of prefix, field, has, header',
  })
  .refine((it) => it.prefix !== undefined || it.has !== undefined || it.is !== undefined, {
    message: 'needs is: with the values that mean it',
  })

const marks = z.union([mark, z.array(mark).min(1)])

const reply = z.strictObject({
  /** text: the whole body · json · form · delimited: parts between separators · xml · xmlrpc: the value. */
  as: z.enum(['text', 'json', 'form', 'delimited', 'xml', 'xmlrpc']),
  separator: z.string().length(1).default('|'),
  statuses: z.array(z.number().int().min(200).max(299)).min(1).default([200]),
  /** Where the text of the screen is. Several places give one line each; lists too. Absent: the whole body. */
  text: z.union([said, z.array(said)]).optional(),
  /** Several marks: it goes on where all of them say so, and else ends where any says so. */
  continue: marks,
  end: marks,
  /** What to send back with the next question: name → where it is in the reply, or what to find by the answer. */
  state: z.record(z.string(), z.union([place, z.strictObject({ rows: place, key: place, value: place })])).default({}),
})

const reasons = z.array(z.enum(END_REASONS)).min(1)

const profile = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, 'lower-case letters, digits and hyphens, a letter first'),
  /** On what the author relies. */
  seen: z.string().min(1),
  /** The public pages that say so, and when they were read. None: nobody can look it up. */
  sources: z
    .array(
      z.strictObject({
        url: z.url({ protocol: /^https?$/ }),
        read: z.string().regex(/^\d{4}-\d{2}-\d{2}$/, 'the date on which it was read, such as 2026-11-30'),
      }),
    )
    .default([]),
  notes: z.array(z.string()).default([]),
  /** plus: `+675…` */
  msisdn: z.enum(['plain', 'plus']).default('plain'),
  ask: ask.extend({ format: formats }),
  /** Overrides `ask` for the first request of a dialogue, and for the others. */
  begin: ask.optional(),
  answer: ask.optional(),
  /** The reply comes later, in a request whose `field` repeats this id of the question. */
  later: z
    .strictObject({
      id: value,
      field: z.string().min(1),
      /** The response to that request. */
      receipt: z
        .strictObject({ status: z.number().int().min(200).max(299).default(200), fields: fields.default({}) })
        .prefault({}),
    })
    .optional(),
  reply,
  close: ask
    .extend({
      to: z.enum(['app', 'events']).default('app'),
      /** The contract's words for our reasons, as {word}. A reason without a word is not reported. */
      words: z.record(z.string(), reasons).optional(),
      otherwise: z.string().optional(),
    })
    .optional(),
})

export const contractProfile = profile.superRefine(({ ask: base, begin, answer, close }, context) => {
  const say = (place: string, message: string) => context.addIssue({ code: 'custom', path: [place], message })
  const laid = (over: z.infer<typeof ask> | undefined) => ({
    ...base,
    ...over,
    fields: { ...base.fields, ...over?.fields },
  })
  const all = {
    begin: laid(begin),
    answer: laid(answer),
    ...(close ? { close: { format: base.format, ...close } } : {}),
  }
  for (const [place, { format, fields: given, procedure }] of Object.entries(all)) {
    if (format === 'xmlrpc' && !procedure) say(place, 'needs procedure: with the name to call')
    if (format !== 'xml') continue
    if (Object.keys(given).length !== 1) say(place, 'must have one field: an XML document is one element')
    for (const name of keysOf(given)) if (!XML_NAME.test(name)) say(place, `has '${name}', which is not a name in XML`)
  }
})

function keysOf(value: Filled): string[] {
  if (Array.isArray(value)) return value.flatMap(keysOf)
  if (value === null || typeof value !== 'object') return []
  return Object.entries(value).flatMap(([key, item]) => [key, ...keysOf(item)])
}

export type ContractProfile = z.infer<typeof contractProfile>
export type AskProfile = z.infer<typeof ask>
export type ReplyProfile = z.infer<typeof reply>
export type ReplyMark = z.infer<typeof mark>
