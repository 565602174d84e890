/** `reload`: a running daemon reads its settings file again, or says what that would change. */
import type { Command } from 'commander'
import { adminOptions, jsonOption, type Say } from '../arguments.ts'
import type { Reloaded } from '../../admin/index.ts'
import { asJson, askAdmin, type AdminOptions } from '../admin.ts'
import { tableOf } from '../table.ts'

export function registerReload(program: Command, say: Say): void {
  jsonOption(adminOptions(program.command('reload')))
    .description('a running daemon reads its settings file again: what is taken, how, and what needs a restart')
    .option('--dry-run', 'only say what would change, which lines would bind again, and what is wrong; change nothing')
    .option('--instance <name>', 'in which daemon (`ussd-connector status`), or all: each reads its own file')
    .action(async (options: ReloadOptions) => reloadCommand(options, say))
}

export interface ReloadOptions extends AdminOptions {
  dryRun?: boolean
  instance?: string
}

type Done = Reloaded & { instance?: string }

export async function reloadCommand(options: ReloadOptions, say: Say): Promise<void> {
  const where = options.instance === undefined ? '' : `?instance=${encodeURIComponent(options.instance)}`
  const path = `/v1/reload${options.dryRun ? '/check' : ''}${where}`
  const done = await askAdmin<Done | { instances: Done[] }>(options, 'POST', path)
  if (options.json) return say(asJson(done))
  for (const one of 'instances' in done ? done.instances : [done]) sayReloaded(one, options.dryRun === true, say)
}

function sayReloaded(one: Done, isTrial: boolean, say: Say): void {
  if (one.instance !== undefined) say(one.instance)
  for (const what of ['added', 'changed', 'removed', 'kept'] as const)
    if (one[what].length) say(`${what.padEnd(8)} ${one[what].join(' ')}`)
  if (isTrial && one.rebound.length) say(`a new bind is tried for ${one.rebound.join(' ')}`)
  const rows = one.applied.map(({ setting, what, way, why }) => [setting, what, way, why])
  if (rows.length) say(tableOf(['SETTING', 'IS', 'TAKEN', 'AND'], rows).join('\n'))
  for (const { setting, why } of one.needRestart) say(`needs a restart: ${setting}: ${why}`)
  for (const problem of one.problems) say(`flow: ${problem}`)
  if (isTrial) say('nothing was changed')
}
