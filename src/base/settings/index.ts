/** Terms that the schemas of settings share. Each room has the schema of its own settings; src/config joins them. */
export { secretSettings } from './secrets.ts'
export { httpUrl, ms, msisdnPrefix, settingName } from './terms.ts'
