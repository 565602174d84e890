/** `contract`: HTTP contracts of applications: list, show, test. */
import type { Command } from 'commander'
import type { Say } from '../arguments.ts'

export function registerContract(program: Command, say: Say): void {
  const contract = program.command('contract').description('HTTP contracts of applications: list, show, test')
  contract
    .command('list')
    .description('lists the contracts')
    .option('--dir <folder>', 'folder of your own contracts')
    .action(async ({ dir }: { dir?: string }) => (await import('../contracts.ts')).listContracts(dir, say))
  contract
    .command('test')
    .description('without --url: tests our side against its kit; with --url: plays a dialogue with an application')
    .argument('<name>', 'a contract')
    .option('--url <url>', 'where the application listens')
    .option('--code <code>', 'the service code to dial', '*384#')
    .option('--msisdn <number>', 'who dials', '67570000001')
    .option('--answers <list>', 'answers, separated by commas', '')
    .option('--dir <folder>', 'folder of your own contracts')
    .action(async (name: string, options: import('../contracts.ts').TestOptions) =>
      (await import('../contracts.ts')).testContract(name, options, say),
    )
}
