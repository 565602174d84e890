/** `config`: the settings in force. */
import type { Command } from 'commander'
import { CONFIG, jsonOption, type Say } from '../arguments.ts'

export function registerConfig(program: Command, say: Say): void {
  jsonOption(program.command('config'))
    .description('shows the settings in force and where each comes from; secrets are masked')
    .requiredOption(...CONFIG)
    .option('--schema', 'print the JSON Schema of the settings instead')
    .action(async ({ config, schema, json }: { config: string; schema?: boolean; json?: boolean }) => {
      const { loadSettings, printSettings, settingsJsonSchema } = await import('../../config/index.ts')
      if (schema) return say(JSON.stringify(settingsJsonSchema(), null, 2))
      say(printSettings(loadSettings(config, process.env), json ? 'json' : 'text'))
    })
}
