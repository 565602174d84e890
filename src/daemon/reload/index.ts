/** New settings while the daemon runs: what is taken, how, and what needs a restart. */
export { createReload, noFile } from './reload.ts'
