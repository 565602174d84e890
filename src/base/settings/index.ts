/** Terms that the schemas of settings share. Each room has the schema of its own settings; src/config joins them. */
export { ms, msisdnPrefix, settingName } from './terms.ts'
