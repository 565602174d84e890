/** The schema of what an answer is held against after it was read, each with the text that says what is wrong. */
import { z } from 'zod'
import { condition, length, number, text } from './schema-terms.ts'

/** Checks of one input: each has a text of its own, and nobody writes more. */
const CHECKS_MAX = 10
/** Ways of working out a check digit: cards and meters, and IBAN. */
export const CHECKSUMS = ['luhn', 'mod97'] as const

const day = z
  .union([z.literal('today'), z.iso.date('a day such as 2025-12-24, or today')])
  .meta({ title: '`today`, or a date' })

const date = z
  .strictObject({
    format: z
      .string()
      .min(2)
      .max(20)
      .default('d/M/yyyy')
      .describe('How it is typed: `ddMMyyyy` needs no sign beside digits.'),
    min: day.optional(),
    max: day.optional(),
  })
  .meta({ title: '`{ format, min, max }`' })

const phone = z
  .strictObject({
    country: z.string().regex(/^[1-9]\d{0,2}$/, 'a country code such as 675'),
    digits: z.array(z.int().min(3).max(14)).min(1).describe('How many digits a national number has.'),
    trunk: z
      .string()
      .regex(/^\d{0,3}$/, 'digits in front of a national number')
      .default('0'),
  })
  .meta({ title: '`{ country, digits, trunk }`' })

const check = z
  .strictObject({
    number: number.optional().describe('A number in these bounds.'),
    length: length.optional().describe('So many characters.'),
    pattern: z.string().min(1).max(200).optional().describe('It matches this regular expression as a whole.'),
    date: date.optional().describe('A day; kept as `2025-05-10`, so that texts can show it as a date.'),
    phone: phone
      .optional()
      .describe('A number of that country, or of any with `+` or `00` in front; kept as its international digits.'),
    oneOf: z
      .array(z.string().min(1))
      .min(1)
      .max(50)
      .optional()
      .describe('One of these words, in capitals or not; kept as written here.'),
    checksum: z.enum(CHECKSUMS).optional().describe('Its last digits are right for the others.'),
    if: condition.optional().describe('This holds; the answer so far is there as `answers.<as>`.'),
    wrong: text.optional().describe("Stands above the prompt when it does not hold. Without it: the screen's `wrong`."),
  })
  .meta({ title: '`{ <rule>, wrong }`' })

/** The rules that a check may be. */
export const RULES = ['number', 'length', 'pattern', 'date', 'phone', 'oneOf', 'checksum', 'if'] as const

export const checks = z
  .array(
    check.refine(
      (one) => RULES.filter((rule) => one[rule] !== undefined).length === 1,
      `has one of ${RULES.join(', ')}`,
    ),
  )
  .max(CHECKS_MAX)
  .optional()
  .describe('What else the answer must be, in order, each with a text of its own.')

export type Check = z.infer<typeof check>
