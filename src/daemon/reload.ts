/** New settings while the daemon runs: lines change as in the file; other changes are listed and need a restart. */
import type { Settings } from '../config/index.ts'
import { ProblemsError, UsageError } from '../base/index.ts'
import type { Reloaded } from '../admin/index.ts'
import type { Lines } from './lines/index.ts'
import { longestResponseMs } from '../sms/index.ts'

export interface ReloadDeps {
  settings: Settings
  lines: Lines
  /** Reads the settings again, with all checks. */
  read: () => Settings
}

/**
 * The `changed` lines are tried: `lines.settled()` says which were refused. Throws ProblemsError or UsageError; then
 * nothing has changed.
 */
export function createReload({ settings, lines, read }: ReloadDeps): () => Reloaded {
  const leasedMs = longestResponseMs(settings.lines)
  return () => {
    const next = read()
    const slow = next.lines.find((line) => line.timers.responseMs > leasedMs)
    if (slow && next.lines.some(({ sms }) => sms)) {
      throw new ProblemsError('lines', [
        {
          where: `lines.${slow.name}.timers.responseMs`,
          what: `${slow.timers.responseMs} is longer than reminders.leaseMs (${leasedMs})`,
          remedy: 'restart the daemon, or set a smaller value',
        },
      ])
    }
    const keys = Object.keys(next) as (keyof Settings)[]
    const needRestart = keys.filter(
      (key) => key !== 'lines' && JSON.stringify(next[key]) !== JSON.stringify(settings[key]),
    )
    return { ...lines.apply(next.lines), needRestart }
  }
}

/** A reader for a daemon that got its settings directly, not from a file. */
export function noFile(): never {
  throw new UsageError('this daemon was started without a settings file: there is nothing to reload')
}
