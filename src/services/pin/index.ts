/** PINs of subscribers: a back end of the daemon. */
export { pins } from './module.ts'
export { pinOptions } from './options.ts'
