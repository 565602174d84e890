/** `sms list` and `sms replace`: the SMS of a running daemon, over its admin server. */
import type { Command } from 'commander'
import type { SmsSummary } from '../../admin/index.ts'
import { adminOptions, type Say } from '../arguments.ts'
import { askAdmin, type AdminOptions } from '../admin.ts'

export function registerSms(program: Command, say: Say): void {
  const sms = program.command('sms').description('the SMS of a running daemon')
  adminOptions(sms.command('list'))
    .description('lists the newest SMS of one subscriber: states, no texts')
    .requiredOption('--msisdn <number>', 'whose')
    .action((options: AdminOptions & { msisdn: string }) => listSms(options, say))
  adminOptions(sms.command('replace'))
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
  if (!sms.length) say('none')
  for (const { id, kind, state, line, parts, dueAt, submittedAt } of sms) {
    const left = submittedAt === null ? 'not sent yet' : `sent ${submittedAt}`
    const what = `${id.padEnd(8)} ${kind.padEnd(13)} ${state.padEnd(10)} ${(line || '-').padEnd(12)}`
    say(`${what} ${parts} part${parts === 1 ? ' ' : 's'}  due ${dueAt}  ${left}`)
  }
}

/** What cannot be replaced is a UsageError with why. */
export async function replaceCommand(
  id: string,
  { text, ...options }: AdminOptions & { text: string },
  say: Say,
): Promise<void> {
  const { is } = await askAdmin<{ is: string }>(options, 'POST', `/v1/sms/${encodeURIComponent(id)}/replace`, { text })
  say(is)
}
