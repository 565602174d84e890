/** PINs of subscribers: a back end of the daemon itself. */
export { pinPepper, pins } from './module.ts'
export { pinOptions } from './options.ts'
