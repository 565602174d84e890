/** Receipts: which SMS one belongs to, what it settles, and those that match none. */
export { IdForms } from './id-forms.ts'
export type { ReceiptDeps } from './deps.ts'
export { ORPHAN_MS, type OrphanWatch, orphanWatch } from './orphans.ts'
export {
  type AcceptedSms,
  type ReceiptResult,
  applyEarly,
  applyState,
  applyToPart,
  idsOf,
  partKeysOf,
  receiptsInBulk,
  referenceOf,
  storeParts,
  takeReceiptOf,
} from './receipts.ts'
export { EARLY_OF, STATE_OF } from './rows.ts'
