/** `input`: something typed. A wrong answer is told above the prompt. */
import type { DialogueContext, DialogueEvent, Move } from '../../../machines/dialogue.ts'
import { trimAnswer } from '../../ussd/text.ts'
import type { Json } from '../../ussd/types.ts'
import type { InputScreen } from '../definition.ts'
import { fitLine } from '../layout.ts'
import { compilePattern } from '../pattern.ts'
import { ANSWER_CHARS_MAX } from '../schema.ts'
import { arrived, GOODBYE, left, type Env, type Plan } from './plan.ts'

/** Two to forty letters (any script), blanks, apostrophes, hyphens and full stops, with a letter in front. */
export const PERSON_NAME = /^\p{L}[\p{L}\p{M} '’.-]{1,39}$/u

export function inputPlan(screen: InputScreen, env: Env): Plan {
  const prompt = env.text(screen.input)
  const wrong = screen.wrong === undefined ? undefined : env.text(screen.wrong)
  const read = readerOf(screen)
  const as = screen.as ?? env.name
  return {
    kind: 'input',
    targets: [screen.to, GOODBYE],
    arrive: (context) => arrived(context, env, 'input'),
    answer: (context, event) => answered({ context, event, read, as, to: screen.to, wrongMax: env.wrongMax }),
    want: (context) => {
      const above = context.wrong > 0 ? (wrong?.({ context }) ?? env.word('wrong', context)) : context.notice
      const text = fitLine((valueMax) => prompt({ context }, { valueMax }), context.page, above)
      return { do: 'ask', text, screen: env.name }
    },
  }
}

interface Answering {
  context: DialogueContext
  event: DialogueEvent
  read: (answer: string) => Json | undefined
  as: string
  to: string
  wrongMax: number
}

function answered({ context, event, read, as, to, wrongMax }: Answering): Move | undefined {
  if (event.type !== 'ANSWER') return undefined
  const answer = trimAnswer(event.text)
  const value = answer.length > ANSWER_CHARS_MAX ? undefined : read(answer)
  if (value !== undefined)
    return { to, context: left({ ...context, answers: { ...context.answers, [as]: value } }) }
  const wrong = context.wrong + 1
  return wrong >= wrongMax ? { to: GOODBYE, context: left(context) } : { context: { ...context, wrong } }
}

/** What an answer is worth; undefined: wrong. */
export function readerOf(screen: InputScreen): (answer: string) => Json | undefined {
  if (screen.number) return numberReader(screen.number)
  if (screen.name) return nameReader
  const pattern = screen.pattern === undefined ? undefined : compilePattern(screen.pattern)
  if (typeof pattern === 'string') throw new Error(pattern)
  const { min, max } = screen.length ?? { min: 1, max: ANSWER_CHARS_MAX }
  return (answer) => {
    const length = [...answer].length
    if (length < min || length > max) return undefined
    return pattern === undefined || pattern.test(answer) ? answer : undefined
  }
}

function nameReader(answer: string): string | undefined {
  const folded = answer.normalize('NFC').replace(/\s+/g, ' ')
  return PERSON_NAME.test(folded) ? folded : undefined
}

function numberReader({ min, max, decimals }: NonNullable<InputScreen['number']>) {
  const form = decimals === 0 ? /^-?\d{1,15}$/ : new RegExp(`^-?\\d{1,15}(\\.\\d{1,${decimals}})?$`)
  return (answer: string): number | undefined => {
    if (!form.test(answer)) return undefined
    const value = Number(answer)
    return value < (min ?? -Infinity) || value > (max ?? Infinity) ? undefined : value
  }
}
