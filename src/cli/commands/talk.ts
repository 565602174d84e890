/** `talk`: plays written conversations against their flows. */
import type { Command } from 'commander'
import { jsonOption, PLUGIN, type Say } from '../arguments.ts'

export function registerTalk(program: Command, say: Say): void {
  jsonOption(program.command('talk'))
    .description('plays talks against their flows; or records a talk that you play by hand')
    .argument('[paths...]', 'talk files or folders; with --record: the flow file', ['./flows'])
    .option('--coverage', 'show the parts of each flow that no talk visits')
    .option(
      '--record <file>',
      'play the flow here, and write the dialogue as a talk, or add it to the talks in that file',
    )
    .option('--title <title>', 'with --record: title of the talk; default: its keys')
    .option(
      '-c, --config <file>',
      'with --record: settings with real back ends, which really act; default: you answer for the back ends',
    )
    .option('--code <code>', 'with --record: the service code; default: that of the settings, else *123#')
    .option('--dial <code>', 'with --record: the text to dial, if longer than the service code')
    .option('--word <word>', 'with --record: in place of a dial, the word by SMS that starts the flow')
    .option('--msisdn <number>', 'with --record: MSISDN that dials', '67570000001')
    .option('--language <code>', 'with --record: language of the subscriber')
    .option(...PLUGIN)
    .action(async (paths: string[], options: import('../flows/flows.ts').TalkOptions) =>
      (await import('../flows/flows.ts')).talk(paths, say, options),
    )
}
