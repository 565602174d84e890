/** `simulate`: an SMSC to bind to. */
import type { Command } from 'commander'
import { parseInteger, type Say } from '../arguments.ts'

export function registerSimulate(program: Command, say: Say): void {
  program
    .command('simulate')
    .description('an SMSC to bind to, with a web phone and a terminal phone')
    .option('--host <host>', 'SMPP address', '127.0.0.1')
    .option('--port <port>', 'SMPP port', parseInteger, 2775)
    .option('--http-host <host>', 'address of the web phone', '127.0.0.1')
    .option('--http-port <port>', 'port of the web phone', parseInteger, 8080)
    .option(
      '--http-token-file <file>',
      'what the web phone asks for; default: nothing on loopback, else a token that is made and printed',
    )
    .option('--dialect <name>', 'profile to speak, from the other end', 'standard')
    .option('--system-id <id>', 'the only system id let in; default: any')
    .option('--password <password>', 'its password; default: any')
    .option('--binds-max <n>', 'binds of one system id at once', parseInteger)
    .action(async (options: import('../simulate.ts').SimulateCommandOptions) =>
      (await import('../simulate.ts')).simulateCommand(options, say),
    )
}
