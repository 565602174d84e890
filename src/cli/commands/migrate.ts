/** `migrate`: gives the database the schema of this version. */
import type { Command } from 'commander'
import { CONFIG, jsonOption, type Say } from '../arguments.ts'

export function registerMigrate(program: Command, say: Say): void {
  jsonOption(program.command('migrate'))
    .description('migrates the database to the schema of this version')
    .requiredOption(...CONFIG)
    .option('--status', 'only show which migrations are done and which are not')
    .action(async (options: import('../database.ts').MigrateOptions) =>
      (await import('../database.ts')).migrateCommand(options, say),
    )
}
