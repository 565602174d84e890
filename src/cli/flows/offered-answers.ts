/** Synthetic answers of a back end that a person may choose from, made from what the flow reads. */
import type { CallExample } from '../../flow/screens/index.ts'
import { refusalWord, type Stub, stubOf } from '../../flow/talk/index.ts'

/** How many answers are offered at a call. */
const OFFERED_MAX = 9
const SHOWN_CHARS = 80

export interface OfferedAnswer {
  stub: Stub
  shown: string
}

/** First the normal answer, then the failures, then other answers; each once. */
export function offeredAt(outcomes: readonly CallExample[], operation: string): OfferedAnswer[] {
  const all = new Map<string, OfferedAnswer>()
  for (const { event, told } of outcomes) {
    const stub = stubOf(event)
    const text = stubText(stub)
    const hint = stub.is === 'data' && told !== '' ? `  (${told.replace(`${operation} says `, '')})` : ''
    if (!all.has(text)) all.set(text, { stub, shown: shortened(text) + hint })
  }
  const [well, ...others] = [...all.values()]
  const wrong = others.filter(({ stub }) => stub.is !== 'data')
  return [well!, ...wrong, ...others.filter(({ stub }) => stub.is === 'data')].slice(0, OFFERED_MAX)
}

export const shortened = (text: string) => (text.length > SHOWN_CHARS ? `${text.slice(0, SHOWN_CHARS - 3)}...` : text)

/** As in a line of a talk, without the operation. */
export function stubText(stub: Stub): string {
  if (stub.is === 'failed') return `fail ${stub.why}`
  const data = stub.data === null ? '' : JSON.stringify(stub.data)
  return stub.is === 'data' ? data || 'null' : `refuse ${refusalWord(stub.refusal)} ${data}`.trim()
}
