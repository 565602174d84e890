/** What is recorded of a released flow. */
import type { FlowSource } from '../../src/flow/read/read.ts'
import type { FlowEvent, FlowInput, FlowSnapshot, Want } from '../../src/flow/engine/types.ts'

/** One step: from a stored snapshot and an event (or from a beginning) to what was wanted then. */
export interface RecordedStep {
  from: FlowInput | FlowSnapshot
  /** Null: a beginning. */
  event: FlowEvent | null
  want: Want
}

export interface Recorded {
  revision: string
  source: FlowSource
  steps: RecordedStep[]
}
