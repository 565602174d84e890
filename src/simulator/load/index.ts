/** Load: many phones through one simulated SMSC, and how long their screens took. */
export { load, type LoadOptions, type LoadResult, type LoadStep } from './load.ts'
