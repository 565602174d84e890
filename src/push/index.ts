/** USSD that we begin: a screen for a subscriber who has not dialled. */
export { textFlow } from './pages.ts'
export {
  createPush,
  type NotifyRequest,
  type PlayedScreen,
  type Push,
  type PushDeps,
  type PushOutcome,
  type PushRequest,
  type PushResult,
} from './push.ts'
export { pushedFlow, replyIn } from './reply.ts'
