/** `check`: checks flow files before a daemon gets them. */
import type { Command } from 'commander'
import { PLUGIN, type Say } from '../arguments.ts'
import type { CheckOptions } from '../check/check.ts'

export function registerCheck(program: Command, say: Say): void {
  program
    .command('check')
    .description('checks flow files: keys, names, ways between screens, lengths, languages')
    .argument(
      '[paths...]',
      'flow files or folders, - for a flow on standard input; default: the folder of the settings, else ./flows',
    )
    .option(
      '-c, --config <file>',
      'settings file: all for which run would refuse it, with its lines; and what its lines and dialects mean for the flows',
    )
    .option('--strict', 'warnings that no flow accepts are errors, too')
    .option('--json', 'print the report as JSON')
    .option('--sarif', 'print the report as SARIF 2.1.0, for the pages of code hosts')
    .option(...PLUGIN)
    .action(async (paths: string[], options: CheckOptions) =>
      (await import('../check/check-stdin.ts')).checkAlso(paths, say, options),
    )
}
