/** `subscriber`: what one subscriber saw and did, and what is kept about him. */
import type { Command } from 'commander'
import type { AdminOptions } from '../admin.ts'
import { adminOptions, CONFIG, jsonOption, type Say } from '../arguments.ts'

export function registerSubscriber(program: Command, say: Say): void {
  const subscriber = program
    .command('subscriber')
    .description('shows what one subscriber saw and did; shows or removes all data')
  jsonOption(adminOptions(subscriber.command('show')))
    .description('shows dialogues step by step, calls of back ends, and SMS, from a running daemon')
    .argument('<number>', 'whose, international digits')
    .option('--since <moment>', 'from then on: 10:00, 2h, 2026-12-01T10:00; default: a day ago')
    .option('--until <moment>', 'up to then; default: now')
    .option('--hash', 'only the hash by which the log names the subscriber')
    .action(async (number: string, options: AdminOptions & import('../subscriber-show.ts').ShowOptions) =>
      (await import('../subscriber-show.ts')).showSubscriber(number, options, say),
    )
  jsonOption(adminOptions(subscriber.command('dialogue')))
    .description('shows one dialogue by its epoch, which stands in each line of the log about it')
    .argument('<epoch>', 'of the dialogue')
    .option('--msisdn <number>', 'whose it is; needed while it is open')
    .action(async (epoch: string, options: AdminOptions & { msisdn?: string }) =>
      (await import('../subscriber-show.ts')).showDialogue(epoch, options, say),
    )
  subscriber
    .command('export')
    .description('shows everything, as JSON')
    .requiredOption(...CONFIG)
    .requiredOption('--msisdn <number>', 'whose')
    .action(async (options: import('../privacy.ts').SubscriberOptions) =>
      (await import('../privacy.ts')).exportCommand(options, say),
    )
  jsonOption(subscriber.command('erase'))
    .description('removes the data from the dialogue store and the database, and reports what it removed')
    .requiredOption(...CONFIG)
    .requiredOption('--msisdn <number>', 'whose')
    .option('--keep-opt-out', 'keep the number in the opt-out list, so that it still gets no SMS')
    .action(async (options: import('../privacy.ts').SubscriberOptions) =>
      (await import('../privacy.ts')).eraseCommand(options, say),
    )
}
