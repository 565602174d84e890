/** `store-key`: the file of keys that dialogues are encrypted with. */
import type { Command } from 'commander'
import type { Say } from '../arguments.ts'

export function registerStoreKey(program: Command, say: Say): void {
  program
    .command('store-key')
    .description('makes the file of keys that dialogues are encrypted with (privacy.storeKeyFile)')
    .argument('<file>', 'where')
    .option('--rotate', 'put a new key before those that are in it')
    .action(async (file: string, options: { rotate?: boolean }) =>
      (await import('../store-key.ts')).storeKeyCommand(file, options, say),
    )
}
