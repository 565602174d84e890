/** Call detail records: collected from where they wait, written into `cdr`, and from there into files. */
export { collectWaiting, createCollector, type Collector } from './collector.ts'
export { type Feed, feedOf, holdsFiles, SMS_FILED } from './file-rows.ts'
export { createFileTimes, showFileTimes } from './file-times.ts'
export { FILES_LEASE_MS, writeFiles } from './files.ts'
export { flowOfRevision, OTHER_KEYS, screenCounting } from './funnel.ts'
export { forgetFunnel, type Funnel, funnelOf, besideRest } from './funnel-rows.ts'
export { createOwnFiles } from './own-files.ts'
export { keepDays } from './partitions.ts'
export { type Round, startRounds } from './rounds.ts'
export {
  type FileOf,
  NO_FILE,
  type RecordsCounted,
  recordSms,
  recordSmsOf,
  type TextsOf,
  writeCounted,
  writeRecords,
} from './rows.ts'
export { smsFiled, unrecordedSms } from './sms-rows.ts'
export { openTexts, type SealedTexts, sealTexts } from './texts.ts'
