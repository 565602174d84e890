/** What a daemon watches, for those who watch it. */
export { certificateFiles, notingConnect } from './certificates.ts'
export { createOpenDialogues, type OpenDialogues } from './open-dialogues.ts'
export { BEAT_LOOK_MS, createState } from './state.ts'
export { createWatch, type Watch } from './watch.ts'
