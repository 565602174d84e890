/** `migrate`: the database gets this version's schema. */
import type { Command } from 'commander'
import { CONFIG, type Say } from '../arguments.ts'

export function registerMigrate(program: Command, say: Say): void {
  program
    .command('migrate')
    .description('brings the database to the schema of this version')
    .requiredOption(...CONFIG)
    .option('--status', 'only say what is done and what is to do')
    .action(async ({ config, status }: { config: string; status?: boolean }) =>
      (await import('../database.ts')).migrateCommand(config, Boolean(status), say),
    )
}
