/** `dialogues`: the dialogues of one subscriber. */
import type { Command } from 'commander'
import { adminOptions, type Say } from '../arguments.ts'
import type { DialogueSummary } from '../../admin/index.ts'
import { askAdmin, type AdminOptions } from '../admin.ts'

export function registerDialogues(program: Command, say: Say): void {
  adminOptions(program.command('dialogues'))
    .description('shows the dialogues of one subscriber in a running daemon: states, no texts')
    .requiredOption('--msisdn <number>', 'whose')
    .option('--end', 'end the open ones, with this text')
    .action(async (options: { url: string; tokenFile?: string; msisdn: string; end?: boolean }) =>
      dialoguesCommand(options, say),
    )
}

export async function dialoguesCommand(
  options: AdminOptions & { msisdn: string; end?: boolean },
  say: Say,
): Promise<void> {
  const path = `/v1/dialogues?msisdn=${encodeURIComponent(options.msisdn)}`
  const { dialogues } = await askAdmin<{ dialogues: DialogueSummary[] }>(options, 'GET', path)
  if (!dialogues.length) say('none')
  for (const one of dialogues) say(sentence(one))
  if (!options.end) return
  for (const one of dialogues.filter((dialogue) => dialogue.ended === null)) {
    const at = `/v1/dialogues/${encodeURIComponent(one.group)}/${encodeURIComponent(options.msisdn.replace(/^\+/, ''))}`
    await askAdmin(options, 'DELETE', at)
    say(`ended    ${one.group} ${one.epoch}`)
  }
}

function sentence(one: DialogueSummary): string {
  const since = new Date(one.openedMs).toISOString()
  const state = one.ended === null ? one.status : `ended (${one.ended})`
  return `${one.group}  ${one.msisdn}  ${state}  ${one.flow || '-'}  turn ${one.turn}  since ${since}  ${one.epoch}`
}
