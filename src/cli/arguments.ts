/** What several commands share: options of the admin server, and values that are read strictly. */
import { InvalidArgumentError, Option, type Command } from 'commander'

/** Of each command that asks a daemon. USSD_CONNECTOR_TOKEN may hold the token itself (src/cli/admin.ts). */
export const adminOptions = (command: Command) =>
  command
    .addOption(
      new Option('--url <url>', 'admin address of the daemon')
        .env('USSD_CONNECTOR_URL')
        .argParser(httpUrl)
        .default('http://127.0.0.1:8123'),
    )
    .addOption(
      new Option('--token-file <file>', 'file with a token of admin.tokensFile').env('USSD_CONNECTOR_TOKEN_FILE'),
    )

/** Of each command whose answer a program may want. */
export const jsonOption = (command: Command) => command.option('--json', 'the answer as JSON, for programs')

function httpUrl(text: string): string {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text
  throw new InvalidArgumentError('an address such as http://127.0.0.1:8123')
}

export function percent(text: string): number {
  const value = /^\d+(\.\d+)?%?$/.test(text) ? Number.parseFloat(text) : Number.NaN
  if (!(value >= 0 && value <= 100)) throw new InvalidArgumentError('a share such as 10%')
  return value
}

export function collected(text: string, before: string[]): string[] {
  return [...before, text]
}

export function parseInteger(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('a whole number')
  return value
}

/** The options that name an SMSC: see src/cli/smsc/smsc-options.ts. */
export const smsc = (command: Command): Command =>
  command
    .option('--host <host>', 'of the SMSC')
    .option('--port <port>', 'of the SMSC', parseInteger)
    .option('--system-id <id>', 'as given by the operator')
    .option('--password <password>', 'better use --password-file: the process list shows a password')
    .option('--password-file <file>', 'file with the password')
    .option('--system-type <type>', 'as given by the operator')
    .option('--tls', 'speak TLS')
    .option('--ca <file>', 'PEM file of the authority that signed its certificate')
    .option('--servername <name>', 'name in its certificate')
    .option('--cert <file>', 'PEM file of our client certificate')
    .option('--key <file>', 'PEM file of the key of our certificate')
    .option('-c, --config <file>', 'or take all of these from a line of the settings')
    .option('--line <name>', 'which line; default: the first')

/** The settings file. */
export const CONFIG = ['-c, --config <file>', 'settings file'] as const
/** The screen types that a flow needs. */
export const PLUGIN = [
  '--plugin <file>',
  'a file with a type of screen, as in flows.plugins; may be given several times',
  collected,
  [] as string[],
] as const

/** Where a command writes its output: a line of standard output. */
export type Say = (text: string) => void
