/** `demo`: the whole chain on this machine. */
import type { Command } from 'commander'
import { parseInteger } from '../arguments.ts'

export function registerDemo(program: Command): void {
  program
    .command('demo')
    .description('runs everything on this machine, nothing to install: daemon, simulator, sample services, web phone')
    .option('--http-port <port>', 'port of the web phone', parseInteger, 8080)
    .option('--data <folder>', 'folder for the embedded stores', './data/demo')
    .action(async (options: { httpPort: number; data: string }) => (await import('../smsc/demo.ts')).demo(options))
}
