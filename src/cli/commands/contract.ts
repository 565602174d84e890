/** `contract`: what applications over HTTP speak. */
import type { Command } from 'commander'
import type { Say } from '../arguments.ts'

export function registerContract(program: Command, say: Say): void {
  const contract = program.command('contract').description('what applications over HTTP speak')
  contract
    .command('list')
    .description('the contracts that come along')
    .option('--dir <folder>', 'profiles of your own')
    .action(async ({ dir }: { dir?: string }) => (await import('../contracts.ts')).listContracts(dir, say))
  contract
    .command('test')
    .description('without --url: our side against its kit; with it: a dialogue with an application')
    .argument('<name>', 'a contract')
    .option('--url <url>', 'where the application listens')
    .option('--code <code>', 'what to dial', '*384#')
    .option('--msisdn <number>', 'who dials', '67570000001')
    .option('--answers <list>', 'answers, separated by commas', '')
    .option('--dir <folder>', 'profiles of your own')
    .action(async (name: string, options: import('../contracts.ts').TestOptions) =>
      (await import('../contracts.ts')).testContract(name, options, say),
    )
}
