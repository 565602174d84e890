/** SMS that are owed: rows, dispatch, retry, receipts. */
export type { LateSms } from './ambiguous.ts'
export { smsDispatcher } from './dispatch.ts'
export { enqueueSms } from './enqueue.ts'
export { eraseSms, forgetOld } from './forget.ts'
export { type QueryLine, smsQueries } from './query.ts'
export { type Replacing, type SmsRow, smsReplacing } from './replace.ts'
export { planReminders } from './schedule.ts'
export type { OutboxDeps } from './settings.ts'
export { CANCEL_SMS, smsBinding, WRITE_SMS } from './statements.ts'
export { AMBIGUOUS_GRACE_MS, ownClasses, refused, STATUS_CLASSES, statusClass } from './retry-policy.ts'
export {
  ANSWER,
  type BeforePart,
  type PartIds,
  type QueryOutcome,
  type RecallOutcome,
  type Receipt,
  type SmsOutcome,
  type SmsQuery,
  type SmsReplace,
  type SmsSubject,
  type SmsSubmit,
  type SmsToRecall,
  type SmsToSend,
} from './types.ts'
