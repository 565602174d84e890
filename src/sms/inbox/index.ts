/** SMS from subscribers: joins parts, handles keywords and opt-out. */
export type { Changed, HeldDeps, PartShelf } from './parts.ts'
export { type SenderAccess, smsIn, type SmsInDeps } from './receive.ts'
