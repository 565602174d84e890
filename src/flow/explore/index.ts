/** Explores a flow with synthetic answers: all pages, all transitions, and what talks cover. */
export { type Coverage, coverageOf } from './coverage.ts'
export { examplesIn } from './examples.ts'
export { type Exploration, explore, type ExploredPage, PAGES_MAX, pagesFrom } from './explorer.ts'
export { talksOf } from './paths.ts'
export { proveFlow, provingFlow } from './prove.ts'
export { sameKeyScreens } from './same-key.ts'
export { screenChanges } from './screen-changes.ts'
