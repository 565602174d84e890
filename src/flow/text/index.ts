/** Compiled texts of flows: ICU messages in each language. */
export { compiledTexts, compileIn, type SayText, wordsIn } from './compiled-texts.ts'
export type { Message, Slot } from './message.ts'
