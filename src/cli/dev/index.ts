/** `dev`: the loop of a flow's designer, a page with a phone on flows that are read again at each save. */
export { devCommand, type DevOptions, startDev } from './dev.ts'
