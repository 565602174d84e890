/** Call detail records: collected from where they wait, written into `cdr`, and from there into files. */
export { collectWaiting, createCollector, type Collector } from './collector.ts'
export type { Feed } from './file-rows.ts'
export { writeFiles } from './files.ts'
export { keepDays } from './partitions.ts'
export { type Round, startRounds } from './rounds.ts'
export { type FileOf, NO_FILE, recordSms, writeRecords } from './rows.ts'
