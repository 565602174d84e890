/**
 * The schema of the checks that an answer must pass after it was read. Each check has a text that says what is wrong.
 */
import { z } from 'zod'
import { RELATIVE_DAY } from '../expression/index.ts'
import { condition, length, number, text } from './schema-terms.ts'

/** The most checks of one input. Each needs its own text, so nobody writes more. */
const CHECKS_MAX = 10
/** Methods for check digits: cards and meters, and IBAN. */
export const CHECKSUMS = ['luhn', 'mod97'] as const

const day = z
  .union([
    z.string().regex(RELATIVE_DAY, 'a day such as 2025-12-24, today, or today - 18 years'),
    z.iso.date('a day such as 2025-12-24, today, or today - 18 years'),
  ])
  .meta({ title: '`today`, `today - 18 years`, or a date' })

const date = z
  .strictObject({
    format: z
      .string()
      .min(2)
      .max(20)
      .default('d/M/yyyy')
      .describe('How subscribers type it: `ddMMyyyy` needs digits only.'),
    min: day.optional(),
    max: day.optional(),
  })
  .meta({ title: '`{ format, min, max }`' })

const clock = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'HH:MM, such as "08:00"')

const time = z.strictObject({ min: clock.optional(), max: clock.optional() }).meta({ title: '`{ min, max }`' })

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
    number: number.optional().describe('A number within these bounds.'),
    length: length.optional().describe('That many characters.'),
    pattern: z.string().min(1).max(200).optional().describe('The whole answer matches this regular expression.'),
    date: date.optional().describe('A date; kept as `2025-05-10`, so that texts can show it as a date.'),
    time: time.optional().describe('A time of day such as `9:30`; kept as `09:30`.'),
    phone: phone
      .optional()
      .describe('A phone number of that country, or of any with `+` or `00` in front; kept as international digits.'),
    oneOf: z
      .array(z.string().min(1))
      .min(1)
      .max(50)
      .optional()
      .describe('One of these words, in capital or small letters; kept as written here.'),
    checksum: z.enum(CHECKSUMS).optional().describe('Its check digits are right.'),
    if: condition.optional().describe('This condition holds; it may read the answer as `answers.<as>`.'),
    wrong: text.optional().describe("The text above the prompt if the check fails. Default: the screen's `wrong`."),
  })
  .meta({ title: '`{ <rule>, wrong }`' })

/** The rules that a check can have. */
export const RULES = ['number', 'length', 'pattern', 'date', 'time', 'phone', 'oneOf', 'checksum', 'if'] as const

export const checks = z
  .array(
    check.refine(
      (one) => RULES.filter((rule) => one[rule] !== undefined).length === 1,
      `has one of ${RULES.join(', ')}`,
    ),
  )
  .max(CHECKS_MAX)
  .optional()
  .describe('Further checks of the answer, in order, each with its own text.')

export type Check = z.infer<typeof check>
