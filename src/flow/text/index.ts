/** Compiled texts of flows: ICU messages in each language. */
export { compiledTexts, compileIn, type SayText, wordsIn } from './compiled-texts.ts'
export { type Filling, type Message, ROWS_SLOT, type Slot } from './message.ts'
