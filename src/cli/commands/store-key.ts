/** `store-key`: the file of keys with which dialogues are encrypted. */
import type { Command } from 'commander'
import type { Say } from '../arguments.ts'

export function registerStoreKey(program: Command, say: Say): void {
  program
    .command('store-key')
    .description('makes the key file that encrypts dialogues (privacy.storeKeyFile)')
    .argument('<file>', 'where')
    .option('--rotate', 'add a new key in front of the others')
    .action(async (file: string, options: { rotate?: boolean }) =>
      (await import('../store-key.ts')).storeKeyCommand(file, options, say),
    )
}
