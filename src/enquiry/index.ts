/** For who answers a subscriber's complaint: what was seen, pressed, called and sent, and why it ended. */
export { rowsOfDialogue, rowsOfSubscriber } from './rows.ts'
export { dialoguesOf, keptDefinitions, type StoryReading, type Story, type StoryDialogue, storyOf } from './story.ts'
export { endInWords } from './words.ts'
