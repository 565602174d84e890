/**
 * The pace of a line's SMS lane: a rate that is cut when the SMSC throttles and recovers step by step. USSD has no
 * pace.
 */
import { monotonicClock } from '../../base/index.ts'
import { statusPolicy, type Clock } from '../../ussd/index.ts'

export interface PaceSettings {
  /** SMS per second over all binds of the line. Absent: as fast as the window allows. */
  perSecond?: number
  /** Pause after ESME_RTHROTTLED before the next SMS. 1 s is what Kannel does, and SMSCs count by the second. */
  pauseMs: number
  /** Whether the status says that we send too fast. Default: ESME_RTHROTTLED alone does. */
  throttles?: (status: number) => boolean
}

const SECOND_MS = 1_000
const CONGESTION_NEAR = 90
/** The share of what was written in the throttled second: just below what the SMSC accepts. */
const CUT_TO = 0.9
/**
 * In each second of recovery the step grows by this part of the cut rate. So the rate stays near the accepted rate for
 * some ten seconds (cutting it to half would leave the SMSC idle) and doubles after half a minute. Together with the
 * pause after each cut, this uses 85 % of a fixed limit. (After CUBIC, RFC 9438 §4.)
 */
const STEP = 0.003
const CONGESTED = 100

/**
 * A token bucket. A throttle cuts its rate by a part; then the rate grows faster and faster. It has no timers: callers
 * ask how long to wait.
 */
export class Pace {
  #settings: PaceSettings
  readonly #now: () => number
  #rate: number
  #tokens = 1
  #filledAt: number
  #pausedUntil = 0
  /** The rate at which the SMSC last throttled. 0: never. */
  #cut = 0
  /** Seconds of recovery since the last cut. */
  #steps = 0
  #recoveredAt = 0
  #slowedAt = -Infinity
  #secondAt: number
  #inSecond = 0
  #lastSecond = 0

  constructor(settings: PaceSettings, clock: Clock) {
    this.#settings = settings
    this.#now = monotonicClock(clock)
    this.#rate = this.#ceiling()
    this.#filledAt = this.#secondAt = this.#now()
  }

  /** Another highest rate. What the SMSC throttled meanwhile still counts. */
  change(perSecond: number | undefined): void {
    if (perSecond === this.#settings.perSecond) return
    const { perSecond: _before, ...rest } = this.#settings
    this.#settings = perSecond === undefined ? rest : { ...rest, perSecond }
    this.#rate = this.#cut ? Math.min(this.#rate, this.#ceiling()) : this.#ceiling()
  }

  /** Milliseconds until one more SMS may be written; 0: now. */
  waitMs(): number {
    const now = this.#now()
    if (now < this.#pausedUntil) return this.#pausedUntil - now
    this.#recover(now)
    if (this.#rate === Infinity) return 0
    // A tenth of a second of tokens may go at once: timers are not finer than that.
    const gained = ((now - this.#filledAt) * this.#rate) / SECOND_MS
    this.#tokens = Math.min(Math.max(1, this.#rate / 10), this.#tokens + gained)
    this.#filledAt = now
    return this.#tokens >= 1 ? 0 : Math.ceil(((1 - this.#tokens) * SECOND_MS) / this.#rate)
  }

  /** One SMS was written. */
  spend(): void {
    this.#roll(this.#now())
    this.#inSecond++
    if (this.#rate !== Infinity) this.#tokens--
  }

  /** The SMSC refused a request. */
  refused(status: number): void {
    const throttles = this.#settings.throttles ?? ((is) => statusPolicy(is).sms === 'next-second')
    if (throttles(status)) this.throttled()
  }

  /** The SMSC says that we are too fast. All such answers of one burst count once. */
  throttled(): void {
    const now = this.#now()
    if (now < this.#pausedUntil) return
    this.#cutRate(now)
    this.#pausedUntil = now + this.#settings.pauseMs
    this.#filledAt = this.#recoveredAt = this.#pausedUntil
  }

  /**
   * congestion_state of a response: from 90 the SMSC is near its limit, at 100 it has reached it. From 90 the rate is
   * cut at most once a second; at 100 there is a pause as after ESME_RTHROTTLED. (SMPP v5.0 §4.8.4.18)
   */
  congested(state: number): void {
    if (state < CONGESTION_NEAR) return
    if (state >= CONGESTED) return this.throttled()
    const now = this.#now()
    if (now < this.#pausedUntil || now - this.#slowedAt < SECOND_MS) return
    this.#slowedAt = now
    this.#cutRate(now)
    this.#recoveredAt = now
  }

  /** SMS per second now; Infinity without a limit. */
  rate(): number {
    return this.#rate
  }

  /** Cuts the rate to somewhat less than what was written in a second. */
  #cutRate(now: number): void {
    this.#roll(now)
    const seen = Math.max(this.#inSecond, this.#lastSecond, 2)
    this.#cut = Math.min(this.#rate, seen)
    this.#rate = Math.max(1, this.#cut * CUT_TO)
    this.#steps = 0
    this.#tokens = 1
    this.#filledAt = now
  }

  #recover(now: number): void {
    if (!this.#cut) return
    const steps = Math.floor((now - this.#recoveredAt) / SECOND_MS)
    if (steps <= 0) return
    this.#recoveredAt += steps * SECOND_MS
    for (let n = 0; n < steps && this.#rate < 2 * this.#cut; n++) this.#rate += ++this.#steps * STEP * this.#cut
    // At twice the rate that it refused, the SMSC accepts: its limit has changed.
    if (this.#rate < Math.min(this.#ceiling(), 2 * this.#cut)) return
    this.#rate = this.#ceiling()
    this.#cut = 0
  }

  #roll(now: number): void {
    const seconds = Math.floor((now - this.#secondAt) / SECOND_MS)
    if (seconds <= 0) return
    this.#lastSecond = seconds === 1 ? this.#inSecond : 0
    this.#inSecond = 0
    this.#secondAt += seconds * SECOND_MS
  }

  #ceiling(): number {
    return this.#settings.perSecond ?? Infinity
  }
}
