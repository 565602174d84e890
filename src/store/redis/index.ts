/** Dialogues in Redis. */
export { redisFirst } from './first.ts'
export { connect, disconnect } from './connection.ts'
export { refuseEarlierDialogues } from './earlier.ts'
export { redisOwed } from './owed.ts'
export { redisParts } from './parts.ts'
export { redisShares } from './shares.ts'
export type { RedisServers } from './servers.ts'
export { redisDialogues } from './store.ts'
