/** Load: many phones through one simulated SMSC, and how long their screens took. */
export { load, type LoadOptions, type LoadResult, type LoadStep } from './load.ts'
export { loadTalks, type PlayedTalk, type ScreenCheck, type TalkLoadResult, type TalkTurn } from './talks.ts'
