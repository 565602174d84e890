/** Dialogues in Redis. */
export { connect, disconnect } from './connection.ts'
export { refuseEarlierDialogues } from './earlier.ts'
export { redisOwed } from './owed.ts'
export { redisParts } from './parts.ts'
export type { RedisServers } from './servers.ts'
export { redisDialogues } from './store.ts'
