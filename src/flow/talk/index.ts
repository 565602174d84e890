/** Talks: written conversations that test a flow. This room reads, plays, records and writes them. */
export { describeFailure } from './diff.ts'
export { playTalk } from './player.ts'
export { type Left, recordedText, stubOf, type TalkEntry, talkOf, talkRecorder, withTalks } from './recorder.ts'
export { parseTalks, type Stub, type Talk } from './talk.ts'
export { isPlain, refusalWord, writeTalk } from './writer.ts'
