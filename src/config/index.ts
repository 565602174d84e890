/** The settings: one schema, read from file, environment and secret files. */
export { capAccount } from './accounts.ts'
export { hookOf } from './schema-hooks.ts'
export { type LoadedSettings, loadSettings, parseSettings, readSettings } from './load.ts'
export { maskedSettings, printSettings, settingsJsonSchema } from './print.ts'
export { testDialDefaults } from './schema-test-dials.ts'
export { expectedBy } from './test-dial-expected.ts'
export type { RedisSettings } from './schema-stores.ts'
export type { ConfiguredLine, Settings } from './schema.ts'
