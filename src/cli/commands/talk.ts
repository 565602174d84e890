/** `talk`: written conversations, played against their flows. */
import type { Command } from 'commander'
import { PLUGIN, type Say } from '../arguments.ts'

export function registerTalk(program: Command, say: Say): void {
  program
    .command('talk')
    .description('plays written conversations against their flows; or writes one that is played by hand')
    .argument('[paths...]', 'talk files or folders; with --record: the flow file', ['./flows'])
    .option('--coverage', 'say what of each flow no talk has walked')
    .option(
      '--record <file>',
      'play the flow here, and write what is played as a talk, or add it to the talks of that file',
    )
    .option('--title <title>', 'with --record: of the talk; default: its keys')
    .option(
      '-c, --config <file>',
      'with --record: its back ends answer, and really do what they are asked; default: you answer for them',
    )
    .option('--code <code>', 'with --record: the service code; default: that of the settings, else *123#')
    .option('--dial <code>', 'with --record: what is dialled, if more than the service code')
    .option('--msisdn <number>', 'with --record: who dials', '67570000001')
    .option('--language <code>', 'with --record: of the subscriber')
    .option(...PLUGIN)
    .action(async (paths: string[], options: import('../flows.ts').TalkOptions) =>
      (await import('../flows.ts')).talk(paths, say, options),
    )
}
