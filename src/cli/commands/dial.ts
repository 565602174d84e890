/** `dial`: a phone in the terminal. */
import type { Command } from 'commander'
import type { Say } from '../arguments.ts'

export function registerDial(program: Command, say: Say): void {
  program
    .command('dial')
    .description('a phone in the terminal, for a running simulator')
    .argument('<code>', "the service code to dial, in quotes: '*123#'")
    .option('--msisdn <number>', 'who dials', '67570000001')
    .option('--url <url>', 'address of the simulator', 'http://127.0.0.1:8080')
    .option('--token-file <file>', 'file with the token of a simulator that is not on loopback')
    .option('--answers <list>', 'answers, separated by commas; the phone then asks nothing')
    .option('--record <file>', 'with the demo: write the dialogue as a talk, or add it to the talks in that file')
    .action(async (code: string, options: import('../smsc/simulate.ts').DialCommandOptions) =>
      (await import('../smsc/simulate.ts')).dialCommand(code, options, say),
    )
}
