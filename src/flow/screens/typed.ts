/**
 * `typed` of a menu or a list: a number of the page chooses its line; anything else is read like an answer to an input.
 * Either way the same answer is kept, and it passes the same rules: a line whose value breaks one is not shown.
 */
import { z } from 'zod'
import type { DialogueContext, Move } from '../../../machines/dialogue.ts'
import { type Json, trimAnswer } from '../../ussd/index.ts'
import { lookUp } from '../engine/index.ts'
import type { Text } from '../terms/index.ts'
import type { KeepsValue, ShowsValue } from './choices.ts'
import { acceptsAlone, brokenCheck, inputKind, type InputScreen, type Reader, readerIn, rules } from './input.ts'
import type { Examples, ExampleDeps } from './examples.ts'
import type { AnsweredStep, KeySlip, Outcome } from './kind.ts'
import { type Offer, left, type Env, type TellUses } from '../plan/index.ts'

const { attempts: _attempts, ...typedRules } = rules

export const typedInList = z
  .strictObject({
    ...typedRules,
    value: z.string().min(1).describe('The field of a row that stands for what is typed.'),
  })
  .optional()
  .meta({ title: '`{ value, <rules>, wrong }`' })
  .describe(
    'Something else than a number of the page may be typed, by the rules of an input. Kept as `answers.<as>`, like `value` of a chosen row.',
  )

export const typedInMenu = z
  .strictObject({ ...typedRules, to: z.string().min(1).describe('The screen that comes after a typed answer.') })
  .optional()
  .meta({ title: '`{ to, <rules>, wrong }`' })
  .describe(
    'Something else than a number of the page may be typed, by the rules of an input. Kept as `answers.<as>`, like the `value` of a choice.',
  )

type Rules = Omit<NonNullable<z.infer<typeof typedInList>>, 'value'>

/** A menu or list that may be typed on. */
export interface Typeable {
  typed?: (Rules & { to?: string; value?: string }) | undefined
  as?: string | undefined
}

/** What is typed, as the input that it is. `asks`: the text above the lines. */
export function typedInput({ typed: own, as }: Typeable, asks: Text, to: string): InputScreen | undefined {
  if (!own) return undefined
  const { value: _value, to: there = to, ...how } = own
  return { kind: 'input', input: asks, to: there, as, ...how }
}

/** The most rows beside which one may type: with more, few numbers are left that no line has. */
export const TYPED_ROWS_MAX = 9

const READERS = new WeakMap<object, Reader>()

/** The value to keep of a line that stands for it. Undefined: it breaks a rule. */
export function standsFor(
  screen: Typeable & object,
  input: InputScreen,
  value: Json | undefined,
  { context, zone }: { context: DialogueContext; zone: string },
): Json | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined
  const reader = READERS.get(screen) ?? readerIn(input, input.as ?? '', zone)
  READERS.set(screen, reader)
  const found = reader(String(value), context)
  return 'value' in found ? found.value : undefined
}

/** What an offer does with what is typed. */
export function typedOffer(input: InputScreen | undefined, env: Env): Pick<Offer, 'typed'> {
  if (!input) return {}
  const as = input.as ?? env.name
  const read = readerIn(input, as, env.zone)
  const texts = [input.wrong, ...(input.checks ?? []).map(({ wrong }) => wrong)].map((text) => text && env.text(text))
  return {
    typed: {
      read: (context, answer) => {
        const found = read(trimAnswer(answer), context)
        return 'value' in found ? keptAs(context, as, found.value, input.to) : found
      },
      complaint: (context) => {
        const said = texts[(context.broken ?? -1) + 1] ?? texts[0]
        return said ? said({ context }) : env.word('wrong', context)
      },
    },
  }
}

function keptAs(context: DialogueContext, as: string, value: Json, to: string): Move {
  const gone = left({ ...context, broken: undefined })
  return { to, context: { ...gone, answers: { ...gone.answers, [as]: value } } }
}

export const TYPED: Outcome = { what: 'typed', only: 'no synthetic answer passes its rules' }

export function typedOutcomes(input: InputScreen | undefined): Outcome[] {
  if (!input) return []
  const [, ...others] = inputKind.outcomes(input)
  return [TYPED, ...others]
}

/** Conditions and texts of what is typed. */
export function usesOfTyped({ typed: own }: Typeable, tell: TellUses): void {
  tell.text('wrong', own?.wrong, 'typed', 'wrong')
  own?.checks?.forEach((check, i) => {
    tell.text('wrong', check.wrong, 'typed', 'checks', i, 'wrong')
    tell.condition(check.if, ['typed', 'checks', i, 'if'])
  })
}

/** `typed` without a name for the answer, and rules that nothing can meet. */
export function slipsOfTyped(screen: Typeable, input: InputScreen | undefined, zone: string): KeySlip[] {
  if (!input) return []
  const nameless = { path: ['typed'], what: ' has typed but no as: the answer needs a name', remedy: 'as: number' }
  return [
    ...(screen.as === undefined ? [nameless] : []),
    ...inputKind.slips(input, zone).map((slip) => ({ ...slip, path: ['typed', ...slip.path] })),
    ...inputKind.clashes(input).map((slip) => ({ ...slip, path: ['typed', ...slip.path] })),
  ]
}

/** Values of choices that break a rule, so that the choice would never be shown. */
export function slipsOfValues(
  choices: readonly { value?: string | number | undefined }[],
  input: InputScreen | undefined,
): KeySlip[] {
  return choices.flatMap(({ value }, i): KeySlip[] => {
    if (value === undefined) return []
    const path = ['choices', i, 'value']
    if (!input) return [{ path, what: `: the value of choice ${i + 1} has no effect without typed` }]
    if (acceptsAlone(input, String(value))) return []
    return [{ path, what: `: choice ${i + 1} is never shown, because its value ${value} breaks the rules of typed` }]
  })
}

export function typedExamples(input: InputScreen | undefined, deps: ExampleDeps): Examples {
  if (!input) return {}
  return { ...inputKind.examples(input, deps), isTyped: (answer) => acceptsAlone(input, answer) }
}

/** Types, sizes and words of the answer that is kept: those of the input. */
export function typedAnswer<S>(inputOf: (screen: S) => InputScreen | undefined) {
  const of = <T>(screen: S, ask: (input: InputScreen) => T[]): T[] => {
    const input = inputOf(screen)
    return input ? ask(input) : []
  }
  return {
    sizes: (screen: S) => of(screen, inputKind.sizes),
    types: (screen: S) => of(screen, inputKind.types),
    among: (screen: S) => {
      const input = inputOf(screen)
      return input && inputKind.among(input)
    },
  }
}

/** Keeps the value that a line stands for. Undefined without `typed`. */
export function keepsValue(
  screen: Typeable & object,
  input: InputScreen | undefined,
  { name, zone }: Env,
): KeepsValue | undefined {
  if (!input) return undefined
  const as = input.as ?? name
  return (context, value) => {
    const kept = standsFor(screen, input, value, { context, zone })
    return kept === undefined ? undefined : { ...context, answers: { ...context.answers, [as]: kept } }
  }
}

export function showsValue(screen: Typeable & object, input: InputScreen | undefined, zone: string): ShowsValue {
  return (value, context) =>
    value === undefined || !input || standsFor(screen, input, value, { context, zone }) !== undefined
}

/** Letters would both search and be typed. */
export function clashesOfTyped(screen: Typeable & { search?: unknown; labels?: boolean | undefined }): KeySlip[] {
  if (!screen.typed) return []
  return (['search', 'labels'] as const)
    .filter((key) => screen[key])
    .map((key) => ({ path: [key], what: `: ${key} and typed exclude each other` }))
}

/** Whether a key for `Back` or `Home` could be typed as an answer. */
export function takesKey(input: InputScreen | undefined, key: string): boolean {
  return input !== undefined && inputKind.takes(input, key)
}

/** The outcome of an answer that does not choose a line. */
export function typedStep(
  input: InputScreen | undefined,
  { name: here, context, event, next }: AnsweredStep,
  choices: readonly { key?: string | undefined }[],
): string | undefined {
  if (!input || event.type !== 'ANSWER' || !context.shown) return undefined
  const answer = trimAnswer(event.text)
  if (choices.some(({ key }) => key === answer) || lookUp(context.shown, true, answer)) return undefined
  const { wrong, broken } = next.context
  if (next.value === here)
    return wrong === 0 ? undefined : broken === undefined ? 'wrong answer' : brokenCheck(input, broken)
  return next.value === input.to && acceptsAlone(input, answer) ? TYPED.what : undefined
}
