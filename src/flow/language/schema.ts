/** The schema of a flow file and of a catalogue, with what each key means. */
import { z } from 'zod'
import { EXPECTED, key, language, name, TEXT_KEYS } from '../terms/index.ts'

/** The version of the language that this engine speaks; a part of every revision. */
export const SPEC = 1
/** Screens of one flow: 1,500 compile in some milliseconds; more is a generated file gone wrong. */
export const SCREENS_MAX = 1500
/** Wrong answers in a row before the dialogue ends: somebody who is lost pays for every further minute. */
const WRONG_MAX_DEFAULT = 5

const format = z
  .strictObject({
    locale: z.string().min(2).optional().describe('The locale for numbers and plurals, such as en-PG.'),
    date: z.string().min(1).optional().describe('Pattern of `{…, date}`, such as dd/MM/yyyy.'),
    time: z.string().min(1).optional().describe('Pattern of `{…, time}` at full hours, such as h a.'),
    timeMinutes: z.string().min(1).optional().describe('Pattern of any other time, such as h:mm a.'),
  })
  .meta({ title: '`{ locale, date, time, timeMinutes }`' })

export const FLOW = z.strictObject({
  flow: name.describe('Its name: that of the file, without .yaml.'),
  spec: z.literal(SPEC).describe('The version of the flow language that this file uses.'),
  start: name.describe('The first screen.'),
  languages: z
    .array(language)
    .min(1)
    .refine((all) => new Set(all).size === all.length, 'a language is listed twice')
    .describe('The languages of the flow. Texts are written in the first.'),
  zone: z.string().default('UTC').describe('The time zone of its dates and times, such as Pacific/Port_Moresby.'),
  wrongMax: z
    .int()
    .min(1)
    .max(100)
    .default(WRONG_MAX_DEFAULT)
    .describe('This many wrong answers in a row end the dialogue.'),
  keys: z
    .strictObject({
      back: key.optional().describe('Goes back to the screen before.'),
      home: key.optional().describe('Goes to the first screen and forgets the way there.'),
    })
    .optional()
    .meta({ title: '`{ back, home }`' })
    .describe("Keys that work on every screen that asks, such as `back: '0'` and `home: '00'`."),
  labels: z
    .boolean()
    .optional()
    .describe('Subscribers may also type the words of a choice, or how they begin. Numbers come first.'),
  formats: z
    .record(language, format)
    .default({})
    .meta({ title: '`{ language: { date, … } }`' })
    .describe('Patterns of dates and numbers in each language.'),
  texts: z
    .record(language, z.partialRecord(z.enum(TEXT_KEYS), z.string().min(1)))
    .default({})
    .meta({ title: '`{ language: { key: text } }`' })
    .describe('Words of the flow in place of built-in texts.'),
  include: z
    .array(name)
    .optional()
    .describe(
      'Parts to include, as if their screens and texts were written here: `common` is the file `parts/common.yaml`.',
    ),
  screens: z.record(name, z.unknown()).meta({ title: '`{ name: screen }`' }).describe('Its screens, by name.'),
})

export const PART = z.strictObject({
  part: name.describe('Its name: that of the file, without .yaml.'),
  spec: FLOW.shape.spec,
  languages: FLOW.shape.languages.describe('The languages of its texts. Texts are written in the first.'),
  start: name
    .optional()
    .describe('The first screen when a flow calls the part. Without it, flows can only include the part.'),
  takes: z
    .record(name, z.enum(EXPECTED))
    .default({})
    .meta({ title: '`{ name: type }`' })
    .describe('The values that a caller must pass; the part reads them from `vars`.'),
  include: FLOW.shape.include,
  texts: FLOW.shape.texts,
  screens: FLOW.shape.screens,
})

export const CATALOGUE = z.strictObject({
  language,
  /** Who has to look at it, or did: shown by the check. */
  review: z.string().optional(),
  texts: z.record(z.string().min(1), z.string().min(1)),
})
