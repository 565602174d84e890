/** The texts of the SMS about a visit to a clinic: a YAML file, read once. */
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { z } from 'zod'
import { isoIn, showDate, showTime } from '../../src/plugin/index.ts'

export interface AppointmentVisit {
  type: string
  clinic: string
  startsMs: number
  zone: string
}

/** Longer texts are several SMS, and each costs. */
const TEXT_MAX = 320
const text = z
  .string()
  .min(1)
  .max(TEXT_MAX)
  .refine(
    (written) => !/[{}]/.test(written.replace(/\{(type|clinic|date|time)\}/g, '')),
    'may have {type}, {clinic}, {date} and {time}, and no other braces',
  )

/** `attending`, `cancelled` and `late` answer what a subscriber wrote. */
const wording = z.strictObject({
  confirmation: text,
  reminder: text,
  attending: text,
  cancelled: text,
  late: text,
})
const wordings = z
  .record(z.string().regex(/^[a-z]{2,3}$/, 'a language such as en'), wording)
  .refine((all) => 'en' in all, 'must have en, which serves all other languages')

export type AppointmentTexts = z.infer<typeof wording>
export type Wordings = z.infer<typeof wordings>

/** The texts that come along. */
export const WORDINGS: Wordings = wordingsIn(new URL('sms.yaml', import.meta.url))

/** Throws an Error that names the place in the file. */
export function wordingsIn(file: string | URL): Wordings {
  const read = wordings.safeParse(parse(readFileSync(file, 'utf8')))
  if (read.success) return read.data
  const faults = read.error.issues.map(({ path, message }) => `${path.join('.') || 'the file'}: ${message}`)
  throw new Error(`${String(file)}: ${faults.join('; ')}`)
}

/** The SMS of this kind for a visit; in English if the language has no wording. Pure. */
export function smsText(
  all: Wordings,
  kind: keyof AppointmentTexts,
  visit: AppointmentVisit,
  language: string,
): string {
  const own = (Object.hasOwn(all, language) ? all[language] : all.en)!
  const values: Record<string, string> = {
    type: visit.type,
    clinic: visit.clinic,
    date: showDate(visit.startsMs, visit.zone),
    time: showTime(visit.startsMs, visit.zone),
  }
  return own[kind].replace(/\{(\w+)\}/g, (_, key: string) => values[key]!)
}

/** ISO 8601 with the zone's offset, to the second. */
export function isoAt(moment: Date, zone: string): string {
  return isoIn(moment.getTime(), zone)
}
