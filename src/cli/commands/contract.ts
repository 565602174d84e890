/** `contract`: HTTP contracts of applications: list, show, test. */
import type { Command } from 'commander'
import { jsonOption, type Say } from '../arguments.ts'

export function registerContract(program: Command, say: Say): void {
  const contract = program.command('contract').description('HTTP contracts of applications: list, show, test')
  jsonOption(contract.command('list'))
    .description('lists the contracts, and where each is described in public')
    .option('--dir <folder>', 'folder of your own contracts')
    .action(async (options: { dir?: string; json?: boolean }) =>
      (await import('../flows/contracts.ts')).listContracts(options, say),
    )
  contract
    .command('test')
    .description('without --url: tests our side against its kit; with --url: plays a dialogue with an application')
    .argument('<name>', 'a contract')
    .option('--url <url>', 'where the application listens')
    .option('--code <code>', 'the service code to dial', '*384#')
    .option('--msisdn <number>', 'who dials', '67570000001')
    .option('--account <name>', 'the account that nalo and arkesel send; default: the bare code')
    .option('--network <name>', 'the operator in the words of the contract, such as 3 for moolre; default: test')
    .option('--answers <list>', 'answers, separated by commas', '')
    .option('--dir <folder>', 'folder of your own contracts')
    .action(async (name: string, options: import('../flows/contracts.ts').TestOptions) =>
      (await import('../flows/contracts.ts')).testContract(name, options, say),
    )
}
