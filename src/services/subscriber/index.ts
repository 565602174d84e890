/** What a subscriber chose: the language. */
export { chosenInSms, languageIn, type Languages, subscriberLanguages } from './languages.ts'
