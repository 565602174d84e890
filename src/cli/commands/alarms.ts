/** `alarms`: what a running daemon raises; silences for maintenance. */
import type { Command } from 'commander'
import { adminOptions, jsonOption, type Say } from '../arguments.ts'
import type { AlarmsTold } from '../../admin/index.ts'
import type { SilenceRow } from '../../watch/index.ts'
import { asJson, askAdmin, type AdminOptions } from '../admin.ts'

export function registerAlarms(program: Command, say: Say): void {
  jsonOption(adminOptions(program.command('alarms')))
    .description('shows what somebody should be woken for; silences it for maintenance')
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
    return say(options.json ? asJson(begun) : silenceSaid(begun))
  }
  if (end !== undefined) {
    await askAdmin(options, 'DELETE', `/v1/alarms/silences/${encodeURIComponent(end)}`)
    return say('ended')
  }
  if (test) {
    await askAdmin(options, 'POST', '/v1/alarms/test')
    return say("sent: look for it where the web-hook leads, and in the daemon's log")
  }
  const told = await askAdmin<Said>(options, 'GET', '/v1/alarms')
  if (options.json) return say(asJson(told))
  const { alarms, silences } = told
  if (alarms.length === 0) say('no alarms')
  for (const one of alarms) {
    const held = one.silenced ? '  (silenced)' : ''
    say(`${one.severity.padEnd(9)} ${one.alarm.padEnd(12)} ${one.subject}  since ${one.since}  ${one.why}${held}`)
    say(`          ${one.remedy}`)
  }
  for (const one of silences) say(silenceSaid(one))
}

type SaidSilence = Omit<SilenceRow, 'until'> & { until: string }
type Said = Omit<AlarmsTold, 'silences'> & { silences: SaidSilence[] }

function silenceSaid({ id, line, until, asked_by: by, note }: SaidSilence): string {
  return [`silence ${id}`, line ?? 'everything', `until ${until}`, by, note].filter(Boolean).join('  ')
}
