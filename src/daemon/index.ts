/** Wiring only: builds everything from the settings, starts and stops it. */
export { groupsOf } from './line.ts'
export { createBackends } from './backends.ts'
export { startDaemon } from './daemon.ts'
export { profileDirs, wishesOf } from './line.ts'
export { serverOf } from './postgres-server.ts'
export { runDaemon } from './run.ts'
export { openStores } from './stores.ts'
export { tlsOf } from './tls.ts'
