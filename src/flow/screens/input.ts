/** `input`: something typed. A wrong answer is told above the prompt. */
import type { DialogueContext, DialogueEvent, Move } from '../../../machines/dialogue.ts'
import { trimAnswer, type Json } from '../../ussd/index.ts'
import { type InputScreen, ANSWER_CHARS_MAX } from '../language/index.ts'
import { fitLine, lengthReader, numberReader, patternReader, ruleOf, WALKED_AT, type Rule } from '../engine/index.ts'
import { arrived, GOODBYE, left, type Env, type Plan } from './plan.ts'

/** Two to forty letters (any script), blanks, apostrophes, hyphens and full stops, with a letter in front. */
export const PERSON_NAME = /^\p{L}[\p{L}\p{M} '’.-]{1,39}$/u

export function inputPlan(screen: InputScreen, env: Env): Plan {
  const prompt = env.text(screen.input)
  const as = screen.as ?? env.name
  const checks = (screen.checks ?? []).map((check) => ({
    rule: ruleOf(check, as, env.zone),
    wrong: check.wrong === undefined ? undefined : env.text(check.wrong),
  }))
  const wrong = screen.wrong === undefined ? undefined : env.text(screen.wrong)
  const complaint = (context: DialogueContext) => {
    const said = checks[context.broken ?? -1]?.wrong ?? wrong
    return said ? said({ context }) : env.word('wrong', context)
  }
  const asking: Asking = {
    read: readerOf(screen),
    rules: checks.map(({ rule }) => rule),
    as,
    to: screen.to,
    wrongMax: screen.attempts ?? env.wrongMax,
    giveUp: screen.giveUp ?? GOODBYE,
    secret: screen.secret ?? false,
  }
  return {
    kind: 'input',
    targets: [screen.to, asking.giveUp],
    arrive: (context) => {
      const there = arrived(context, env, 'input')
      return screen.secret ? { ...there, gate: context.gate ?? env.name } : there
    },
    answer: (context, event) => answered(context, event, asking),
    want: (context) => {
      const above = context.wrong > 0 ? complaint(context) : context.notice
      const text = fitLine((valueMax) => prompt({ context }, { valueMax }), context.page, above)
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
  // What assign is not given stays as it was.
  const rest = { ...context, broken: undefined }
  const held = heldAgainst(trimAnswer(event.text), context, asking)
  if ('value' in held) {
    const kept = asking.secret ? ('secrets' as const) : ('answers' as const)
    return { to: asking.to, context: left({ ...rest, [kept]: { ...context[kept], [asking.as]: held.value } }) }
  }
  const wrong = context.wrong + 1
  if (wrong >= asking.wrongMax) return { to: asking.giveUp, context: left(rest) }
  return { context: { ...rest, wrong, ...(held.broken === undefined ? {} : { broken: held.broken }) } }
}

/** The answer as it is kept; or which check it breaks, undefined for the screen's own rule. */
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

/** Whether the rules take the answer, as far as can be said without a dialogue. */
export function acceptsAlone(screen: InputScreen, answer: string): boolean {
  const rules = (screen.checks ?? []).filter((check) => check.if === undefined).map((check) => ruleOf(check, '', 'UTC'))
  return 'value' in heldAgainst(answer, { now: WALKED_AT } as DialogueContext, { read: readerOf(screen), rules })
}

/** What an answer is worth by the screen's own rule; undefined: wrong. */
export function readerOf(screen: InputScreen): (answer: string) => Json | undefined {
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
