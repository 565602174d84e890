/** Pictures of flows, drawn in a process of their own: what draws them is loaded there only. */
export { createPictures, type Pictures } from './pictures.ts'
