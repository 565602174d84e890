/** SMS from subscribers: parts put together, keywords, opt-out. */
export type { Changed, HeldDeps, PartShelf } from './parts.ts'
export { smsIn } from './receive.ts'
