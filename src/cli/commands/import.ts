/** `flow import`, and `import`, which the help does not list: imports a journey of ussd-engine as a flow. */
import type { Command } from 'commander'
import type { Say } from '../arguments.ts'

export function registerImport(program: Command, say: Say): void {
  importCommand(program.command('import', { hidden: true }), say)
}

export const importCommand = (command: Command, say: Say) =>
  command
    .description('makes a flow from a journey of ussd-engine, and lists what it could not carry over')
    .argument('<journey>', 'YAML file')
    .option('--out <folder>', 'folder to write the flow to', './flows')
    .option('--name <name>', 'name of the flow; default: that of the file')
    .option('--backend <name>', 'back end for its requests and functions; default: the name of the flow')
    .option('--force', 'overwrite an existing flow')
    .action(async (path: string, options: import('../flows/import.ts').ImportOptions) =>
      (await import('../flows/import.ts')).importFlow(path, options, say),
    )
