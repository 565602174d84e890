/** For who answers a subscriber's complaint: what was seen, pressed, called and sent, and why it ended. */
export { rowsOfSubscriber } from './rows.ts'
export { type Story, storyOf } from './story.ts'
