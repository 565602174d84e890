/** `wallet`: the sample HTTP back end. */
import type { Command } from 'commander'
import { parseInteger, type Say } from '../arguments.ts'

export function registerWallet(program: Command, say: Say): void {
  program
    .command('wallet')
    .description('the sample HTTP back end of the top-up flow')
    .option('--host <host>', 'address', '127.0.0.1')
    .option('--port <port>', 'port', parseInteger, 8675)
    .action(async (options: { host: string; port: number }) =>
      (await import('../smsc/simulate.ts')).walletCommand(options, say),
    )
}
