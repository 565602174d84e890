/** Example answers to an input, made from its rules and from the values with which they are compared. */
import type { Json } from '../../ussd/index.ts'
import { dayLater } from '../../base/index.ts'
import type { DialogueContext } from '../../../machines/dialogue.ts'
import { examplesOf, TALK_MSISDN, typedDay, WALKED_AT } from '../engine/index.ts'
import { compileCondition, exampleOf, namedDay, readPath, Slip } from '../expression/index.ts'
import { type Check, NEVER_RIGHT } from '../terms/index.ts'
import { type ExampleDeps, type Examples, valuesAt } from './examples.ts'
import type { InputScreen } from './input.ts'

/** Whether the rules accept an answer, as far as that is known without a dialogue. */
type Accepts = (screen: InputScreen, answer: string) => boolean

export const inputExamples =
  (accepts: Accepts) =>
  (screen: InputScreen, { name, reads, zone }: ExampleDeps): Examples => {
    const tested = valuesAt(reads, `answers.${screen.as ?? name}`)
    const right = () => answersOf(screen, accepts, tested, zone)
    return {
      answers: right,
      wrongAnswers: (context) =>
        wrongAnswersOf(screen, { right: right(), tested: [...tested, ...comparedOn(screen, context)], zone }),
      isSecret: screen.secret === true,
      givesUp: screen.giveUp !== undefined,
    }
  }

/** `tested`: the values with which conditions compare the answer. Empty if no example could be made. */
function answersOf(screen: InputScreen, accepts: Accepts, tested: readonly Json[], zone: string): string[] {
  const checked = (screen.checks ?? []).flatMap((check) => [
    ...examplesOf(check, zone),
    ...(check.date ? typedDays(tested, check.date.format, zone) : []),
    ...(check.pattern === undefined ? [] : [exampleOf(check.pattern, screen.length)]),
  ])
  const typed = [...checked.filter((word) => word !== undefined), ...plainAnswersOf(screen, tested)]
  const taken = [...new Set(typed)].filter((word) => accepts(screen, word))
  return taken.length > 0 ? taken : typed.flatMap((word) => mended(word, screen, accepts) ?? []).slice(0, 1)
}

/** The days with which conditions compare the answer, as they are typed. */
function typedDays(tested: readonly Json[], format: string, zone: string): string[] {
  const days = tested.filter((value) => typeof value === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(value))
  return days.map((day) => typedDay(String(day), format, zone))
}

/** Answers that some rule of the input may refuse: clearly wrong ones, and ones just outside a bound. */
function wrongAnswersOf(
  screen: InputScreen,
  { right, tested, zone }: { right: readonly string[]; tested: readonly Json[]; zone: string },
): string[] {
  const rules = [screen, ...(screen.checks ?? [])]
  const bounds = rules.flatMap(({ number, length }) => [
    ...(number
      ? [number.min, number.max].flatMap((bound) => (bound === undefined ? [] : [bound - 1, bound + 1]))
      : []
    ).map(String),
    ...(length ? lengthsAround(length).flatMap((n) => ['1'.repeat(n), 'a'.repeat(n)]) : []),
  ])
  const examples = (screen.checks ?? []).flatMap((check) => examplesOf(check, zone))
  const days = (screen.checks ?? []).flatMap(({ date, time }) => [
    ...(date ? daysAround(date, zone) : []),
    ...(time ? timesAround(time) : []),
  ])
  const others = right.flatMap((word) => [`${word}0`, word.slice(0, -1), changed(word)]).filter((word) => word !== '')
  const values = tested.flatMap((value) =>
    typeof value === 'number' ? [value - 1, value + 1].map(String) : [String(value)],
  )
  const plain = ['0', '1', '99999', 'x', TALK_MSISDN, TALK_MSISDN.slice(3)]
  return [...new Set([...plain, ...bounds, ...examples, ...days, ...others, ...values, NEVER_RIGHT])]
}

const lengthsAround = ({ min, max }: { min: number; max: number }) => [min - 1, min, max, max + 1].filter((n) => n > 0)

/** The word with another last character. */
const changed = (word: string) => `${word.slice(0, -1)}${word.endsWith('1') ? '2' : '1'}`

function daysAround({ format, min, max }: NonNullable<Check['date']>, zone: string): string[] {
  const at = (day: string | undefined, by: number) => {
    if (day === undefined) return []
    return [typedDay(dayLater(namedDay(day, zone)(WALKED_AT) ?? day, by, 'day') ?? day, format, zone)]
  }
  return [...at(min, -1), ...at(max, 1), ...at('today', 0)]
}

/** A minute before and after the bounds. */
function timesAround({ min, max }: NonNullable<Check['time']>): string[] {
  const at = (time: string | undefined, by: number) => {
    const [hours = 0, minutes = 0] = (time ?? '').split(':').map(Number)
    const minute = hours * 60 + minutes + by
    if (time === undefined || minute < 0 || minute >= 24 * 60) return []
    return [`${Math.floor(minute / 60)}:${String(minute % 60).padStart(2, '0')}`]
  }
  return [...at(min, -1), ...at(max, 1)]
}

/** The word with other last digits, so that it passes a checksum. Undefined: no digits do. */
function mended(word: string, screen: InputScreen, accepts: Accepts): string | undefined {
  if (!(screen.checks ?? []).some(({ checksum }) => checksum)) return undefined
  return Array.from({ length: 100 }, (_, i) => `${word.slice(0, -2)}${String(i).padStart(2, '0')}`).find((one) =>
    accepts(screen, one),
  )
}

function plainAnswersOf(screen: InputScreen, tested: readonly Json[]): string[] {
  const { number, length, pattern } = screen
  if (screen.name) return ['Mary Kila']
  if (number) {
    const { min = Math.min(1, number.max ?? 1), max = min + 1 } = number
    const within = tested.filter((value) => typeof value === 'number' && value >= min && value <= max)
    return [...new Set([min, max, ...within].map(String))]
  }
  // A number is also tried as text: an input without `number` keeps text.
  const words = tested.filter((value) => typeof value === 'string' || typeof value === 'number').map(String)
  if (pattern !== undefined) return [exampleOf(pattern, length), ...words].filter((word) => word !== undefined)
  return [...words, 'abcdefghij'.repeat(16).slice(0, Math.max(length?.min ?? 1, Math.min(length?.max ?? 10, 10)))]
}

/** The values with which an input's own conditions compare the answer in this context. */
function comparedOn({ checks = [] }: InputScreen, context: DialogueContext): Json[] {
  return checks.flatMap(({ if: condition }) => {
    const compiled = condition === undefined ? undefined : compileCondition(condition)
    return compiled === undefined || compiled instanceof Slip
      ? []
      : compiled.paths.flatMap((path) => readPath({ context }, path) ?? [])
  })
}
