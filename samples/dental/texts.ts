/** The texts of the SMS about a visit to a clinic. */
import { DateTime } from 'luxon'
import { showDate, showTime } from '../../src/plugin/index.ts'

export interface AppointmentVisit {
  type: string
  clinic: string
  startsMs: number
  zone: string
}

/** `attending`, `cancelled` and `late` answer what a subscriber wrote back. */
export interface AppointmentTexts {
  confirmation: string
  reminder: string
  attending: string
  cancelled: string
  late: string
}

// One segment each (160 septets) with names of ordinary length.
const WORDINGS: Record<string, AppointmentTexts> = {
  en: {
    confirmation: 'Confirmed: {type} at {clinic} on {date}, {time}.',
    reminder: 'Reminder: {type} at {clinic} on {date}, {time}.',
    attending: 'Thank you. We expect you: {type} at {clinic} on {date}, {time}.',
    cancelled: 'Cancelled: {type} at {clinic} on {date}, {time}.',
    late: 'Too late to change: {type} at {clinic} on {date}, {time}.',
  },
  // Needs a native speaker's review.
  tpi: {
    confirmation: 'Orait: {type} long {clinic} long {date}, {time}.',
    reminder: 'Tingim: {type} long {clinic} long {date}, {time}.',
    attending: 'Tenkyu. Mipela wetim yu: {type} long {clinic} long {date}, {time}.',
    cancelled: 'Mipela rausim: {type} long {clinic} long {date}, {time}.',
    late: 'Taim i pinis, i no inap senisim: {type} long {clinic} long {date}, {time}.',
  },
}

/** A visit in one SMS of that kind; English where there is no wording of the language. Pure. */
export function smsText(kind: keyof AppointmentTexts, visit: AppointmentVisit, language: string): string {
  const wording = (Object.hasOwn(WORDINGS, language) ? WORDINGS[language] : WORDINGS.en)!
  const values: Record<string, string> = {
    type: visit.type,
    clinic: visit.clinic,
    date: showDate(visit.startsMs, visit.zone),
    time: showTime(visit.startsMs, visit.zone),
  }
  return wording[kind].replace(/\{(\w+)\}/g, (_, key: string) => values[key]!)
}

/** ISO 8601 with the zone's offset, to the second. */
export function isoAt(moment: Date, zone: string): string {
  return DateTime.fromJSDate(moment, { zone }).toISO({ suppressMilliseconds: true })!
}
