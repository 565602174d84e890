/** `dialogues`: the dialogues of one subscriber. */
import type { Command } from 'commander'
import { adminOptions, jsonOption, type Say } from '../arguments.ts'
import type { DialogueSummary } from '../../admin/index.ts'
import { tableOf } from '../table.ts'
import { asJson, askAdmin, type AdminOptions } from '../admin.ts'

export function registerDialogues(program: Command, say: Say): void {
  jsonOption(adminOptions(program.command('dialogues')))
    .description('shows the dialogues of one subscriber in a running daemon: states, no texts')
    .requiredOption('--msisdn <number>', 'whose')
    .option('--end', 'end the open ones, with this text')
    .action(async (options: AdminOptions & { msisdn: string; end?: boolean }) => dialoguesCommand(options, say))
}

export async function dialoguesCommand(
  options: AdminOptions & { msisdn: string; end?: boolean },
  say: Say,
): Promise<void> {
  const path = `/v1/dialogues?msisdn=${encodeURIComponent(options.msisdn)}`
  const { dialogues } = await askAdmin<{ dialogues: DialogueSummary[] }>(options, 'GET', path)
  if (options.json) say(asJson(dialogues))
  else if (dialogues.length === 0) say('none')
  else say(tableOf(HEAD, dialogues.map(rowOf)).join('\n'))
  if (!options.end) return
  for (const one of dialogues.filter((dialogue) => dialogue.ended === null)) {
    const at = `/v1/dialogues/${encodeURIComponent(one.group)}/${encodeURIComponent(options.msisdn.replace(/^\+/, ''))}`
    await askAdmin(options, 'DELETE', at)
    if (!options.json) say(`ended    ${one.group} ${one.epoch}`)
  }
}

const HEAD = ['GROUP', 'MSISDN', 'STATE', 'FLOW', 'TURN', 'SINCE', 'EPOCH']

function rowOf(one: DialogueSummary): string[] {
  const since = new Date(one.openedMs).toISOString()
  const state = one.ended === null ? one.status : `ended (${one.ended})`
  return [one.group, one.msisdn, state, one.flow || '-', String(one.turn), since, one.epoch]
}
