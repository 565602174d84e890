/** The words of the desk, by language. */
export type { Words } from './en.ts'
export { chosenWords, DESK_LANGUAGES } from './choose.ts'
