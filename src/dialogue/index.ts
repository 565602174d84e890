/** One dialogue between its turns: what a message means to it, what a turn does, and the port of its store. */
export { tallied } from './census.ts'
export { bury, type Classified, classifyAnswer, classifyBegin, knownMs, OLDER_MAX, STEPS } from './classify.ts'
export {
  deadlineMs,
  type DialogueEntry,
  keepMs,
  PAST_MAX,
  readSnapshot,
  recordOf,
  refuseTooLarge,
  writeSnapshot,
} from './entry.ts'
export { bucketOf, BUCKETS, HIDDEN, keyOfName, nameOfKey } from './key.ts'
export { confirm, drop, rest, seize, type Seizing } from './outcome.ts'
export { mayBeSecret, shownRecord, withoutDialled } from './shown.ts'
export { beganAs, type Begin, type HeldCall, playHeld, playTurn } from './turn.ts'
export { turned, type Turned } from './turned.ts'
export type {
  DialogueKey,
  DialogueLimits,
  DialogueRecord,
  DialogueStore,
  Overdue,
  Resting,
  StoreFault,
  TakeResult,
  Taking,
} from './types.ts'
