/** `subscriber`: what is kept about one subscriber. */
import type { Command } from 'commander'
import { CONFIG, type Say } from '../arguments.ts'

export function registerSubscriber(program: Command, say: Say): void {
  const subscriber = program.command('subscriber').description('shows or removes all data of one subscriber')
  subscriber
    .command('export')
    .description('shows everything, as JSON')
    .requiredOption(...CONFIG)
    .requiredOption('--msisdn <number>', 'whose')
    .action(async (options: import('../privacy.ts').SubscriberOptions) =>
      (await import('../privacy.ts')).exportCommand(options, say),
    )
  subscriber
    .command('erase')
    .description('removes the data from the dialogue store and the database, and reports what it removed')
    .requiredOption(...CONFIG)
    .requiredOption('--msisdn <number>', 'whose')
    .option('--keep-opt-out', 'keep the number in the opt-out list, so that it still gets no SMS')
    .action(async (options: import('../privacy.ts').SubscriberOptions) =>
      (await import('../privacy.ts')).eraseCommand(options, say),
    )
}
