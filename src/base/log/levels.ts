/**
 * The level of the log: one for all, another one for a subsystem, and for a limited time everything about one
 * subscriber. What was set by hand ends by itself, and with the process.
 */
import { levels, type Logger } from 'pino'
import type { Clock } from '../../ussd/index.ts'
import { type LogFilter, logFilterOf, maskMsisdn } from './log.ts'
import type { Counters } from '../metrics.ts'

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** The parts of the daemon that write: the field `subsystem` of a line. */
export const SUBSYSTEMS = ['smpp', 'ussd', 'flow', 'backend', 'sms', 'store', 'admin', 'fleet'] as const
export type Subsystem = (typeof SUBSYSTEMS)[number]

/** Somebody looks into a few complaints at once. */
export const FOLLOWED_MAX = 20

export interface LogLevels {
  /** That of the settings, for what nobody set otherwise. */
  level: string
  of(subsystem: Subsystem): Logger
  /** `all`: for subsystems that have none of their own. */
  raise(subsystem: Subsystem | 'all', level: LogLevel, ms: number): void
  /** Everything about this subscriber is written, whatever the level. False: FOLLOWED_MAX are followed. */
  follow(msisdn: string, ms: number): boolean
  /** Back to the level of the settings, and nobody is followed. */
  reset(): void
  rows(): LogLevelRows
}

export interface LogLevelRows {
  level: string
  raised: { subsystem: Subsystem | 'all'; level: LogLevel; until: string }[]
  /** Masked, and the hash by which the log names the number. */
  followed: { msisdn: string; subscriber: string; until: string }[]
}

interface ForNow {
  untilMs: number
  cancel(): void
}

const DEBUG = levels.values.debug!
const valueOf = (level: string) => levels.values[level] ?? Infinity

/** `root`: made by createLog. */
export function createLogLevels(root: Logger, clock: Pick<Clock, 'now' | 'after'>, counters: Counters): LogLevels {
  return new RootLevels(root, clock, counters)
}

class RootLevels implements LogLevels {
  readonly #root: Logger
  readonly #clock: Pick<Clock, 'now' | 'after'>
  readonly #counters: Counters
  readonly #filter: LogFilter
  readonly #children: ReadonlyMap<Subsystem, Logger>
  readonly #raised = new Map<Subsystem | 'all', ForNow & { level: LogLevel }>()
  readonly #followed = new Map<string, ForNow>()
  /** The level of each, as it would be if nobody were followed. */
  readonly #wanted = new Map<Logger, number>()
  #base: string

  constructor(root: Logger, clock: Pick<Clock, 'now' | 'after'>, counters: Counters) {
    this.#root = root
    this.#clock = clock
    this.#counters = counters
    this.#filter = logFilterOf(root)
    this.#children = new Map(SUBSYSTEMS.map((subsystem) => [subsystem, root.child({ subsystem })]))
    this.#base = root.level
    this.#apply()
  }

  get level(): string {
    return this.#base
  }

  set level(next) {
    this.#base = next
    this.#apply()
  }

  of(subsystem: Subsystem): Logger {
    return this.#children.get(subsystem)!
  }

  raise(subsystem: Subsystem | 'all', level: LogLevel, ms: number): void {
    this.#raised.get(subsystem)?.cancel()
    this.#raised.set(subsystem, { level, ...this.#forNow(ms, () => this.#raised.delete(subsystem)) })
    this.#apply()
  }

  follow(msisdn: string, ms: number): boolean {
    if (!this.#followed.has(msisdn) && this.#followed.size >= FOLLOWED_MAX) {
      this.#counters.count('limits_total', { limit: 'log_followed_max' })
      return false
    }
    this.#followed.get(msisdn)?.cancel()
    this.#followed.set(
      msisdn,
      this.#forNow(ms, () => this.#followed.delete(msisdn)),
    )
    this.#apply()
    return true
  }

  reset(): void {
    for (const { cancel } of [...this.#raised.values(), ...this.#followed.values()]) cancel()
    this.#raised.clear()
    this.#followed.clear()
    this.#apply()
  }

  rows(): LogLevelRows {
    const at = ({ untilMs }: ForNow) => new Date(untilMs).toISOString()
    return {
      level: this.#base,
      raised: [...this.#raised].map(([subsystem, one]) => ({ subsystem, level: one.level, until: at(one) })),
      followed: [...this.#followed].map(([msisdn, one]) => ({
        msisdn: maskMsisdn(msisdn),
        subscriber: this.#filter.hash(msisdn),
        until: at(one),
      })),
    }
  }

  #forNow(ms: number, end: () => void): ForNow {
    const cancel = this.#clock.after(ms, () => {
      end()
      this.#apply()
    })
    return { untilMs: this.#clock.now() + ms, cancel }
  }

  #apply(): void {
    for (const [subsystem, logger] of [['all', this.#root] as const, ...this.#children]) {
      const level = (this.#raised.get(subsystem) ?? this.#raised.get('all'))?.level ?? this.#base
      this.#wanted.set(logger, valueOf(level))
      logger.level = this.#followed.size > 0 && valueOf(level) > DEBUG ? 'debug' : level
    }
    this.#filter.isWanted = this.#followed.size === 0 ? undefined : this.#isWanted
  }

  readonly #isWanted = (logger: Logger, level: number, fields: unknown): boolean => {
    if (level >= (this.#wanted.get(logger) ?? this.#wanted.get(this.#root)!)) return true
    const { msisdn } = (fields ?? {}) as { msisdn?: unknown }
    return typeof msisdn === 'string' && this.#followed.has(msisdn)
  }
}
