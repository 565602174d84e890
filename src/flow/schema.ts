/** The schema of a flow file, with what each key means. The kind of a screen is the key that it has. */
import { z } from 'zod'
import type { ConditionSource } from './condition.ts'
import { PATH } from './path.ts'
import { TEXT_KEYS } from './texts.ts'

/** The version of the language that this engine speaks; a part of every revision. */
export const SPEC = 1
/** Screens of one flow: 1,500 compile in some milliseconds; more is a generated file gone wrong. */
export const SCREENS_MAX = 1500
/** Written choices of one menu: more belongs in a list. */
export const CHOICES_MAX = 50
/** Wrong answers in a row before the dialogue ends: somebody who is lost pays for every further minute. */
export const WRONG_MAX_DEFAULT = 5
/** Characters of one answer that are kept. */
export const ANSWER_CHARS_MAX = 160

/** What a field of a back end's answer may be. */
export const EXPECTED = ['text', 'number', 'boolean', 'rows', 'any'] as const

/** `.` would be a path in a statechart, `#` an id. */
const NAME = /^[a-z][a-z0-9-]*$/

const name = z
  .string()
  .regex(NAME, 'a name: small letters, digits and hyphens, a letter first')
  .meta({ title: 'name' })
const language = z
  .string()
  .regex(/^[a-z]{2,3}(-[A-Za-z0-9]+)*$/, 'a language tag such as en or tpi')
  .meta({ title: 'language' })
const path = z.string().regex(PATH, 'a dotted path such as data.slots.rows').meta({ title: 'path' })
export const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]).meta({ title: 'value' })

/** In the first language, with the others in catalogues; or in each language, side by side. */
export const text = z
  .union([z.string().min(1), z.record(language, z.string().min(1))])
  .meta({ title: 'text' })

const condition: z.ZodType<ConditionSource> = z
  .lazy(() =>
    z.union([
      z.string().min(1),
      z.strictObject({ and: z.array(condition).min(1) }),
      z.strictObject({ or: z.array(condition).min(1) }),
      z.strictObject({ not: condition }),
    ]),
  )
  .meta({ title: 'condition' })

const to = name.describe('The screen that comes next.')
const back = name
  .optional()
  .describe('The screen that the line "Back" leads to. Without it there is no such line.')
const key = z
  .string()
  .regex(/^[0*#][0-9*#]{0,2}$/, 'a key: one to three of 0-9, * and #, none of 1-9 in front')
  .meta({ title: 'key' })
const keys = z
  .union([
    z.literal(false),
    z.strictObject({ back: key.or(z.literal(false)).optional(), home: key.or(z.literal(false)).optional() }),
  ])
  .optional()
  .meta({ title: '`false`, or `{ back, home }`' })
  .describe("Other keys than the flow's, or none; each may be `false`.")
const notice = text.optional().describe('A line above the next screen that is shown.')

export const route = z
  .union([name, z.strictObject({ to, notice })])
  .meta({ title: 'screen, or `{ to, notice }`' })
const values = z.record(name, scalar).meta({ title: '`{ name: value }`' })

export const choice = z
  .strictObject({
    label: text.describe('What the line says.'),
    to,
    when: condition.optional().describe('It is on show only while this holds; the numbers close up.'),
    set: values.optional().describe('What choosing it sets in `vars`; `language` changes the language.'),
  })
  .meta({ title: '`{ label, to, when, set }`' })
const choices = z
  .array(choice)
  .max(CHOICES_MAX)
  .default([])
  .describe(`Written choices, in order; at most ${CHOICES_MAX}.`)

const number = z
  .strictObject({
    min: z.number().optional(),
    max: z.number().optional(),
    decimals: z.int().min(0).max(6).default(0),
  })
  .meta({ title: '`{ min, max, decimals }`' })
const length = z
  .strictObject({
    min: z.int().min(0).default(1),
    max: z.int().min(1).max(ANSWER_CHARS_MAX).default(ANSWER_CHARS_MAX),
  })
  .meta({ title: '`{ min, max }`' })

/** Bounds are what the check measures the worst case by; an answer beyond them is not refused. */
const bounded = z
  .strictObject({
    is: z.enum(EXPECTED),
    max: z.int().min(1).optional().describe('Characters of a text, rows of a list, or the greatest number.'),
    fields: z
      .record(z.string().min(1), z.int().min(1))
      .optional()
      .describe('Of rows: the most characters of each field.'),
  })
  .meta({ title: '`{ is, max, fields }`' })

export const SCREENS = {
  menu: z
    .strictObject({ menu: text.describe('What stands above the choices.'), choices, back, keys })
    .describe('A text with numbered choices.'),
  list: z
    .strictObject({
      list: text.describe('What stands above the rows.'),
      from: path.describe('Where the rows are, such as `data.slots.rows`. No list there counts as no rows.'),
      row: text.describe('How one row reads. `row.…` are its fields.'),
      to: name.describe('The screen that comes after a row was chosen.'),
      as: name
        .optional()
        .describe("The row chosen is `chosen.<as>` from then on. Without it: the screen's name."),
      keep: z
        .array(z.string().min(1))
        .min(1)
        .optional()
        .describe('Fields of the row that are kept. Without it: all of them.'),
      choices: choices.describe('Choices after the rows, numbered on after the last row.'),
      empty: name.optional().describe('The screen that is shown instead when there are no rows.'),
      back,
      keys,
    })
    .describe('One numbered line for each row that a back end gave. What does not fit goes on further pages.'),
  input: z
    .strictObject({
      input: text.describe('The prompt.'),
      to,
      as: name
        .optional()
        .describe("The answer is `answers.<as>` from then on. Without it: the screen's name."),
      wrong: text
        .optional()
        .describe('Stands above the prompt after a wrong answer. Without it: the built-in `wrong`.'),
      number: number.optional().describe('It must be a number, with so many decimals at most, in these bounds.'),
      length: length.optional().describe('It must have so many characters.'),
      pattern: z
        .string()
        .min(1)
        .max(200)
        .optional()
        .describe('It must match this regular expression as a whole. Patterns that can take long are refused.'),
      name: z
        .literal(true)
        .optional()
        .describe("It must be a person's name: 2 to 40 letters of any script, blanks, and signs in names."),
      keys,
    })
    .describe('Something typed. `number` and `name` go with no other rule; `length` and `pattern` go together.'),
  branch: z
    .strictObject({
      branch: z
        .array(z.strictObject({ if: condition, to }).meta({ title: '`{ if, to }`' }))
        .min(1)
        .describe('The first whose condition holds is taken.'),
      else: name.describe('The screen that comes next when no condition holds.'),
    })
    .describe('Shows nothing; leads on by conditions.'),
  set: z
    .strictObject({
      set: values.describe('What is set in `vars`. `language` changes the language of the dialogue.'),
      to,
      notice,
    })
    .describe('Shows nothing; remembers values.'),
  call: z
    .strictObject({
      call: z
        .string()
        .regex(
          /^[a-z][a-z0-9-]*\.[a-zA-Z][a-zA-Z0-9-]*$/,
          'a back end and its operation, such as wallet.balance',
        )
        .meta({ title: '`backend.operation`' })
        .describe('What is called.'),
      with: z
        .record(z.string().min(1), scalar)
        .optional()
        .meta({ title: '`{ name: value }`' })
        .describe('Its arguments. `{path}` alone hands on the value itself, of whatever type.'),
      as: name.optional().describe("The answer is `data.<as>` from then on. Without it: the screen's name."),
      once: z
        .boolean()
        .default(false)
        .describe('It changes something: no dialled answer, no resume and no repeat leads into it unasked.'),
      timeoutMs: z
        .int()
        .min(100)
        .max(60_000)
        .optional()
        .describe('Milliseconds that the answer may take. Without it: those of the back end.'),
      expect: z
        .record(z.string().min(1), z.union([z.enum(EXPECTED), bounded]))
        .optional()
        .meta({ title: '`{ field: type }`' })
        .describe(
          `Fields that the answer must have, else the call counts as failed: ${EXPECTED.join(', ')}; or with bounds.`,
        ),
      to: name.describe('The screen that comes after an answer.'),
      refused: z
        .record(name, route)
        .optional()
        .meta({ title: '`{ refusal: screen }`' })
        .describe('Where each refusal that the back end has a name for leads.'),
      failed: route
        .optional()
        .describe('Where it leads when there is no usable answer. Without it: the built-in `busy` ends the dialogue.'),
    })
    .describe('Shows nothing; calls a back end.'),
  notify: z
    .strictObject({ notify: text.describe('What is shown.'), to })
    .describe('Tells something without a question; goes on when the handset has shown it.'),
  end: z
    .strictObject({
      end: text.describe('What is shown last.'),
      exit: z.boolean().default(false).describe('The dialogue counts as left, not as completed.'),
    })
    .describe('Ends the dialogue with a text.'),
  exit: z
    .strictObject({ exit: z.literal(true).describe('Always `true`.') })
    .describe('Ends the dialogue with the built-in `goodbye`.'),
} as const

export type Kind = keyof typeof SCREENS
/** In the order in which the key that decides is looked for: an end may have the key exit. */
export const KINDS = Object.keys(SCREENS) as Kind[]

const format = z
  .strictObject({
    locale: z.string().min(2).optional().describe('How numbers and plurals are written, such as en-PG.'),
    date: z.string().min(1).optional().describe('Pattern of `{…, date}`, such as dd/MM/yyyy.'),
    time: z.string().min(1).optional().describe('Pattern of `{…, time}` at full hours, such as h a.'),
    timeMinutes: z.string().min(1).optional().describe('Pattern of any other time, such as h:mm a.'),
  })
  .meta({ title: '`{ locale, date, time, timeMinutes }`' })

export const FLOW = z.strictObject({
  flow: name.describe('Its name: that of the file, without .yaml.'),
  spec: z.literal(SPEC).describe('The version of the language that the file is written in.'),
  start: name.describe('The first screen.'),
  languages: z
    .array(language)
    .min(1)
    .refine((all) => new Set(all).size === all.length, 'a language stands there twice')
    .describe('The languages that it speaks. The first is the one that texts are written in.'),
  zone: z.string().default('UTC').describe('The time zone of its dates and times, such as Pacific/Port_Moresby.'),
  wrongMax: z
    .int()
    .min(1)
    .max(100)
    .default(WRONG_MAX_DEFAULT)
    .describe('Wrong answers in a row, with which the dialogue ends.'),
  keys: z
    .strictObject({
      back: key.optional().describe('Goes back to the screen seen before.'),
      home: key.optional().describe('Goes to the first screen; nothing is left to go back to.'),
    })
    .optional()
    .meta({ title: '`{ back, home }`' })
    .describe("Keys that work on every screen that asks, such as `back: '0'` and `home: '00'`."),
  formats: z
    .record(language, format)
    .default({})
    .meta({ title: '`{ language: { date, … } }`' })
    .describe('Patterns of dates and numbers in each language.'),
  texts: z
    .record(language, z.partialRecord(z.enum(TEXT_KEYS), z.string().min(1)))
    .default({})
    .meta({ title: '`{ language: { key: text } }`' })
    .describe('Its own words in place of built-in texts.'),
  screens: z.record(name, z.unknown()).meta({ title: '`{ name: screen }`' }).describe('Its screens, by name.'),
})

export const CATALOGUE = z.strictObject({
  language,
  /** Who has to look at it, or did: shown by the check. */
  review: z.string().optional(),
  texts: z.record(z.string().min(1), z.string().min(1)),
})
