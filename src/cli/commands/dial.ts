/** `dial`: a phone in the terminal. */
import type { Command } from 'commander'
import type { Say } from '../arguments.ts'

export function registerDial(program: Command, say: Say): void {
  program
    .command('dial')
    .description('a phone in the terminal, at a running simulator')
    .argument('<code>', "what to dial, quoted: '*123#'")
    .option('--msisdn <number>', 'who dials', '67570000001')
    .option('--url <url>', 'of the simulator', 'http://127.0.0.1:8080')
    .option('--token-file <file>', 'of a simulator that is not on loopback')
    .option('--answers <list>', 'answers, separated by commas; then no questions are asked')
    .option('--record <file>', 'at the demo: write what was played as a talk, or add it to the talks of that file')
    .action(async (code: string, options: import('../simulate.ts').DialCommandOptions) =>
      (await import('../simulate.ts')).dialCommand(code, options, say),
    )
}
