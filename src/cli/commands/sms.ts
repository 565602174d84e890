/** `sms list`, `send`, `cancel` and `replace`: the SMS of a running daemon, over its admin server. */
import type { Command } from 'commander'
import type { SmsSummary } from '../../admin/index.ts'
import { adminOptions, jsonOption, type Say } from '../arguments.ts'
import { tableOf } from '../table.ts'
import { asJson, askAdmin, type AdminOptions } from '../admin.ts'

export function registerSms(program: Command, say: Say): void {
  const sms = program.command('sms').description('the SMS of a running daemon')
  jsonOption(adminOptions(sms.command('list')))
    .description('lists the newest SMS of one subscriber: states, no texts')
    .requiredOption('--msisdn <number>', 'whose')
    .action((options: AdminOptions & { msisdn: string }) => listSms(options, say))
  jsonOption(adminOptions(sms.command('send')))
    .description('asks for an SMS, now or later; the same key again replaces it')
    .requiredOption('--to <number>', 'who gets it, international digits')
    .requiredOption('--text <text>', 'the text')
    .option('--key <key>', 'your name of the SMS; default: one is made')
    .option('--at <moment>', 'when, in ISO 8601; without an offset in reminders.zone')
    .option('--in <duration>', 'or so long from now: 90m, 24h, 2d')
    .option('--class <class>', 'otp, transactional, reminder or campaign')
    .option('--line <name>', 'the line; default: any')
    .action((options: AdminOptions & SendOptions) => sendCommand(options, say))
  jsonOption(adminOptions(sms.command('cancel')))
    .description('cancels an SMS that the same token asked for')
    .requiredOption('--key <key>', 'its key')
    .action((options: AdminOptions & { key: string }) => cancelCommand(options, say))
  jsonOption(adminOptions(sms.command('replace')))
    .description('changes the text of an SMS that was not sent yet, or that waits at the SMSC')
    .argument('<id>', 'number of the SMS, as `sms list` shows it')
    .requiredOption('--text <text>', 'the new text')
    .action((id: string, options: AdminOptions & { text: string }) => replaceCommand(id, options, say))
}

export async function listSms(options: AdminOptions & { msisdn: string }, say: Say): Promise<void> {
  const { sms } = await askAdmin<{ sms: SmsSummary[] }>(
    options,
    'GET',
    `/v1/sms?msisdn=${encodeURIComponent(options.msisdn)}`,
  )
  if (options.json) return say(asJson(sms))
  if (sms.length === 0) return say('none')
  const rows = sms.map(({ id, kind, state, line, parts, dueAt, wakeAt, submittedAt }) => {
    const unsent = wakeAt === null || wakeAt === dueAt ? 'not sent yet' : `leaves ${wakeAt}`
    const left = submittedAt === null ? unsent : `sent ${submittedAt}`
    return [id, kind, state, line || '-', String(parts), dueAt, left]
  })
  say(tableOf(['ID', 'KIND', 'STATE', 'LINE', 'PARTS', 'DUE', 'LEFT'], rows).join('\n'))
}

interface SendOptions {
  to: string
  text: string
  key?: string
  at?: string
  in?: string
  class?: string
  line?: string
}

/** Throws UsageError with the reason if it is not accepted. */
export async function sendCommand(
  { url, tokenFile, json, ...body }: AdminOptions & SendOptions,
  say: Say,
): Promise<void> {
  const admin = { url, ...(tokenFile === undefined ? {} : { tokenFile }) }
  const told = await askAdmin<Record<string, string>>(admin, 'POST', '/v1/sms', body)
  if (json) return say(asJson(told))
  const { is, key, dueAt, wakeAt, moved } = told
  say(
    [is, `key ${key}`, `due ${dueAt}`, moved ? `leaves ${wakeAt}: ${moved}, because of quiet hours` : '']
      .filter(Boolean)
      .join('  '),
  )
}

/** Throws UsageError with the reason if it is too late. */
export async function cancelCommand({ key, ...options }: AdminOptions & { key: string }, say: Say): Promise<void> {
  const told = await askAdmin<{ is: string }>(options, 'DELETE', `/v1/sms?key=${encodeURIComponent(key)}`)
  say(options.json ? asJson(told) : told.is)
}

/** Throws UsageError with the reason if an SMS cannot be replaced. */
export async function replaceCommand(
  id: string,
  { text, ...options }: AdminOptions & { text: string },
  say: Say,
): Promise<void> {
  const told = await askAdmin<{ is: string }>(options, 'POST', `/v1/sms/${encodeURIComponent(id)}/replace`, { text })
  say(options.json ? asJson(told) : told.is)
}
