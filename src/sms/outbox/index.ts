/** The SMS that we owe: rows, dispatch, retry, receipts. */
export type { LateSms } from './ambiguous.ts'
export { smsDispatcher } from './dispatch.ts'
export { enqueueSms } from './enqueue.ts'
export { eraseSms, forgetOld } from './forget.ts'
export { type QueryLine, smsQueries } from './query.ts'
export { type AtSmsc, type Replacing, smsReplacing } from './replace.ts'
export { DUE_GROUPS, OWNER, statesFor } from './rows.ts'
export { mayBeReplaced, replaceKeyed } from './replace-keyed.ts'
export type { SmsRoute } from './lanes.ts'
export { planSms } from './plan.ts'
export {
  CANCEL_HELD,
  cancelledAs,
  cancelSms,
  findSms,
  putSms,
  type Cancelled,
  type KeyedRow,
  type Put,
} from './keyed.ts'
export { repeated } from './upkeep.ts'
export type { OutboxDeps } from './settings.ts'
export { CANCEL_SMS, smsBinding, type SmsModule, WRITE_SMS } from './statements.ts'
