/** `check`: flow files, before a daemon sees them. */
import type { Command } from 'commander'
import { PLUGIN, type Say } from '../arguments.ts'

export function registerCheck(program: Command, say: Say): void {
  program
    .command('check')
    .description('checks flow files: keys, names, ways between screens, lengths, languages')
    .argument('[paths...]', 'flow files or folders', ['./flows'])
    .option(...PLUGIN)
    .action(async (paths: string[], options: { plugin?: string[] }) =>
      (await import('../flows.ts')).check(paths, say, options),
    )
}
