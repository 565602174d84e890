/**
 * The form of a contract profile: how an aggregator or an operator asks the applications behind it, as data.
 *
 * Values are texts with names in braces; a text that is one name in braces alone keeps the type of its value in JSON.
 */
import { z } from 'zod'
import { END_REASONS, NAMES } from './fill.ts'

const value = z.string().max(500).superRefine((text, context) => {
  for (const [, name] of text.matchAll(/\{([^{}]*)\}/g)) {
    if (NAMES.has(name!) || /^state\.[\w.-]{1,64}$/.test(name!)) continue
    context.addIssue({ code: 'custom', message: `uses {${name}}, which is none of ${[...NAMES].join(' ')} state.…` })
  }
})

export type Filled = string | number | boolean | null | Filled[] | { [key: string]: Filled }
const tree: z.ZodType<Filled> = z.lazy(() =>
  z.union([value, z.number(), z.boolean(), z.null(), z.array(tree), z.record(z.string(), tree)]))
const fields = z.record(z.string(), tree)

const ask = z.strictObject({
  method: z.enum(['GET', 'POST']).optional(),
  /** Appended to the URL of the settings. */
  path: value.optional(),
  /** query: in the URL · form: application/x-www-form-urlencoded · json. */
  format: z.enum(['query', 'form', 'json']).optional(),
  fields: fields.default({}),
  headers: z.record(z.string(), value).default({}),
})

const place = z.union([z.string(), z.number().int().min(-20).max(20)])

/** Exactly one of prefix (of the text), field (a path) or header decides. */
const mark = z.strictObject({
  prefix: z.string().min(1).optional(),
  field: place.optional(),
  header: z.string().optional(),
  is: z.array(z.union([z.string(), z.number(), z.boolean(), z.null()])).optional(),
}).refine((it) => [it.prefix, it.field, it.header].filter((by) => by !== undefined).length === 1, {
  message: 'must be decided by exactly one of prefix, field, header',
}).refine((it) => it.prefix !== undefined || it.is !== undefined, { message: 'needs `is`: the values that mean it' })

const reply = z.strictObject({
  /** text: the whole body · json · form · delimited: parts between separators. */
  as: z.enum(['text', 'json', 'form', 'delimited']),
  separator: z.string().length(1).default('|'),
  statuses: z.array(z.number().int().min(200).max(299)).min(1).default([200]),
  /** Where the text of the screen is; several places give one line each, lists too. Absent: the whole body. */
  text: z.union([place, z.array(place)]).optional(),
  continue: mark,
  end: mark,
  /** What is to be told again with the next question: name → where it is in the reply. */
  state: z.record(z.string(), place).default({}),
})

const reasons = z.array(z.enum(END_REASONS)).min(1)

export const contractProfile = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, 'lower-case letters, digits and hyphens, a letter first'),
  /** Where its author has it from. */
  seen: z.string().min(1),
  notes: z.array(z.string()).default([]),
  /** plus: `+675…` */
  msisdn: z.enum(['plain', 'plus']).default('plain'),
  ask: ask.extend({ format: z.enum(['query', 'form', 'json']) }),
  /** Laid over `ask` for the first request of a dialogue, and for the others. */
  begin: ask.optional(),
  answer: ask.optional(),
  /** The reply comes later: in a request whose `field` repeats this id of the question. */
  later: z.strictObject({ id: value, field: z.string().min(1) }).optional(),
  reply,
  close: ask.extend({
    to: z.enum(['app', 'events']).default('app'),
    /** The contract's word for our reasons, as {word}; a reason without a word is not told. */
    words: z.record(z.string(), reasons).optional(),
    otherwise: z.string().optional(),
  }).optional(),
})

export type ContractProfile = z.infer<typeof contractProfile>
export type AskProfile = z.infer<typeof ask>
export type ReplyProfile = z.infer<typeof reply>
