/** `check`: checks flow files before a daemon gets them. */
import type { Command } from 'commander'
import { PLUGIN, type Say } from '../arguments.ts'

export function registerCheck(program: Command, say: Say): void {
  program
    .command('check')
    .description('checks flow files: keys, names, ways between screens, lengths, languages')
    .argument('[paths...]', 'flow files or folders; default: the folder of the settings, else ./flows')
    .option(
      '-c, --config <file>',
      'settings file: also warns where a copied key may confirm, where a regulated line would not send an SMS, and of SMS settings that do nothing',
    )
    .option(...PLUGIN)
    .action(async (paths: string[], options: { plugin?: string[]; config?: string }) =>
      (await import('../flows.ts')).check(paths, say, options),
    )
}
