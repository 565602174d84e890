/** `alarms`: what a running daemon raises; silences for maintenance. */
import type { Command } from 'commander'
import { adminOptions, jsonOption, type Say } from '../arguments.ts'
import type { AlarmsTold } from '../../admin/index.ts'
import { asJson, askAdmin, type AdminOptions } from '../admin.ts'
import { alarmTable, silenceTable, type SaidSilence } from '../alarm-tables.ts'

export function registerAlarms(program: Command, say: Say): void {
  jsonOption(adminOptions(program.command('alarms')))
    .description('shows what somebody should be woken for, in all daemons; silences it for maintenance')
    .option('--silence <duration>', 'no alarms for so long, such as 30m, 2h or 1d; what is raised already stays')
    .option('--line <name>', 'with --silence: only for this line')
    .option('--reason <text>', 'with --silence: why')
    .option('--end <id>', 'end a silence')
    .option('--test', 'send one alarm, and its end, through the log and the web-hook')
    .action(async (options: AlarmsOptions) => alarmsCommand(options, say))
}

export interface AlarmsOptions extends AdminOptions {
  silence?: string
  line?: string
  reason?: string
  end?: string
  test?: boolean
}

export async function alarmsCommand(options: AlarmsOptions, say: Say): Promise<void> {
  const { silence, line, reason, end, test } = options
  if (silence !== undefined) {
    const body = {
      for: silence,
      ...(line === undefined ? {} : { line }),
      ...(reason === undefined ? {} : { note: reason }),
    }
    const begun = await askAdmin<SaidSilence>(options, 'POST', '/v1/alarms/silences', body)
    return say(options.json ? asJson(begun) : silenceTable([begun]).join('\n'))
  }
  if (end !== undefined) {
    const ended = await askAdmin<{ is: string }>(options, 'DELETE', `/v1/alarms/silences/${encodeURIComponent(end)}`)
    return say(options.json ? asJson(ended) : ended.is)
  }
  if (test) {
    const sent = await askAdmin<{ is: string }>(options, 'POST', '/v1/alarms/test')
    const where = "look for it where the web-hook leads, and in the daemon's log"
    return say(options.json ? asJson(sent) : `${sent.is}: ${where}`)
  }
  const told = await askAdmin<Said>(options, 'GET', '/v1/alarms')
  if (options.json) return say(asJson(told))
  const { alarms, silences } = told
  const remedies = new Set(alarms.map(({ alarm, subject, remedy }) => `${alarm} ${subject}: ${remedy}`))
  for (const text of alarms.length === 0 ? ['no alarms'] : [...alarmTable(alarms), ...remedies]) say(text)
  for (const text of silenceTable(silences)) say(text)
}

type Said = Omit<AlarmsTold, 'silences'> & { silences: SaidSilence[] }
