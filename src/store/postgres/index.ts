/** The connection to Postgres or PGlite, migrations, and the decisions of operators. */
export { flowArchive } from './archive.ts'
export { checkPostgres, type PostgresCheck } from './check.ts'
export { openPostgres, type Postgres, type ServerSettings } from './connection.ts'
export { migrate, migrationStatus, requireMigrated } from './migrate.ts'
export { flowReleases } from './releases.ts'
export { ensureDatabase, isDatabaseMissing, makeDatabase } from './url.ts'
