/** Call detail records: collected from where they wait, and written into `cdr`. */
export { collectWaiting, createCollector, type Collector } from './collector.ts'
export { keepDays } from './partitions.ts'
export { NO_FILE, recordSms, writeRecords } from './rows.ts'
