/** The lines of the settings as they run, and how they change while the others keep running. */
export { createLineHolds, type LineHolds } from './holds.ts'
export { groupsOf, profileDirs, wishesOf } from './line.ts'
export { createLines, type Lines } from './lines.ts'
export type { LinesDeps } from './running.ts'
