/** `simulate`: an SMSC to bind to. */
import type { Command } from 'commander'
import { parseInteger, type Say } from '../arguments.ts'

export function registerSimulate(program: Command, say: Say): void {
  program
    .command('simulate')
    .description('runs a simulated SMSC to bind to, with a web phone and a terminal phone')
    .option('--host <host>', 'SMPP address', '127.0.0.1')
    .option('--port <port>', 'SMPP port', parseInteger, 2775)
    .option('--http-host <host>', 'address of the web phone', '127.0.0.1')
    .option('--http-port <port>', 'port of the web phone', parseInteger, 8080)
    .option(
      '--http-token-file <file>',
      'file with the token of the web phone; default: none on loopback, else a new token that is printed',
    )
    .option('--dialect <name>', 'dialect profile of the simulated SMSC', 'standard')
    .option('--system-id <id>', 'the only system id that may bind; default: any')
    .option('--password <password>', 'password of that system id; default: any')
    .option('--binds-max <n>', 'most binds of one system id', parseInteger)
    .option(
      '--answer <lane=status...>',
      'statuses to answer with: sms=ESME_RTHROTTLED, ussd=0x14*3 (three times), sms=0x58@20%; says what a daemon then does',
    )
    .action(async (options: import('../smsc/simulate.ts').SimulateCommandOptions) =>
      (await import('../smsc/simulate.ts')).simulateCommand(options, say),
    )
}
