/** What is kept about one subscriber: exported, erased, and purged by age. */
export { type PersonalModule } from './modules.ts'
export { purge } from './retention.ts'
export { erasePerson, exportSubscriber, type PrivacyDeps } from './subscriber.ts'
