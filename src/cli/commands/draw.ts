/** `flow draw`, and `draw`, which the help does not list: a flow as a picture. */
import type { Command } from 'commander'
import { PLUGIN, type Say } from '../arguments.ts'

export function registerDraw(program: Command, say: Say): void {
  drawCommand(program.command('draw', { hidden: true }), say)
}

export const drawCommand = (command: Command, say: Say) =>
  command
    .description('draws the flow as Mermaid text, or as pictures of all its pages')
    .argument('<flow>', 'flow file')
    .option('--html <file>', 'write a storyboard: every page in every language, with the keys and where they lead')
    .option('--svg <file>', 'write a picture of the statechart')
    .option('--xstate <file>', 'write the JSON of an XState machine')
    .option(...PLUGIN)
    .action(async (path: string, options: import('../flows/flows.ts').DrawOptions) =>
      (await import('../flows/flows.ts')).draw(path, options, say),
    )
