/** What an SMS is: its kinds, its moment, its end, the reason in words, and when it is tried again. */
export { type GivingUp, tellGivenUp } from './given-up.ts'
export { QUIET_HOURS_DEFAULT, type QuietHours, quietUntil } from './quiet-hours.ts'
export { RECEIPT_ERROR, SMS_ERRORS, type SmsFate, smsReason } from './reason.ts'
export {
  AMBIGUOUS_GRACE_MS,
  type NextStep,
  STATUS_CLASSES,
  afterGrace,
  afterLateRefusal,
  afterTry,
  linePauseMs,
  ownClasses,
  refused,
  statusClass,
  unsentMs,
} from './retry-policy.ts'
export {
  ANSWER,
  ANSWER_ON_SCREEN,
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
export {
  ORDINARY_URGENCY,
  SMS_CLASSES,
  type SmsClass,
  URGENCY,
  classOf,
  durationMsOf,
  instantOf,
  isUrgent,
  quietZoneOf,
  urgencyOf,
  whenOf,
} from './when.ts'
