/** What is kept about one subscriber: exported, erased, and purged by age. */
export type { PersonalModule } from './modules.ts'
export { purge } from './retention.ts'
export {
  auditedErasure,
  erasePerson,
  type Erased,
  ErasureStoppedError,
  type ErasureStop,
  isWhollyErased,
  NOT_ERASED_HERE,
} from './erasure.ts'
export { exportSubscriber, type PrivacyDeps } from './subscriber.ts'
