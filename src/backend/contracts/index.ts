/** How applications behind aggregators want to be asked: contract profiles, compiled. */
export { KIT_PATH, kitAsked, loadKit, readAnswer, requestText } from './kit.ts'
export { contractNames, loadContract } from './load.ts'
export type { Asked, Closing, Contract, HttpAnswer, Outgoing } from './types.ts'
