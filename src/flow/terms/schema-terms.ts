/** What the keys of a flow file are made of: names, texts, paths, conditions, values. */
import { z } from 'zod'
import { type ConditionSource, PATH } from '../expression/index.ts'
import { REFUSAL_NAME } from '../../ussd/index.ts'

/** How many characters of an answer are kept. */
export const ANSWER_CHARS_MAX = 160
/** Longer than any answer that is kept. */
export const NEVER_RIGHT = '?'.repeat(ANSWER_CHARS_MAX + 1)

/** The keys that lead to a value in a file. */
export type Path = readonly PropertyKey[]

/** `.` would be a path in a statechart, `#` an id. */
const NAME = /^[a-z][a-z0-9-]*$/

export const name = z
  .string()
  .regex(NAME, 'a name: small letters, digits and hyphens, a letter first')
  .meta({ title: 'name' })
export const language = z
  .string()
  .regex(/^[a-z]{2,3}(-[A-Za-z0-9]+)*$/, 'a language tag such as en or tpi')
  .meta({ title: 'language' })
/** How long the answer of a read may be kept for its subscriber. An attribute changes within the hour. */
export const caching = z
  .strictObject({
    maxAgeSeconds: z.int().min(1).max(3_600).describe('The answer is used this long, counted from the request.'),
    staleIfErrorSeconds: z
      .int()
      .min(0)
      .max(3_600)
      .default(300)
      .describe('And this much longer while the back end is late or down.'),
  })
  .meta({ title: '`{ maxAgeSeconds, staleIfErrorSeconds }`' })
/** The name with which a back end refuses. */
export const refusalName = z
  .string()
  .regex(REFUSAL_NAME, 'the name of a refusal, as the back end says it: 1 to 64 characters, no quotes')
  .meta({ title: 'refusal' })
export const path = z.string().regex(PATH, 'a dotted path such as data.slots.rows').meta({ title: 'path' })
export const scalar = z
  .union([z.string(), z.number(), z.boolean(), z.null()])
  .meta({ title: 'value' })
  .describe(
    '`{path}` is filled in; a value that begins with `=` is computed, such as `= round(answers.amount * 0.02, 2)`.',
  )

/** A text in the first language, with translations in catalogues; or texts in each language, side by side. */
export const text = z.union([z.string().min(1), z.record(language, z.string().min(1))]).meta({ title: 'text' })

export type Text = z.infer<typeof text>

export const condition: z.ZodType<ConditionSource> = z
  .lazy(() =>
    z.union([
      z.string().min(1),
      z.strictObject({ and: z.array(condition).min(1) }),
      z.strictObject({ or: z.array(condition).min(1) }),
      z.strictObject({ not: condition }),
    ]),
  )
  .meta({ title: 'condition' })

export const key = z
  .string()
  .regex(/^[0*#][0-9*#]{0,2}$/, 'a key: one to three of 0-9, * and #, not starting with 1-9')
  .meta({ title: 'key' })
/** A key of one choice. Whether a line can have that number, the check of the screen says. */
export const choiceKey = z
  .string({ error: ({ code }) => (code === 'invalid_type' ? "a key in quotes, such as '00'" : undefined) })
  .regex(/^[0-9*#]{1,3}$/, 'a key: one to three of 0-9, * and #')
  .meta({ title: 'key' })
/** An argument for a part. A text in each language means the text in the language of the dialogue. */
export const handed = z
  .record(name, z.union([scalar, z.record(language, z.string().min(1))]))
  .meta({ title: '`{ name: value or text }`' })
export const values = z.record(name, scalar).meta({ title: '`{ name: value }`' })
export const number = z
  .strictObject({
    min: z.number().optional(),
    max: z.number().optional(),
    decimals: z.int().min(0).max(6).default(0),
  })
  .meta({ title: '`{ min, max, decimals }`' })
export const length = z
  .strictObject({
    min: z.int().min(0).default(1),
    max: z.int().min(1).max(ANSWER_CHARS_MAX).default(ANSWER_CHARS_MAX),
  })
  .meta({ title: '`{ min, max }`' })
