/**
 * All that `check` and `flow publish` ask of a flow beyond what a daemon asks of the files that it loads: what it does
 * with money, secrets and numbers, and what walking it finds.
 */
import { toEnd } from '../../base/index.ts'
import { accepting, type FlowProblem, vettingFlow } from '../check/index.ts'
import type { Compilation } from '../load/index.ts'
import type { ReadFlow } from '../read/index.ts'
import { provingFlow, type Walked } from './prove.ts'

/** The flow must have no errors. `tell` gets how far the walk went. */
export function examineFlow(compilation: Compilation, read: ReadFlow, tell?: (walked: Walked) => void): FlowProblem[] {
  return toEnd(examiningFlow(compilation, read, tell))
}

/** `examineFlow` in pieces, for a daemon that serves meanwhile: a large flow takes seconds. */
export function* examiningFlow(
  compilation: Compilation,
  read: ReadFlow,
  tell?: (walked: Walked) => void,
): Generator<undefined, FlowProblem[]> {
  const vetted = yield* vettingFlow(read)
  const walked = yield* provingFlow(compilation, read.at, tell)
  return accepting(read.definition, [...vetted, ...walked])
}
