/** Dialogues on one machine without Redis: memory and a journal. */
export { fileOwed } from './file-owed.ts'
export { fileParts } from './file-parts.ts'
export { lockDirectory } from './lock.ts'
export { journalDialogues } from './store.ts'
