/** What all stores share: sealing, key files, why a store cannot be reached. */
export { LOOK_MS, parseStoreKeys, watchStoreKeys, WRITES_AFTER_MS, writeStoreKeys } from './key-file.ts'
export { createSealer, plainSealer, type Sealer } from './seal.ts'
export { unreachable } from './unreachable.ts'
