/** `flow import`, and `import`, which the help does not name: a journey of ussd-engine becomes a flow. */
import type { Command } from 'commander'
import type { Say } from '../arguments.ts'

export function registerImport(program: Command, say: Say): void {
  importCommand(program.command('import', { hidden: true }), say)
}

export const importCommand = (command: Command, say: Say) =>
  command
    .description('makes a flow of a journey of ussd-engine, and says what is not as it was')
    .argument('<journey>', 'YAML file')
    .option('--out <folder>', 'where the flow is written', './flows')
    .option('--name <name>', 'of the flow; default: that of the file')
    .option('--backend <name>', 'what its requests and functions become operations of; default: the name of the flow')
    .option('--force', 'overwrite the flow that is there')
    .action(async (path: string, options: import('../import.ts').ImportOptions) =>
      (await import('../import.ts')).importFlow(path, options, say),
    )
