/** `run`: the daemon. */
import type { Command } from 'commander'
import { CONFIG } from '../arguments.ts'

export function registerRun(program: Command): void {
  program
    .command('run')
    .description('runs the daemon: binds, serves USSD, sends SMS, until SIGTERM')
    .requiredOption(...CONFIG)
    .action(async ({ config }: { config: string }) => (await import('../../daemon/index.ts')).runDaemon(config))
}
