/** What is kept of one subscriber: exported, erased, and purged by age. */
export { purge } from './retention.ts'
export { erasePerson, exportSubscriber, type PrivacyDeps } from './subscriber.ts'
