/** `input`: the subscriber types something. A wrong answer is reported above the prompt. */
import { z } from 'zod'
import { abandoned, usesOfAbandoned } from './abandoned.ts'
import type { DialogueContext, DialogueEvent, Move } from '../../../machines/dialogue.ts'
import { MSISDN_DIGITS_MAX, trimAnswer, type Json } from '../../ussd/index.ts'
import { isDayFormat, isZone } from '../../base/index.ts'
import { compilePattern, longestOf, namedDay, RELATIVE_DAY } from '../expression/index.ts'
import { ANSWER_CHARS_MAX, type Check, checks, length, name, number, RULES, text } from '../terms/index.ts'
import { keys } from './choices.ts'
import { inputExamples } from './input-examples.ts'
import type { KeySlip, ScreenKind } from './kind.ts'
import { fitsPage, unpaged, target, to, arrived, GOODBYE, left, type Env, type Plan } from '../plan/index.ts'
import {
  fitLine,
  lengthReader,
  numberReader,
  pageFor,
  patternReader,
  ruleOf,
  WALKED_AT,
  type Rule,
} from '../engine/index.ts'
import { linesOf, pickTextRows, rows, rowsOfText, usesOfRows } from './text-rows.ts'

/** What an answer must be, for an input and for a field of a form. */
export const rules = {
  wrong: text.optional().describe('The text above the prompt after a wrong answer. Default: the built-in `wrong`.'),
  number: number
    .optional()
    .describe('The answer must be a number within these bounds, with at most that many decimals.'),
  length: length.optional().describe('The answer must have that many characters.'),
  pattern: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe('The whole answer must match this regular expression. Back references and look-around are refused.'),
  name: z
    .literal(true)
    .optional()
    .describe("The answer must be a person's name: 2 to 40 letters of any script, blanks, and signs that names have."),
  checks,
  attempts: z
    .int()
    .min(1)
    .max(20)
    .optional()
    .describe("This many wrong answers in a row are allowed here. Default: the flow's `wrongMax`."),
}

const schema = z
  .strictObject({
    input: text.describe('The prompt.'),
    rows,
    to,
    as: name.optional().describe("Keeps the answer as `answers.<as>`. Default: the screen's name."),
    ...rules,
    secret: z
      .boolean()
      .optional()
      .describe('A PIN or password: only the next call gets it; it is never stored, shown or logged.'),
    giveUp: name
      .optional()
      .describe('The screen that comes after that many wrong answers. Default: the dialogue ends with `goodbye`.'),
    keys,
    abandoned,
  })
  .describe(
    'Asks for an answer to type. `number` and `name` exclude all other rules; `length` and `pattern` may stand together.',
  )

export type InputScreen = z.infer<typeof schema> & { kind: 'input' }

export const inputKind = {
  schema,
  does: 'ask',
  targets: (screen) => [...target(screen.to, 'to'), ...target(screen.giveUp, 'giveUp')],
  uses(screen, tell) {
    tell.text('prompt', screen.input, 'input')
    usesOfRows(screen.rows, 'prompt', tell)
    tell.text('wrong', screen.wrong, 'wrong')
    screen.checks?.forEach((check, i) => {
      tell.text('wrong', check.wrong, 'checks', i, 'wrong')
      tell.condition(check.if, ['checks', i, 'if'])
    })
    usesOfAbandoned(screen, tell)
  },
  keeps: () => 'answers',
  input: (screen) => screen,
  rows: (screen) => rowsOfText(screen.rows, screen.input),
  picks: (screen, zone) => pickTextRows(screen.rows, zone),
  onePage: true,
  caption: (screen, first) => first(screen.input),
  label: (_screen, [key]) => (key === 'giveUp' ? 'too many wrong answers' : undefined),
  pressed: (_screen, [key], screen) => (key === 'giveUp' ? '(too many wrong answers)' : `(an answer to '${screen}')`),
  outcomes: (screen) => [
    { what: 'answered', only: 'no synthetic answer passes its rules' },
    { what: 'wrong answer', only: '' },
    ...(screen.checks ?? []).map((_check, i) => ({
      what: brokenCheck(screen, i),
      only: 'no synthetic answer breaks this rule alone',
    })),
    ...(screen.giveUp === undefined ? [] : [{ what: 'too many wrong answers', only: '' }]),
  ],
  answered(screen, { name: here, context, event, next }) {
    if (event.type !== 'ANSWER') return undefined
    const { wrong, broken } = next.context
    if (next.value === here && wrong > 0) return broken === undefined ? 'wrong answer' : brokenCheck(screen, broken)
    const isOut = context.wrong + 1 >= (screen.attempts ?? Infinity) || next.value !== screen.to
    if (next.value === screen.giveUp && isOut) return 'too many wrong answers'
    return next.value === screen.to ? 'answered' : undefined
  },
  slips: slipsOf,
  overfull(screen, { say, word, under }) {
    const own = [screen.wrong, ...(screen.checks ?? []).map((check) => check.wrong)].filter(
      (each) => each !== undefined,
    )
    const above = [...own.map((each) => say(each, 'none')), ...(screen.wrong === undefined ? [word('wrong')] : [])]
    const over = (values: 'none' | 'likely') =>
      above.some((wrong) => !fitsPage(`${wrong}\n${say(screen.input, values)}${under}`))
    return unpaged(
      { never: over('none'), likely: over('likely') },
      { over: ': the prompt, with the text for wrong answers above it, is longer than a page', thing: 'prompt' },
    )
  },
  sizes: (screen) => [
    { field: '', chars: longestAnswer(screen), max: screen.number?.max, decimals: screen.number?.decimals },
  ],
  types: (screen) => {
    if (screen.number) return ['number']
    return [screen.name || (screen.length && !screen.pattern) ? 'text' : undefined]
  },
  among: ({ checks: all = [] }) => all.find(({ oneOf }) => oneOf)?.oneOf,
  clashes: (screen) => {
    const has = (['number', 'length', 'pattern', 'name'] as const).filter((key) => key in screen)
    if (has.length < 2 || (!has.includes('number') && !has.includes('name'))) return []
    return [{ path: [has[1] as string], what: `: ${has.join(' and ')} exclude each other` }]
  },
  words: () => ['wrong'],
  takes: mayBeAnswer,
  examples: inputExamples(acceptsAlone),
  plan: inputPlan,
} satisfies ScreenKind<InputScreen>

export function brokenCheck({ checks: all = [] }: InputScreen, i: number): string {
  return `check ${i + 1} (${RULES.find((rule) => all[i]?.[rule] !== undefined)}) broken`
}

/**
 * Whether a key could also be an answer. A free text accepts everything, so its keys go first; an input with a rule
 * says itself.
 */
function mayBeAnswer(screen: InputScreen, key: string): boolean {
  const ruled = [screen, ...(screen.checks ?? [])].some(
    (rule) => rule.number !== undefined || rule.pattern !== undefined,
  )
  return ruled && acceptsAlone(screen, key)
}

function longestAnswer(screen: InputScreen): number {
  return Math.min(longestRead(screen), ...(screen.checks ?? []).map(longestKept))
}

function longestKept(check: Check): number {
  if (check.date) return 10
  if (check.time) return 5
  if (check.phone) return MSISDN_DIGITS_MAX
  if (check.oneOf) return Math.max(...check.oneOf.map((word) => word.length))
  return Math.min(check.length?.max ?? Infinity, check.pattern === undefined ? Infinity : longestOf(check.pattern))
}

function longestRead(screen: InputScreen): number {
  if (screen.name) return 40
  if (screen.number) return String(screen.number.max ?? 1e15).length + screen.number.decimals
  return Math.min(screen.length?.max ?? 160, screen.pattern === undefined ? Infinity : longestOf(screen.pattern))
}

type Rules = Pick<Check, 'number' | 'length' | 'pattern' | 'date' | 'time'>

/** Bounds that no answer can meet, and patterns and formats that cannot be read. */
function slipsOf(screen: InputScreen, zone: string): KeySlip[] {
  const all: [Rules, (string | number)[]][] = [
    [screen, []],
    ...(screen.checks ?? []).map((check, i): [Rules, (string | number)[]] => [check, ['checks', i]]),
  ]
  return all.flatMap(([rule, place]) =>
    slipsOfRule(rule, zone).map((slip) => ({ ...slip, path: [...place, ...slip.path] })),
  )
}

function slipsOfRule({ number: digits, length: chars, pattern, date, time }: Rules, zone: string): KeySlip[] {
  const slips: KeySlip[] = []
  for (const [key, bounds] of Object.entries({ number: digits, length: chars, date, time })) {
    if (bounds?.min === undefined || bounds.max === undefined) continue
    if (isAfter(bounds.min, bounds.max))
      slips.push({ path: [key], what: `: no value lies between ${bounds.min} and ${bounds.max}` })
  }
  for (const [key, day] of Object.entries({ min: date?.min, max: date?.max }))
    if (day !== undefined && namedDay(day, 'UTC')(WALKED_AT) === undefined)
      slips.push({ path: ['date', key], what: `: '${day}' is not a day of the years 0 to 9999` })
  const compiled = pattern === undefined ? undefined : compilePattern(pattern)
  if (typeof compiled === 'string') slips.push({ path: ['pattern'], what: `: the pattern ${compiled}` })
  if (date && isZone(zone) && !isDayFormat(date.format, zone))
    slips.push({
      path: ['date', 'format'],
      what: `: '${date.format}' lacks a day, a month or a year`,
      remedy: 'such as d/M/yyyy or ddMMyyyy',
    })
  return slips
}

/** Whether no value lies between. Of a day and one that depends on the dial, nobody knows. */
function isAfter(min: number | string, max: number | string): boolean {
  const days = [min, max].map((bound) => typeof bound === 'string' && RELATIVE_DAY.test(bound))
  if (days[0] !== days[1]) return false
  const worth = (bound: number | string) => (days[0] ? namedDay(String(bound), 'UTC')(WALKED_AT) : bound) ?? bound
  return worth(min) > worth(max)
}

/**
 * Two to forty characters: letters of any script, blanks, apostrophes, hyphens and full stops, beginning with a letter.
 */
const PERSON_NAME = /^\p{L}[\p{L}\p{M} '’.-]{1,39}$/u

function inputPlan(screen: InputScreen, env: Env): Plan {
  const prompt = env.text(screen.input)
  const lines = linesOf(screen.rows, env)
  const as = screen.as ?? env.name
  const held = (screen.checks ?? []).map((check) => ({
    rule: ruleOf(check, as, env.zone),
    wrong: check.wrong === undefined ? undefined : env.text(check.wrong),
  }))
  const wrong = screen.wrong === undefined ? undefined : env.text(screen.wrong)
  const complaint = (context: DialogueContext) => {
    const said = held[context.broken ?? -1]?.wrong ?? wrong
    return said ? said({ context }) : env.word('wrong', context)
  }
  const asking: Asking = {
    read: readerOf(screen),
    rules: held.map(({ rule }) => rule),
    as,
    to: screen.to,
    wrongMax: screen.attempts ?? env.wrongMax,
    giveUp: screen.giveUp ?? GOODBYE,
    secret: screen.secret ?? false,
  }
  return {
    targets: [screen.to, asking.giveUp],
    arrive: (context) => {
      const there = arrived(context, env, 'free text')
      return screen.secret ? { ...there, gate: context.gate ?? env.name } : there
    },
    answer: (context, event) => answered(context, event, asking),
    want: (context) => {
      const above = context.wrong > 0 ? complaint(context) : context.notice
      const said = (valueMax?: number) => prompt({ context, rows: lines?.(context, { valueMax }) }, { valueMax })
      const text = fitLine(said, pageFor(context), above)
      return { do: 'ask', text, screen: env.name, ...(screen.secret ? { secret: true as const } : {}) }
    },
  }
}

interface Asking {
  read: (answer: string) => Json | undefined
  rules: readonly Rule[]
  as: string
  to: string
  wrongMax: number
  giveUp: string
  secret: boolean
}

function answered(context: DialogueContext, event: DialogueEvent, asking: Asking): Move | undefined {
  if (event.type !== 'ANSWER') return undefined
  // The machine merges contexts: a key that is absent would keep its value.
  const rest = context.broken === undefined ? context : { ...context, broken: undefined }
  const found = heldAgainst(trimAnswer(event.text), context, asking)
  if ('value' in found) {
    const gone = left(rest)
    if (asking.secret) gone.secrets = { ...context.secrets, [asking.as]: found.value }
    else gone.answers = { ...context.answers, [asking.as]: found.value }
    return { to: asking.to, context: gone }
  }
  const wrong = context.wrong + 1
  if (wrong >= asking.wrongMax) return { to: asking.giveUp, context: left(rest) }
  return { context: { ...rest, wrong, ...(found.broken === undefined ? {} : { broken: found.broken }) } }
}

/** Reads an answer by all rules of the screen. */
export type Reader = (answer: string, context: DialogueContext) => ReturnType<typeof heldAgainst>

export function readerIn(screen: InputScreen, as: string, zone: string): Reader {
  const held = { read: readerOf(screen), rules: (screen.checks ?? []).map((check) => ruleOf(check, as, zone)) }
  return (answer, context) => heldAgainst(answer, context, held)
}

/** The answer to keep, or the check that it breaks; undefined for the screen's own rule. */
function heldAgainst(
  answer: string,
  context: DialogueContext,
  { read, rules }: Pick<Asking, 'read' | 'rules'>,
): { value: Json } | { broken: number | undefined } {
  let value = answer.length > ANSWER_CHARS_MAX ? undefined : read(answer)
  if (value === undefined) return { broken: undefined }
  for (const [i, rule] of rules.entries()) {
    value = rule(value, context)
    if (value === undefined) return { broken: i }
  }
  return { value }
}

/** Whether the rules accept the answer, as far as that is known without a dialogue. */
export function acceptsAlone(screen: InputScreen, answer: string): boolean {
  const rules = (screen.checks ?? []).filter((check) => check.if === undefined).map((check) => ruleOf(check, '', 'UTC'))
  return 'value' in heldAgainst(answer, { now: WALKED_AT } as DialogueContext, { read: readerOf(screen), rules })
}

/** The value of an answer by the screen's own rule. Undefined: wrong. */
function readerOf(screen: InputScreen): (answer: string) => Json | undefined {
  if (screen.number) return numberReader(screen.number)
  if (screen.name) return nameReader
  const measured = lengthReader(screen.length)
  const matched = screen.pattern === undefined ? undefined : patternReader(screen.pattern)
  return (answer) => {
    const value = measured(answer)
    return value === undefined || !matched ? value : matched(value)
  }
}

function nameReader(answer: string): string | undefined {
  const folded = answer.normalize('NFC').replace(/\s+/g, ' ')
  return PERSON_NAME.test(folded) ? folded : undefined
}
