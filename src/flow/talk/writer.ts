/** Writes talks as the text of a talk file, which talk.ts reads. */
import type { Json } from '../../ussd/index.ts'
import type { Talk, TalkStep } from './talk.ts'

/** One talk. parseTalks reads the same steps back. */
export function writeTalk({ title, steps }: Pick<Talk, 'title' | 'steps'>): string {
  return `${[`talk ${title.replace(/\s+/g, ' ').trim()}`, ...steps.map(lineOf)].join('\n')}\n`
}

function lineOf(step: TalkStep): string {
  switch (step.do) {
    case 'dial':
    case 'code':
      return `${step.do} ${step.code}`
    case 'language':
      return `language ${step.language}`
    case 'msisdn':
      return `msisdn ${step.msisdn}`
    case 'now':
      return `now ${step.now}`
    case 'expect':
      return step.text
        .split('\n')
        .map((line) => `< ${line}`.trimEnd())
        .join('\n')
    case 'answer':
      return `> ${isPlain(step.text) ? step.text : JSON.stringify(step.text)}`
    case 'stub':
      return stubLine(step)
    case 'called':
      return step.args === undefined
        ? `called ${step.operation}`
        : `called ${step.operation} ${JSON.stringify(step.args)}`
    case 'sms':
    case 'write':
      return `${step.do} ${step.text}`
    case 'ended':
      return `ended ${step.reason ?? ''}`.trimEnd()
    case 'hang-up':
      return 'hang up'
    case 'lost':
    case 'ack':
      return step.do
  }
}

function stubLine({ operation, outcome, again }: TalkStep & { do: 'stub' }): string {
  const first = again ? 'then ' : ''
  if (outcome.is === 'data') return `${first}backend ${operation} ${JSON.stringify(outcome.data)}`
  if (outcome.is === 'failed') return `${first}fail ${operation} ${outcome.why}`
  return `${first}refuse ${operation} ${refusalWord(outcome.refusal)}${dataOf(outcome.data)}`
}

/** The name of a refusal as a talk has it. */
export const refusalWord = (name: string) => (/\s/.test(name) ? `"${name}"` : name)

const dataOf = (data: Json) => (data === null ? '' : ` ${JSON.stringify(data)}`)

/** Whether a line can hold the text without quotes. */
export function isPlain(text: string): boolean {
  return text !== '' && text.trim() === text && !text.startsWith('"') && !/[\r\n]/.test(text)
}
