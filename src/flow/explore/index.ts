/** A flow explored with synthetic answers: all pages, all transitions, what talks cover. */
export { type Coverage, coverageOf } from './coverage.ts'
export { examplesIn } from './examples.ts'
export { type Exploration, explore, type ExploredPage, PAGES_MAX, pagesFrom } from './explorer.ts'
export { talksOf } from './paths.ts'
export { proveFlow, provingFlow } from './prove.ts'
export { screenChanges } from './screen-changes.ts'
