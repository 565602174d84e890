/** The rules that an answer must pass. Each rule reads the answer as it is so far and may normalise it. */
import { DateTime } from 'luxon'
import type { DialogueContext } from '../../../machines/dialogue.ts'
import { msisdnOf, type Json } from '../../ussd/index.ts'
import { clockOf } from '../../base/index.ts'
import { compileCondition, Slip, compilePattern, namedDay } from '../expression/index.ts'
import { type Check, type CHECKSUMS, ANSWER_CHARS_MAX } from '../terms/index.ts'

/** Returns the answer to keep, or undefined if the rule does not hold. Pure. */
export type Rule = (answer: Json, context: DialogueContext) => Json | undefined

/** The rule of a valid check. `as`: the name of the answer; `zone`: the flow's zone. */
export function ruleOf(check: Check, as: string, zone: string): Rule {
  if (check.number) return textRule(numberReader(check.number))
  if (check.length) return textRule(lengthReader(check.length))
  if (check.pattern !== undefined) return textRule(patternReader(check.pattern))
  if (check.date) return dateRule(check.date, zone)
  if (check.time) return timeRule(check.time)
  if (check.phone) return phoneRule(check.phone)
  if (check.oneOf) return wordRule(check.oneOf)
  if (check.checksum) return textRule((answer) => (CHECKSUM[check.checksum as Checksum](answer) ? answer : undefined))
  const condition = compileCondition(check.if ?? '', zone)
  if (condition instanceof Slip) throw new Error(condition.what)
  return (answer, context) =>
    condition.holds({ context: { ...context, answers: { ...context.answers, [as]: answer } } }) ? answer : undefined
}

export function numberReader({ min, max, decimals }: NonNullable<Check['number']>) {
  const form = decimals === 0 ? /^-?\d{1,15}$/ : new RegExp(`^-?\\d{1,15}(\\.\\d{1,${decimals}})?$`)
  return (answer: string): number | undefined => {
    if (!form.test(answer)) return undefined
    const value = Number(answer)
    return value < (min ?? -Infinity) || value > (max ?? Infinity) ? undefined : value
  }
}

export function lengthReader({ min, max } = { min: 1, max: ANSWER_CHARS_MAX }) {
  return (answer: string): string | undefined => {
    const length = [...answer].length
    return length < min || length > max ? undefined : answer
  }
}

export function patternReader(source: string) {
  const pattern = compilePattern(source)
  if (typeof pattern === 'string') throw new Error(pattern)
  return (answer: string): string | undefined => (pattern.test(answer) ? answer : undefined)
}

/** A rule about what was typed. For a number it reads the digits and leaves the number unchanged. */
function textRule(read: (answer: string) => Json | undefined): Rule {
  return (answer) => {
    const value = read(String(answer))
    return value === undefined || typeof answer === 'number' ? value && answer : value
  }
}

function wordRule(words: readonly string[]): Rule {
  const fold = (word: string) => word.normalize('NFC').toLowerCase()
  const known = new Map(words.map((word) => [fold(word), word]))
  return (answer) => known.get(fold(String(answer)))
}

function phoneRule({ country, digits, trunk }: NonNullable<Check['phone']>): Rule {
  const numbering = { countryCode: country, nationalDigits: digits, trunkPrefix: trunk }
  return (answer) => {
    const msisdn = msisdnOf(String(answer), numbering)
    if (msisdn === null) return undefined
    // A number of this country must have as many digits as its plan says. For other countries the plan is not known.
    const national = msisdn.startsWith(country) ? msisdn.length - country.length : undefined
    return national === undefined || digits.includes(national) ? msisdn : undefined
  }
}

function dateRule({ format, min, max }: NonNullable<Check['date']>, zone: string): Rule {
  const [least, most] = [min, max].map((written) => (written === undefined ? undefined : namedDay(written, zone)))
  return (answer, { now }) => {
    const day = DateTime.fromFormat(String(answer), format, { zone, locale: 'en' })
    const iso = day.isValid && day.year >= 1000 ? day.toFormat('yyyy-MM-dd') : undefined
    if (iso === undefined) return undefined
    const [from, to] = [least ? least(now) : iso, most ? most(now) : iso]
    return from !== undefined && to !== undefined && from <= iso && iso <= to ? iso : undefined
  }
}

function timeRule({ min, max }: NonNullable<Check['time']>): Rule {
  return (answer) => {
    const time = clockOf(String(answer))
    if (time === undefined) return undefined
    return (min !== undefined && time < min) || (max !== undefined && time > max) ? undefined : time
  }
}

type Checksum = (typeof CHECKSUMS)[number]

const CHECKSUM: Record<Checksum, (answer: string) => boolean> = {
  luhn: (answer) => {
    const digits = answer.replace(/[ -]/g, '')
    return /^\d{2,}$/.test(digits) && luhnSum(digits) % 10 === 0
  },
  mod97: (answer) => {
    const folded = answer.replace(/ /g, '').toUpperCase()
    if (!/^[A-Z0-9]{5,}$/.test(folded)) return false
    return (
      [...folded.slice(4), ...folded.slice(0, 4)].reduce(
        (rest, sign) => Number(`${rest}${parseInt(sign, 36)}`) % 97,
        0,
      ) === 1
    )
  },
}

/** ISO/IEC 7812-1 annex B: from the right, every second digit counts twice; the last digit counts once. */
function luhnSum(digits: string): number {
  return [...digits].toReversed().reduce((sum, digit, i) => {
    const value = Number(digit) * (i % 2 === 0 ? 1 : 2)
    return sum + (value > 9 ? value - 9 : value)
  }, 0)
}

/** Answers that may pass the check. The explorer uses them. */
export function examplesOf(check: Check, zone: string): string[] {
  if (check.oneOf) return check.oneOf
  if (check.number) return [check.number.min ?? Math.min(1, check.number.max ?? 1), check.number.max ?? 100].map(String)
  if (check.phone) return [`${check.phone.country}${'7'.padEnd(check.phone.digits[0] as number, '0')}`]
  if (check.checksum)
    return check.checksum === 'luhn' ? ['4111111111111111', '79927398713', '18'] : ['GB82WEST12345698765432']
  if (check.time) return [check.time.min ?? '08:00', check.time.max ?? '18:30']
  if (!check.date) return []
  const { format, min, max } = check.date
  const days = [min, max, 'today'].filter((day) => day !== undefined)
  return days.map((day) => typedDay(namedDay(day, zone)(WALKED_AT) ?? day, format, zone))
}

/** A day as a subscriber types it. */
export function typedDay(day: string, format: string, zone: string): string {
  return DateTime.fromISO(day, { zone }).toFormat(format)
}

/** The time of the dial when a flow is explored, and in a talk that gives no time. */
export const WALKED_AT = '2025-01-15T08:00:00Z'
/** The subscriber who dials then. */
export const TALK_MSISDN = '67570000001'
/** Begins the code of a dialogue that a word by SMS started: `sms:BALANCE`. */
export const WORD_CODE = 'sms:'
