/** The sample dental service: appointments, a back end of the daemon. */
export { eraseSubscriber } from './erase.ts'
export { dental } from './module.ts'
export { dentalOptions } from './options.ts'
export { dentalReplies } from './replies.ts'
export { seed } from './seed.ts'
