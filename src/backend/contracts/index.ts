/** Contracts: how applications behind aggregators are asked, compiled from profiles. */
export { KIT_PATH, kitAsked, loadKit, readAnswer, requestText } from './kit.ts'
export { contractNames, loadContract } from './load.ts'
export type { Asked, Closing, Contract, HttpAnswer, Outgoing } from './types.ts'
