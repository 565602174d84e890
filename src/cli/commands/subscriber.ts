/** `subscriber`: what is kept of one subscriber. */
import type { Command } from 'commander'
import { CONFIG, type Say } from '../arguments.ts'

export function registerSubscriber(program: Command, say: Say): void {
  const subscriber = program.command('subscriber').description('what is kept of one subscriber: shown, or removed')
  subscriber
    .command('export')
    .description('everything, as JSON')
    .requiredOption(...CONFIG)
    .requiredOption('--msisdn <number>', 'whose')
    .action(async (options: import('../privacy.ts').SubscriberOptions) =>
      (await import('../privacy.ts')).exportCommand(options, say),
    )
  subscriber
    .command('erase')
    .description('removes it from the dialogue store and the database, and says what it was')
    .requiredOption(...CONFIG)
    .requiredOption('--msisdn <number>', 'whose')
    .option('--keep-opt-out', 'keep the number where it says that no SMS is wanted')
    .action(async (options: import('../privacy.ts').SubscriberOptions) =>
      (await import('../privacy.ts')).eraseCommand(options, say),
    )
}
