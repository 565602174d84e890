/** `seed`: the data of a sample service. */
import type { Command } from 'commander'
import { CONFIG, type Say } from '../arguments.ts'

export function registerSeed(program: Command, say: Say): void {
  program
    .command('seed')
    .description('loads the data of a sample service: dental')
    .argument('<service>', 'dental')
    .requiredOption(...CONFIG)
    .option(
      '--at <date>',
      'the day around which the data lie (2025-05-01 gives the documented screens); default: today',
    )
    .action(async (service: string, { config, at }: { config: string; at?: string }) =>
      (await import('../database.ts')).seedCommand({ service, config, at }, say),
    )
}
