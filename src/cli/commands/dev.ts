/** `dev`: for the designer of a flow. */
import type { Command } from 'commander'
import { CONFIG, parseInteger, PLUGIN, type Say } from '../arguments.ts'

export function registerDev(program: Command, say: Say): void {
  program
    .command('dev')
    .description(
      'opens a phone in the browser on your flows: each saved file takes effect at once, with what check finds',
    )
    .argument('[flows]', 'folder of flows, or one flow file; default: that of the settings, else ./flows')
    .option(CONFIG[0], 'settings with real back ends, which really act; default: recorded or synthetic answers')
    .option('--http-port <port>', 'port of the page; default: 8081, or any free port', parseInteger)
    .option(...PLUGIN)
    .action(async (path: string | undefined, options: import('../dev/index.ts').DevOptions) =>
      (await import('../dev/index.ts')).devCommand(path, options, say),
    )
}
