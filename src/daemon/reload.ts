/** New settings while the daemon runs: lines, texts and the level of the log change; the rest needs a restart. */
import type { Settings } from '../config/index.ts'
import { ProblemsError, UsageError } from '../base/index.ts'
import type { Reloaded } from '../admin/index.ts'
import type { Lines } from './lines/index.ts'
import { longestResponseMs } from '../sms/index.ts'

export interface ReloadDeps {
  settings: Settings
  lines: Lines
  log: { level: string }
  /** Reads the settings again, with all checks. */
  read: () => Settings
}

/**
 * The `changed` lines are tried: `lines.settled()` says which were refused. Throws ProblemsError or UsageError; then
 * nothing has changed.
 */
export function createReload({ settings, lines, log, read }: ReloadDeps): () => Reloaded {
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
      (key) => !QUICK.has(key) && JSON.stringify(restartPart(key, next)) !== JSON.stringify(restartPart(key, settings)),
    )
    return { ...lines.apply(next.lines), applied: applyQuick(), needRestart }

    /** What is read each time that it is needed. */
    function applyQuick(): string[] {
      const applied: string[] = []
      if (next.log.level !== settings.log.level) {
        settings.log.level = log.level = next.log.level
        applied.push('log.level')
      }
      if (JSON.stringify(next.texts) !== JSON.stringify(settings.texts)) {
        Object.assign(settings.texts, next.texts)
        applied.push('texts')
      }
      return applied
    }
  }
}

/** These need none. */
const QUICK: ReadonlySet<keyof Settings> = new Set<keyof Settings>(['lines', 'texts'])

function restartPart(key: keyof Settings, settings: Settings): unknown {
  return key === 'log' ? { ...settings.log, level: '' } : settings[key]
}

/** A reader for a daemon that got its settings directly, not from a file. */
export function noFile(): never {
  throw new UsageError('this daemon was started without a settings file: there is nothing to reload')
}
