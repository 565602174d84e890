/** `push`: a screen or a text for a subscriber who has not dialled. */
import type { Command } from 'commander'
import { adminOptions, jsonOption, type Say } from '../arguments.ts'
import type { PushOutcome } from '../../push/index.ts'
import { asJson, askAdmin, type AdminOptions } from '../admin.ts'

export function registerPush(program: Command, say: Say): void {
  jsonOption(adminOptions(program.command('push')))
    .description('pushes a screen or a text to a subscriber who has not dialled')
    .requiredOption('--msisdn <number>', 'to whom')
    .option('--flow <name>', 'the flow whose first screen to show; answers go on in this flow')
    .option('--text <text>', 'or a text that needs no answer')
    .option('--line <name>', 'the line to use; default: the first that is bound')
    .option('--language <code>', 'language of the flow')
    .option('--sms <text>', 'text to send as an SMS if the push fails')
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

export async function pushCommand({ url, tokenFile, json, ...body }: PushOptions, say: Say): Promise<void> {
  const told = await askAdmin<PushOutcome>(
    { url, ...(tokenFile === undefined ? {} : { tokenFile }) },
    'POST',
    '/v1/push',
    body,
  )
  if (json) return say(asJson(told))
  const means = NOT_SHOWN[told.is]
  say([told.is, told.epoch, means, told.sms ? 'an SMS goes out instead' : undefined].filter(Boolean).join('  '))
}

/** The meaning of an outcome (docs/SMS.md), for the person who typed the command. */
const NOT_SHOWN: Record<string, string> = {
  busy: 'the subscriber is in another dialogue with us',
  absent: 'the network refused: the handset is off, out of reach or in another call',
  later: 'the network is overloaded: try later',
  unsupported: 'the network, or the dialect of the line, does not allow a push',
  'bad-number': 'the network refused the number: it does not exist or is barred',
  unsent: 'no line is bound (ussd-connector lines), or the time was over',
  unknown: 'no response in time: the handset may show it',
  'no-flow': 'there is no such flow (ussd-connector flow status lists the flows)',
}
