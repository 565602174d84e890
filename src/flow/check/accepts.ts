/** Warnings that the file itself accepts, by name and with a reason. */
import { remedyAmong } from '../../base/index.ts'
import type { FlowDefinition } from '../language/index.ts'
import type { ReadFlow } from '../read/index.ts'
import type { FlowProblem } from './check.ts'

type Accepts = NonNullable<FlowDefinition['accepts']>[number]

/** The same problems; those that the file accepts have its reason. Errors cannot be accepted. */
export function accepting({ accepts = [] }: FlowDefinition, problems: readonly FlowProblem[]): FlowProblem[] {
  if (accepts.length === 0) return [...problems]
  return problems.map((problem) => {
    const by = problem.severity === 'warning' ? accepts.find((one) => isMeant(one, problem)) : undefined
    return by ? { ...problem, accepted: by.because } : problem
  })
}

function isMeant({ warning, screen }: Accepts, { rule, what }: FlowProblem): boolean {
  return warning === rule && (screen === undefined || screenOf(what) === screen)
}

const screenOf = (what: string) => /screen '([^']+)'/.exec(what)?.[1]

/** What the file accepts, and what is not there. All checks must have looked. */
export function acceptedAnew({ definition, at }: ReadFlow, problems: readonly FlowProblem[]): FlowProblem[] {
  const { accepts = [] } = definition
  return accepts.flatMap((one, i) => {
    if (problems.some((problem) => problem.severity === 'warning' && isMeant(one, problem))) return []
    const of = one.screen === undefined ? '' : ` of screen '${one.screen}'`
    const rules = problems.filter(({ severity }) => severity === 'warning').flatMap(({ rule }) => rule ?? [])
    const what = `the flow accepts '${one.warning}'${of}, but there is no such warning`
    const remedy =
      rules.length === 0
        ? 'remove the line'
        : `remove the line, or correct it: ${remedyAmong(one.warning, new Set(rules))}`
    return [{ severity: 'warning' as const, rule: 'accepted-gone', where: at(['accepts', i]), what, remedy }]
  })
}
