/** A flow walked with synthetic answers: all pages, all transitions, what talks cover. */
export { type Coverage, coverageOf } from './coverage.ts'
export { syntheticWorld } from './fixtures.ts'
export { talksOf } from './paths.ts'
export { proveFlow, provingFlow } from './prove.ts'
export type { SyntheticOutcome } from './synthetic-calls.ts'
export { PAGES_MAX, type Walk, type WalkedPage, walkFlow } from './walk.ts'
