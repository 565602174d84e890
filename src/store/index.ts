/** What all stores share: sealing, key files, and why a store is unreachable. */
export { LOOK_MS, parseStoreKeys, storeNamesKey, watchStoreKeys, WRITES_AFTER_MS, writeStoreKeys } from './key-file.ts'
export { NEWEST_FORM, OLDEST_FORM, type RecordForm } from './record.ts'
export { createSealer, plainSealer, type Sealer } from './seal.ts'
export { unreachable } from './unreachable.ts'
