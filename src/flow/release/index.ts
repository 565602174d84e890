/** Which revision of a flow serves: files, publish, canary, rollback, recall. */
export { portable } from './archiving.ts'
export { type Flows, openFlows, type PreparedFlows } from './registry.ts'
export type { Reload, Taken } from './next-view.ts'
export {
  type Decided,
  type Decision,
  type DecisionTold,
  isDecision,
  publishing,
  type Recall,
  type Release,
  trying,
  undecided,
} from './release.ts'
