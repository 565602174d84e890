/** `sms list`, `send`, `retry`, `cancel` and `replace`: the SMS of a running daemon, over its admin server. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { SmsSummary } from '../../admin/index.ts'
import { adminOptions, jsonOption, parseInteger, type Say } from '../arguments.ts'
import { tableOf } from '../table.ts'
import { asJson, askAdmin, type AdminOptions } from '../admin.ts'

/** As the daemon has them: see src/sms/operator/list.ts. */
const LISTED_STATES = ['failed', 'expired', 'ambiguous', 'submitting', 'due']

export function registerSms(program: Command, say: Say): void {
  const sms = program.command('sms').description('the SMS of a running daemon')
  jsonOption(adminOptions(sms.command('list')))
    .description('lists SMS in one state, or the newest of one subscriber: states and reasons, no texts')
    .option('--msisdn <number>', 'the newest SMS of this subscriber')
    .addOption(
      new Option('--state <state>', 'SMS in this state: failed and expired, the newest first').choices(LISTED_STATES),
    )
    .option('--since <moment>', 'with --state: given up, sent or to leave since: 10:00, 2h, 2026-12-01T10:00')
    .option('--until <moment>', 'with --state: before then')
    .option('--last <n>', 'with --state: how many at most', parseInteger)
    .addOption(new Option('--limit <n>', 'the same, as it was called before').argParser(parseInteger).hideHelp())
    .option('--cursor <cursor>', 'with --state: the next page, as the page before names it')
    .action((options: AdminOptions & ListOptions) => listSms(options, say))
  jsonOption(adminOptions(sms.command('retry')))
    .description('sends an SMS again that failed, expired, or got no response')
    .argument('<id>', 'number of the SMS, as `sms list` shows it')
    .option('--for <duration>', 'it is of use for so long from now: 30m, 2h; needed where its time is over')
    .option('--yes', 'also where the handset may have it already, and would get it twice')
    .action((id: string, options: AdminOptions & RetryOptions) => retryCommand(id, options, say))
  jsonOption(adminOptions(sms.command('send')))
    .description('asks for an SMS, now or later; the same key again replaces it')
    .option('--msisdn <number>', 'who gets it, international digits; needed')
    .addOption(new Option('--to <number>', 'the same, as it was called before').hideHelp())
    .requiredOption('--text <text>', 'the text')
    .option('--key <key>', 'your name of the SMS; default: one is made')
    .option('--at <moment>', 'when, in ISO 8601; without an offset in reminders.zone')
    .option('--in <duration>', 'or so long from now: 90m, 24h, 2d')
    .option('--class <class>', 'otp, transactional, reminder or campaign')
    .option('--line <name>', 'the line; default: any')
    .action((options: AdminOptions & SendOptions) => sendCommand(options, say))
  jsonOption(adminOptions(sms.command('cancel')))
    .description('cancels an SMS')
    .argument('[id]', 'number of the SMS, as `sms list` shows it: of any owner')
    .option('--key <key>', 'in place of the number: its key, if the same token asked for it')
    .action((id: string | undefined, options: AdminOptions & { key?: string }) => cancelCommand(id, options, say))
  jsonOption(adminOptions(sms.command('replace')))
    .description('changes the text of an SMS that was not sent yet, or that waits at the SMSC')
    .argument('<id>', 'number of the SMS, as `sms list` shows it')
    .requiredOption('--text <text>', 'the new text')
    .action((id: string, options: AdminOptions & { text: string }) => replaceCommand(id, options, say))
}

interface ListOptions {
  msisdn?: string
  state?: string
  since?: string
  until?: string
  last?: number
  /** What `last` was called before. */
  limit?: number
  cursor?: string
}

/** Throws UsageError without a subscriber or a state, or with both. */
export async function listSms(
  { msisdn, state, since, until, last, limit = last, cursor, ...options }: AdminOptions & ListOptions,
  say: Say,
): Promise<void> {
  const paging = { since, until, limit: limit === undefined ? undefined : String(limit), cursor }
  const asked = state === undefined ? { msisdn } : { state, ...paging }
  const isOfOne = msisdn !== undefined && state === undefined && Object.values(paging).every((one) => one === undefined)
  if (!isOfOne && (state === undefined || msisdn !== undefined))
    throw new InvalidArgumentError('say --msisdn NUMBER, or --state with --since, --until, --last and --cursor')
  const query = new URLSearchParams(
    Object.entries(asked).filter((one): one is [string, string] => one[1] !== undefined),
  )
  const { sms, next = null } = await askAdmin<{ sms: SmsSummary[]; next?: string | null }>(
    options,
    'GET',
    `/v1/sms?${query}`,
  )
  if (options.json) return say(asJson(state === undefined ? sms : { sms, next }))
  if (sms.length === 0) return say('none')
  say(tableOf(HEAD, sms.map(rowOf)).join('\n'))
  if (next) say(`more: --cursor ${next}`)
}

const HEAD = ['ID', 'SUBSCRIBER', 'KIND', 'STATE', 'LINE', 'PARTS', 'DUE', 'LEFT', 'TRIES', 'WHY']

function rowOf({ id, msisdn, kind, state, line, parts, dueAt, wakeAt, submittedAt, attempts, reason }: SmsSummary) {
  const unsent = wakeAt === null || wakeAt === dueAt ? 'not sent yet' : `leaves ${wakeAt}`
  const left = submittedAt === null ? unsent : `sent ${submittedAt}`
  return [id, msisdn, kind, state, line || '-', String(parts), dueAt, left, String(attempts), reason]
}

interface RetryOptions {
  for?: string
  yes?: boolean
}

/**
 * Where the handset may have it already, a person at a terminal is asked. Throws UsageError with the reason if it is
 * not sent again.
 */
export async function retryCommand(
  id: string,
  { yes = false, for: span, ...options }: AdminOptions & RetryOptions,
  say: Say,
  ask: ((question: string) => Promise<boolean>) | undefined = process.stdin.isTTY ? asked : undefined,
): Promise<void> {
  const send = (mayBeTwice: boolean) =>
    askAdmin<{ is: string }>(options, 'POST', `/v1/sms/${encodeURIComponent(id)}/retry`, {
      mayBeTwice,
      ...(span === undefined ? {} : { for: span }),
    })
  const told = await send(yes).catch(async (error: Error & { is?: string }) => {
    if (error.is !== 'twice' || !ask) throw error
    const isAccepted = await ask(
      'It was sent, and the SMSC did not answer: the handset may have it. Send it again? [y/N] ',
    )
    return isAccepted ? send(true) : { is: 'not sent' }
  })
  say(options.json ? asJson(told) : told.is)
}

async function asked(question: string): Promise<boolean> {
  const { createInterface } = await import('node:readline/promises')
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return /^y(es)?$/i.test((await terminal.question(question)).trim())
  } finally {
    terminal.close()
  }
}

interface SendOptions {
  msisdn?: string
  /** What `msisdn` was called before. */
  to?: string
  text: string
  key?: string
  at?: string
  in?: string
  class?: string
  line?: string
}

/** Throws UsageError with the reason if it is not accepted. */
export async function sendCommand(
  { url, tokenFile, json, msisdn, to = msisdn, ...more }: AdminOptions & SendOptions,
  say: Say,
): Promise<void> {
  if (to === undefined) throw new InvalidArgumentError('say to whom: --msisdn NUMBER')
  const admin = { url, ...(tokenFile === undefined ? {} : { tokenFile }) }
  const told = await askAdmin<Record<string, string>>(admin, 'POST', '/v1/sms', { to, ...more })
  if (json) return say(asJson(told))
  const { is, key, dueAt, wakeAt, moved } = told
  say(
    [is, `key ${key}`, `due ${dueAt}`, moved ? `leaves ${wakeAt}: ${moved}, because of quiet hours` : '']
      .filter(Boolean)
      .join('  '),
  )
}

/** Throws UsageError with the reason if it is too late. */
export async function cancelCommand(
  id: string | undefined,
  { key, ...options }: AdminOptions & { key?: string },
  say: Say,
): Promise<void> {
  if ((id === undefined) === (key === undefined)) throw new InvalidArgumentError('say the number of the SMS, or --key')
  const which = id === undefined ? `?key=${encodeURIComponent(key!)}` : `/${encodeURIComponent(id)}`
  const told = await askAdmin<{ is: string }>(options, 'DELETE', `/v1/sms${which}`)
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
