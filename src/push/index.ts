/** USSD that we begin: a screen for a subscriber who has not dialled. */
export type { PlayedScreen } from './opening.ts'
export { textFlow } from './pages.ts'
export {
  createPush,
  type NotifyRequest,
  type Push,
  type PushDeps,
  type PushOutcome,
  type PushRequest,
  WrongClockError,
} from './push.ts'
export { createPushLimits, type PushLimits } from './limits.ts'
export { pushedFlow, replyIn } from './reply.ts'
export type { PushResult } from './screen.ts'
