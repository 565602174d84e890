/** Which revision of a flow serves: files, publish, canary, rollback, recall. */
export { screenChanges } from './diff.ts'
export { type Flows, openFlows, portable, type Reload } from './registry.ts'
export {
  type Decided,
  type Decision,
  isDecision,
  publishing,
  type Recall,
  type Release,
  trying,
  undecided,
} from './release.ts'
