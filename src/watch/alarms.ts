/**
 * Alarms without a monitoring system: what somebody should be woken for. A condition has to last before it is one, and
 * to stay away before it is over, so that a link that flaps wakes nobody each minute.
 */
import { isoOf, monotonicClock, type Log } from '../base/index.ts'
import type { Clock } from '../ussd/index.ts'

export const ALARMS = [
  'line-down',
  'store-down',
  'clock-wrong',
  'certificate',
  'daemon-gone',
  'test-dial',
  'test',
] as const
export type AlarmName = (typeof ALARMS)[number]

/** What is so now. Alarm and subject together are its name. */
export interface AlarmCondition {
  alarm: AlarmName
  /** What it is about: a bind, a store, a certificate, a daemon. */
  subject: string
  /** The line that it belongs to, if it does: a silence may be for one line. */
  line?: string
  severity: 'critical' | 'warning'
  /** Since when, wall clock. Absent: since it was first seen. */
  sinceMs?: number
  /** It need not last: it has been coming for weeks. */
  atOnce?: boolean
  why: string
  remedy: string
}

/** One change of an alarm, as the log and the web-hook have it. */
export interface AlarmTold {
  is: 'raised' | 'over'
  alarm: AlarmName
  subject: string
  line?: string
  severity: 'critical' | 'warning'
  since: string
  at: string
  why: string
  remedy: string
}

/** As `ussd-connector alarms` shows it. */
export type AlarmRow = Omit<AlarmTold, 'is' | 'at'> & { silenced: boolean }

export interface AlarmsDeps {
  clock: Clock
  log: Log
  afterMs: number
  overMs: number
  /** Nobody is to be woken for this line (undefined: for what belongs to no line). */
  isSilenced(line: string | undefined): boolean
  /** To the web-hook. */
  tell(told: AlarmTold): void
}

export interface Alarms {
  /** All that is so now. */
  look(conditions: readonly AlarmCondition[]): void
  /** Raised ones, and those that a silence holds back. */
  rows(): AlarmRow[]
  /** Those that were raised when the daemon ended: they are raised still, and told when they are over. */
  restore(held: readonly { condition: AlarmCondition; since: string }[]): void
  /** Sends one through, to see that it arrives. */
  test(): void
}

interface Known {
  condition: AlarmCondition
  since: string
  /** By a clock that nobody sets. */
  fromMs: number
  goneMs: number | undefined
  isRaised: boolean
  isHeldBack: boolean
}

export function createAlarms({ clock, log, afterMs, overMs, isSilenced, tell }: AlarmsDeps): Alarms {
  const now = monotonicClock(clock)
  const all = new Map<string, Known>()

  function told(is: AlarmTold['is'], { condition, since }: Known): void {
    const { alarm, subject, line, severity, why, remedy } = condition
    const one = { is, alarm, subject, ...(line === undefined ? {} : { line }), severity, since, at: isoOf(clock.now()) }
    if (is === 'over') log.info({ alarm, subject, since }, 'alarm over')
    else log[severity === 'critical' ? 'error' : 'warn']({ alarm, subject, since, why, remedy }, 'alarm')
    tell({ ...one, why, remedy })
  }

  function seen(condition: AlarmCondition): Known {
    const key = keyOf(condition)
    const known = all.get(key)
    const agoMs = condition.sinceMs === undefined ? 0 : Math.max(0, clock.now() - condition.sinceMs)
    const one = known ?? {
      condition,
      since: isoOf(clock.now() - agoMs),
      fromMs: now() - agoMs,
      goneMs: undefined,
      isRaised: false,
      isHeldBack: false,
    }
    Object.assign(one, { condition, goneMs: undefined })
    all.set(key, one)
    return one
  }

  function judge(one: Known): void {
    if (one.isRaised || (now() - one.fromMs < afterMs && !one.condition.atOnce)) return
    one.isHeldBack = isSilenced(one.condition.line)
    if (one.isHeldBack) return
    one.isRaised = true
    told('raised', one)
  }

  return {
    look(conditions) {
      const present = new Set(conditions.map(seen))
      for (const one of present) judge(one)
      for (const [key, one] of all) {
        if (present.has(one)) continue
        one.goneMs ??= now()
        if (one.isRaised && now() - one.goneMs < overMs) continue
        all.delete(key)
        if (one.isRaised) told('over', one)
      }
    },
    restore(held) {
      for (const { condition, since } of held)
        if (!all.has(keyOf(condition))) all.set(keyOf(condition), { ...raised(condition, since), fromMs: now() })
    },
    rows: () => [...all.values()].filter((one) => one.isRaised || one.isHeldBack).map(rowOf),
    test() {
      const since = isoOf(clock.now())
      for (const is of ['raised', 'over'] as const) told(is, raised(TEST, since))
    },
  }
}

const keyOf = ({ alarm, subject }: AlarmCondition) => `${alarm} ${subject}`

function raised(condition: AlarmCondition, since: string): Known {
  return { condition, since, fromMs: 0, goneMs: undefined, isRaised: true, isHeldBack: false }
}

const TEST: AlarmCondition = {
  alarm: 'test',
  subject: 'test',
  severity: 'warning',
  why: 'somebody asked for it',
  remedy: 'nothing to do',
}

function rowOf({ condition, since, isRaised }: Known): AlarmRow {
  const { alarm, subject, line, severity, why, remedy } = condition
  const of = line === undefined ? {} : { line }
  return { alarm, subject, ...of, severity, since, why, remedy, silenced: !isRaised }
}
