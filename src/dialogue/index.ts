/** One dialogue between its turns: what a message means for it, what a turn does, and the port of its store. */
export { type CallRecord, type Recording, spokenIn } from './cdr.ts'
export { type CallMade, callsMadeIn, withCalls } from './calls-made.ts'
export { isCut, type TurnTexts, withTexts } from './exact-texts.ts'
export { knownMs } from './classify.ts'
export { createDialogues } from './dialogues.ts'
export { type DialogueEntry, PAST_MAX } from './entry.ts'
export { bucketOf, BUCKETS, HIDDEN, keyOfName, nameOfKey } from './key.ts'
export { momentsOf, type PathStep, stepsOf } from './path.ts'
export { mayBeSecret, shownRecord, withoutDialled } from './shown.ts'
export { screenOf, type Track } from './track.ts'
export {
  beganAs,
  type Begin,
  type Begun,
  type HeldCall,
  playAtOnce,
  type Played,
  playHeld,
  playTurn,
  type TurnDeps,
} from './turn.ts'
export { turned, type Turned } from './turned.ts'
export type {
  DialogueKey,
  DialogueLimits,
  DialogueRecord,
  DialogueRegister,
  DialogueStore,
  Held,
  TurnOutcome,
  Overdue,
  PlayAtOnce,
  RecordShelf,
  Settled,
  StandingDialogue,
  StoreFault,
  TakeResult,
  Taking,
  Unreadable,
  WaitingRecord,
} from './types.ts'
