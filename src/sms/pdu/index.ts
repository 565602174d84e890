/** SMS as PDUs: submit_sm, query_sm, cancel_sm, replace_sm, segments and receipts. */
export { smsRecall } from './cancel-sm.ts'
export { QUERY_EVERY_MS, queryLines, smsQuery } from './query-sm.ts'
export { isLikeReceipt, readReceipt, type ReceiptOptions } from './receipt.ts'
export { smsReplace } from './replace-sm.ts'
export { readSmsPart } from './segments-join.ts'
export { type Concatenation, type PlainText, smppAbsoluteTime, type SmsPart, smsPdu, splitSms } from './segments.ts'
export { fateOf, lateSmsOf, RESPONSES_MAX, smsSubmit } from './submit-sm.ts'
