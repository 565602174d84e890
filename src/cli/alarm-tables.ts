/** Alarms and silences as tables: of `alarms` and `status`. */
import type { AlarmsTold, FleetAlarmRow } from '../admin/index.ts'
import { tableOf } from './table.ts'

/** As it comes over the wire. */
export type SaidSilence = Omit<AlarmsTold['silences'][number], 'until'> & { until: string }

export function alarmTable(alarms: readonly FleetAlarmRow[]): string[] {
  const rows = alarms.map(({ severity, alarm, subject, instance, since, why, silenced }) => [
    silenced ? `${severity} (silenced)` : severity,
    alarm,
    subject,
    instance,
    since,
    why,
  ])
  return tableOf(['SEVERITY', 'ALARM', 'SUBJECT', 'DAEMON', 'SINCE', 'WHY'], rows)
}

export function silenceTable(silences: readonly SaidSilence[]): string[] {
  const rows = silences.map(({ id, line, until, asked_by: by, note }) => [id, line ?? 'everything', until, by, note])
  return tableOf(['SILENCE', 'LINE', 'UNTIL', 'BY', 'NOTE'], rows)
}
