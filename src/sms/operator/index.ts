/** The outbox for an operator: which SMS failed or wait and why, sending one again, taking one back, how deep it is. */
export type { Retried } from './change.ts'
export { type DepthWatch, depthWatch, OUTBOX_COUNTED_MAX, type OutboxDepth } from './depth.ts'
export { LISTED_STATES, type ListedSms, type ListedState, REASONS_OF_MAX, SMS_PAGE, type SmsPlace } from './list.ts'
export { type SmsOperator, smsOperator } from './operator.ts'
