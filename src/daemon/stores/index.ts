/** The stores of the settings: Redis or a journal, a Postgres server or PGlite, their passwords and TLS. */
export { serverOf } from './postgres-server.ts'
export type { StoreTls } from './store-tls.ts'
export { openStores, type Stores, type StoresCheck } from './stores.ts'
