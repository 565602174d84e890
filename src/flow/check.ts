/** The prover: what is wrong with a flow, and what is doubtful, before anybody dials it. */
import type { Problem } from '../errors.ts'
import type { ReadFlow } from './read.ts'

/** An error keeps a flow from going live; a warning does not. */
export interface FlowProblem extends Problem {
  severity: 'error' | 'warning'
}

export function checkFlow(_read: ReadFlow, _backends?: readonly string[]): FlowProblem[] {
  return []
}
