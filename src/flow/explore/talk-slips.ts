/** What a talk has back ends answer that they never answer, by what they say of their operations. */
import { remedyAmong, type Problem } from '../../base/index.ts'
import type { BackendSaid } from '../read/index.ts'
import type { Stub, Talk } from '../talk/index.ts'
import type { Json } from '../../ussd/index.ts'

export function talkSlips({ file, steps }: Talk, backends: ReadonlyMap<string, BackendSaid>): Problem[] {
  return steps.flatMap((step) => {
    if (step.do !== 'stub') return []
    const found = slipOf(step.operation, step.outcome, backends)
    return found ? [{ where: `${file}:${step.line}:1`, ...found }] : []
  })
}

function slipOf(
  called: string,
  outcome: Stub,
  backends: ReadonlyMap<string, BackendSaid>,
): { what: string; remedy: string } | undefined {
  const [backend = '', operation = ''] = called.split('.')
  const known = backends.get(backend)
  if (!known) return undefined
  const said = Object.hasOwn(known.operations, operation) ? known.operations[operation] : undefined
  if (!said)
    return {
      what: `${backend} has no operation '${operation}'`,
      remedy: remedyAmong(operation, Object.keys(known.operations)),
    }
  if (outcome.is === 'refused') {
    const { refusals } = said
    if (!refusals || Object.hasOwn(refusals, outcome.refusal)) return undefined
    const what = `${called} never refuses with '${outcome.refusal}'`
    return { what, remedy: remedyAmong(outcome.refusal, Object.keys(refusals)) }
  }
  if (outcome.is !== 'data' || !said.answers) return undefined
  const strange = fieldsOf(outcome.data).find((field) => !Object.hasOwn(said.answers!, field))
  return strange === undefined
    ? undefined
    : { what: `${called} does not answer with '${strange}'`, remedy: remedyAmong(strange, Object.keys(said.answers)) }
}

function fieldsOf(data: Json): string[] {
  return data !== null && typeof data === 'object' && !Array.isArray(data) ? Object.keys(data) : []
}
