/** SMS that are owed: rows, dispatch, retry, receipts. */
export type { LateSms } from './ambiguous.ts'
export { smsDispatcher, type SmsDispatcher } from './dispatch.ts'
export { enqueueSms } from './enqueue.ts'
export { eraseSms, forgetOld } from './forget.ts'
export { type QueryLine, smsQueries } from './query.ts'
export { type Replacing, type SmsRow, smsReplacing } from './replace.ts'
export { planReminders, type ReminderRule } from './schedule.ts'
export type { OutboxDeps } from './settings.ts'
export { CANCEL_SMS, type NewSms, smsBinding, WRITE_SMS } from './statements.ts'
export {
  AMBIGUOUS_GRACE_MS,
  ownClasses,
  refused,
  STATUS_CLASSES,
  statusClass,
  type StatusClass,
} from './retry-policy.ts'
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
  type SmsReplied,
  type SmsReply,
  type SmsSubject,
  type SmsSubmit,
  type SmsToRecall,
  type SmsToSend,
} from './types.ts'
