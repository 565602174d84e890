/** `migrate`: gives the database the schema of this version. */
import type { Command } from 'commander'
import { CONFIG, type Say } from '../arguments.ts'

export function registerMigrate(program: Command, say: Say): void {
  program
    .command('migrate')
    .description('migrates the database to the schema of this version')
    .requiredOption(...CONFIG)
    .option('--status', 'only show which migrations are done and which are not')
    .action(async ({ config, status }: { config: string; status?: boolean }) =>
      (await import('../database.ts')).migrateCommand(config, Boolean(status), say),
    )
}
