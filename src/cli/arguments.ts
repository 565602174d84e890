/** What several commands take: options of the admin door, and values that are read strictly. */
import { InvalidArgumentError, type Command } from 'commander'

export const admin = (command: Command) => command
  .option('--url <url>', "the daemon's admin address", 'http://127.0.0.1:8123')
  .option('--token-file <file>', 'file with a token of admin.tokensFile')

export function percent(text: string): number {
  const value = /^\d+(\.\d+)?%?$/.test(text) ? Number.parseFloat(text) : Number.NaN
  if (!(value >= 0 && value <= 100)) throw new InvalidArgumentError('a share such as 10%')
  return value
}

export function collected(text: string, before: string[]): string[] {
  return [...before, text]
}

export function integer(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('a whole number')
  return value
}
