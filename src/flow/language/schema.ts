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
  labels: z
    .boolean()
    .optional()
    .describe('Choices may be typed too, by their words or how these begin. Numbers come first.'),
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
  include: z
    .array(name)
    .optional()
    .describe('Parts whose screens and texts are as if they stood here: `common` is the file `parts/common.yaml`.'),
  screens: z.record(name, z.unknown()).meta({ title: '`{ name: screen }`' }).describe('Its screens, by name.'),
})

export const PART = z.strictObject({
  part: name.describe('Its name: that of the file, without .yaml.'),
  spec: FLOW.shape.spec,
  languages: FLOW.shape.languages.describe(
    'The languages of its texts. The first is the one that they are written in.',
  ),
  start: name.optional().describe('The first screen when it is called. Without it, it can only be included.'),
  takes: z
    .record(name, z.enum(EXPECTED))
    .default({})
    .meta({ title: '`{ name: type }`' })
    .describe('What whoever calls it must hand to it; it finds that in `vars`.'),
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
