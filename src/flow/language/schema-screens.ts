/** The schema of each kind of screen, with what each key means. The kind of a screen is the key that it has. */
import { z } from 'zod'
import { branch } from './schema-branch.ts'
import { checks } from './schema-checks.ts'
import { condition, handed, key, language, length, name, number, path, scalar, text, values } from './schema-terms.ts'

/** Written choices of one menu: more belongs in a list. */
export const CHOICES_MAX = 50

/** Fields of one form: the page that shows them all has a line for each. */
export const FIELDS_MAX = 20

/** What a field of a back end's answer may be. */
export const EXPECTED = ['text', 'number', 'boolean', 'rows', 'any'] as const

const to = name.describe('The screen that comes next.')
const back = name.optional().describe('The screen that the line "Back" leads to. Without it there is no such line.')
const keys = z
  .union([
    z.literal(false),
    z.strictObject({ back: key.or(z.literal(false)).optional(), home: key.or(z.literal(false)).optional() }),
  ])
  .optional()
  .meta({ title: '`false`, or `{ back, home }`' })
  .describe("Other keys than the flow's, or none; each may be `false`.")
const labels = z
  .boolean()
  .optional()
  .describe('A choice may be typed too: its words, or how they begin. Without it: what the flow says.')
const notice = text.optional().describe('A line above the next screen that is shown.')

export const routeSchema = z
  .union([name, z.strictObject({ to, notice })])
  .meta({ title: 'screen, or `{ to, notice }`' })

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

const FIELD = 'the most characters that it has, digits where it is a number'

/** Bounds are what the check measures the worst case by; an answer beyond them is not refused. */
const bounded = z
  .strictObject({
    is: z.enum(EXPECTED),
    max: z.int().min(1).optional().describe('Characters of a text, rows of a list, or the greatest number.'),
    fields: z
      .record(z.string().min(1), z.int({ error: ({ code }) => (code === 'invalid_type' ? FIELD : undefined) }).min(1))
      .optional()
      .describe('Of rows: the most characters of each field.'),
  })
  .meta({ title: '`{ is, max, fields }`' })

const expected = z
  .record(z.string().min(1), z.union([z.enum(EXPECTED), bounded]))
  .optional()
  .meta({ title: '`{ field: type }`' })
const refusal = z
  .union([
    name,
    z.strictObject({
      to,
      notice,
      expect: expected.describe(
        'Fields that come with it, in `data.<as>` from then on; if one is missing, the call counts as failed.',
      ),
    }),
  ])
  .meta({ title: 'screen, or `{ to, notice, expect }`' })

/** What an answer must be, for an input and a field of a form alike. */
const rules = {
  wrong: text.optional().describe('Stands above the prompt after a wrong answer. Without it: the built-in `wrong`.'),
  number: number.optional().describe('It must be a number, with so many decimals at most, in these bounds.'),
  length: length.optional().describe('It must have so many characters.'),
  pattern: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe('It must match this regular expression as a whole. Back references and look-around are refused.'),
  name: z
    .literal(true)
    .optional()
    .describe("It must be a person's name: 2 to 40 letters of any script, blanks, and signs in names."),
  checks,
  attempts: z
    .int()
    .min(1)
    .max(20)
    .optional()
    .describe("Wrong answers in a row that this screen takes. Without it: the flow's `wrongMax`."),
}

const field = z
  .strictObject({
    as: name.describe('The answer is `answers.<as>` from then on.'),
    input: text.describe('The prompt.'),
    label: text.optional().describe('How it reads on the page that shows all. Without it: the answer alone.'),
    ...rules,
  })
  .meta({ title: '`{ as, input, label, … }`' })

export const SCREENS = {
  menu: z
    .strictObject({ menu: text.describe('What stands above the choices.'), choices, back, keys, labels })
    .describe('A text with numbered choices.'),
  list: z
    .strictObject({
      list: text.describe('What stands above the rows.'),
      from: path.describe('Where the rows are, such as `data.slots.rows`. No list there counts as no rows.'),
      row: text.describe('How one row reads. `row.…` are its fields.'),
      to: name.describe('The screen that comes after a row was chosen.'),
      as: name.optional().describe("The row chosen is `chosen.<as>` from then on. Without it: the screen's name."),
      keep: z
        .array(z.string().min(1))
        .min(1)
        .optional()
        .describe('Fields of the row that are kept. Without it: all of them.'),
      choices: choices.describe('Choices after the rows, numbered on after the last row.'),
      search: z
        .array(z.string().min(1))
        .min(1)
        .optional()
        .describe('Fields of the rows that letters are looked for in: what is typed narrows the list. Needs `keep`.'),
      empty: name.optional().describe('The screen that is shown instead when there are no rows.'),
      back,
      keys,
      labels,
    })
    .describe('One numbered line for each row that a back end gave. What does not fit goes on further pages.'),
  input: z
    .strictObject({
      input: text.describe('The prompt.'),
      to,
      as: name.optional().describe("The answer is `answers.<as>` from then on. Without it: the screen's name."),
      ...rules,
      secret: z
        .literal(true)
        .optional()
        .describe('A PIN or password: it reaches the next call and is then gone; it is never stored, shown or logged.'),
      giveUp: name
        .optional()
        .describe('The screen that comes after as many wrong answers. Without it the dialogue ends with `goodbye`.'),
      keys,
    })
    .describe('Something typed. `number` and `name` go with no other rule; `length` and `pattern` go together.'),
  language: z
    .strictObject({
      language: text.describe('What stands above the languages of the flow, each by its own name.'),
      to: name.describe('The screen that comes after the choice.'),
      names: z
        .record(language, z.string().min(1))
        .optional()
        .meta({ title: '`{ language: name }`' })
        .describe('Names in place of the built-in ones.'),
      back,
      keys,
      labels,
    })
    .describe('Lets the subscriber choose the language. It is remembered: the next dialogue starts in it.'),
  form: z
    .strictObject({
      form: text.describe('What stands above the answers, once all are given.'),
      fields: z
        .array(field)
        .min(1)
        .max(FIELDS_MAX)
        .describe('What is asked, in order, each like an `input` with its rules and `attempts`.'),
      confirm: text.describe('The line that takes the answers as they are. Any other line asks that field again.'),
      to,
      giveUp: name.optional().describe('As that of an `input`, for every field.'),
      back,
      keys,
    })
    .describe('Asks several things one after the other, then shows the answers to be changed or confirmed.'),
  branch,
  set: z
    .strictObject({
      set: values.describe(
        'What is set in `vars`: `= answers.amount * 0.02` is worked out. `language` changes the language of the dialogue.',
      ),
      to,
      notice,
      failed: routeSchema
        .optional()
        .describe(
          'Where it leads, with nothing set, when a value cannot be worked out. Without it: `busy` ends the dialogue.',
        ),
    })
    .describe('Shows nothing; remembers values.'),
  call: z
    .strictObject({
      call: z
        .string()
        .regex(/^[a-z][a-z0-9-]*\.[a-zA-Z][a-zA-Z0-9-]*$/, 'a back end and its operation, such as wallet.balance')
        .meta({ title: '`backend.operation`' })
        .describe('What is called.'),
      with: z
        .record(z.string().min(1), scalar)
        .optional()
        .meta({ title: '`{ name: value }`' })
        .describe(
          'Its arguments. `{path}` alone hands on the value itself, of whatever type; what begins with `=` is worked out.',
        ),
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
      expect: expected.describe(
        `Fields that the answer must have, else the call counts as failed: ${EXPECTED.join(', ')}; or with bounds.`,
      ),
      to: name.describe('The screen that comes after an answer.'),
      refused: z
        .record(name, refusal)
        .optional()
        .meta({ title: '`{ refusal: screen }`' })
        .describe(
          'Where each refusal that the back end has a name for leads, as a screen or `{ to, notice, expect }`.',
        ),
      failed: routeSchema
        .optional()
        .describe('Where it leads when there is no usable answer. Without it: the built-in `busy` ends the dialogue.'),
    })
    .describe('Shows nothing; calls a back end.'),
  sms: z
    .strictObject({
      sms: text.describe('What the SMS says, in the language of the dialogue.'),
      recipient: z
        .string()
        .min(1)
        .optional()
        .describe('Who gets it, such as `{answers.number}`. Without it: whoever dialled.'),
      parts: z
        .int()
        .min(1)
        .max(10)
        .optional()
        .describe('SMS that the text may take; `check` warns of more. Without it: 1.'),
      to,
      failed: routeSchema
        .optional()
        .describe('Where it leads when the SMS is not taken on. Without it: the built-in `busy` ends the dialogue.'),
    })
    .describe('Shows nothing; has an SMS sent.'),
  notify: z
    .strictObject({ notify: text.describe('What is shown.'), to })
    .describe('Tells something without a question; goes on when the handset has shown it.'),
  end: z
    .strictObject({
      end: text.describe('What is shown last.'),
      exit: z.boolean().default(false).describe('The dialogue counts as left, not as completed.'),
    })
    .describe('Ends the dialogue with a text.'),
  flow: z
    .strictObject({
      flow: name.describe('The part: `pay` is the file `parts/pay.yaml`.'),
      with: handed
        .optional()
        .describe('What it takes. `{path}` alone hands on the value itself; a text may be in each language.'),
      gives: z
        .record(name, name)
        .optional()
        .meta({ title: '`{ name: value returned }`' })
        .describe('What is kept of the values that it returns, in `vars`.'),
      to: name.describe('The screen that comes after it has returned.'),
      exits: z
        .record(name, name)
        .optional()
        .meta({ title: '`{ return: screen }`' })
        .describe('Where returns by these names lead instead.'),
    })
    .describe('Goes through the screens of a part, with names of their own, and comes back.'),
  return: z
    .strictObject({
      return: name.describe('The name of this way out.'),
      give: values.optional().describe('Values for whoever called.'),
    })
    .describe('In a part: goes back to what called it.'),
  exit: z
    .strictObject({ exit: z.literal(true).describe('Always `true`.') })
    .describe('Ends the dialogue with the built-in `goodbye`.'),
} as const

export type Kind = keyof typeof SCREENS
/** In the order in which the key that decides is looked for: an end may have the key exit. */
export const KINDS = Object.keys(SCREENS) as Kind[]
