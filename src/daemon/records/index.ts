/** What a daemon keeps about its dialogues, for how long, and how it is shown to and erased for a subscriber. */
export { forgottenByFleet, personalDeps } from './personal.ts'
export { createRecords, type DaemonRecords, recordingOf } from './records.ts'
export { startRetention } from './retention.ts'
