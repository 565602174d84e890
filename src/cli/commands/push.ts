/** `push`: a screen or a text for a subscriber who has not dialled. */
import type { Command } from 'commander'
import { adminOptions, type Say } from '../arguments.ts'
import type { PushOutcome } from '../../push/index.ts'
import { askAdmin, type AdminOptions } from '../admin.ts'

export function registerPush(program: Command, say: Say): void {
  adminOptions(program.command('push'))
    .description('shows a screen or a text to a subscriber who has not dialled')
    .requiredOption('--msisdn <number>', 'to whom')
    .option('--flow <name>', 'the flow whose first screen is shown; answers go on in it')
    .option('--text <text>', 'or a text that wants no answer')
    .option('--line <name>', 'on which line; default: the first that is bound')
    .option('--language <code>', 'of the flow')
    .option('--sms <text>', 'sent as an SMS if it cannot be shown')
    .action(async (options: PushOptions) => pushCommand(options, say))
}

export interface PushOptions extends AdminOptions {
  msisdn: string
  flow?: string
  text?: string
  line?: string
  language?: string
  sms?: string
}

export async function pushCommand({ url, tokenFile, ...body }: PushOptions, say: Say): Promise<void> {
  const told = await askAdmin<PushOutcome>(
    { url, ...(tokenFile === undefined ? {} : { tokenFile }) },
    'POST',
    '/v1/push',
    body,
  )
  const means = NOT_SHOWN[told.is]
  say([told.is, told.epoch, means, told.sms ? 'an SMS goes out instead' : undefined].filter(Boolean).join('  '))
}

/** What stands behind the word of an outcome (docs/SMS.md), for whoever typed the command. */
const NOT_SHOWN: Record<string, string> = {
  busy: 'the subscriber is in a dialogue of ours',
  absent: 'the network refused: the handset is off, away or busy elsewhere',
  later: 'the network is too busy now',
  unsupported: 'the network, or the dialect of the line, lets us not begin',
  'bad-number': 'the network refused the number for good',
  unsent: 'no line is bound (ussd-connector lines), or it was too late',
  unknown: 'no response in time: it may stand on the handset',
  'no-flow': 'there is no such flow (ussd-connector flow status names those that there are)',
}
