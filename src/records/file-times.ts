/** When each partner got its last file, and when the next is due: for metrics, and an alert on files that are late. */
import type { Metrics } from '../base/index.ts'
import type { Clock } from '../ussd/index.ts'

export interface FileTimes {
  /** The last file of this partner was cut at this moment, and is written. */
  wrote(partner: string, cutMs: number): void
  /** The same, where nothing is known yet: another daemon wrote it, or this one before its restart. */
  found(partner: string, cutMs: number): void
  /** Another daemon writes: its figures count. */
  isOthers(): void
  all(): { partner: string; lastMs: number | null; dueMs: number }[]
}

/** From the start on each partner has a file that is due, so that files that never come are late, too. */
export function createFileTimes(partners: readonly string[], everyMs: number, clock: Pick<Clock, 'now'>): FileTimes {
  const times = new Map<string, { lastMs: number | null; dueMs: number }>()
  const dueAfter = (ms: number) => (Math.floor(ms / everyMs) + 1) * everyMs
  for (const partner of partners) times.set(partner, { lastMs: null, dueMs: dueAfter(clock.now()) })
  const wrote: FileTimes['wrote'] = (partner, cutMs) => times.set(partner, { lastMs: cutMs, dueMs: dueAfter(cutMs) })
  return {
    wrote,
    found(partner, cutMs) {
      if ((times.get(partner)?.lastMs ?? null) === null) wrote(partner, cutMs)
    },
    isOthers: () => times.clear(),
    all: () => [...times].map(([partner, one]) => ({ partner, ...one })),
  }
}

export function showFileTimes(times: FileTimes, metrics: Pick<Metrics, 'gauges'>): void {
  const seconds = (ms: number) => Math.floor(ms / 1_000)
  metrics.gauges(
    'records_file_last_seconds',
    'When the last file of call detail records of a partner was cut, in Unix time; of the daemon that writes them',
    ['partner'],
    () =>
      times
        .all()
        .flatMap(({ partner, lastMs }) => (lastMs === null ? [] : [{ labels: { partner }, value: seconds(lastMs) }])),
  )
  metrics.gauges(
    'records_file_due_seconds',
    'When the next file of a partner is due, in Unix time; in the past: it is late',
    ['partner'],
    () => times.all().map(({ partner, dueMs }) => ({ labels: { partner }, value: seconds(dueMs) })),
  )
}
