/** The pace of a line's SMS lane: a rate, cut when the SMSC throttles, recovering step by step. USSD has no pace. */
import { monotonicClock } from '../../base/index.ts'
import type { Clock } from '../../ussd/index.ts'

export interface PaceSettings {
  /** SMS a second over all binds of the line; left out: as fast as the window allows. */
  perSecond?: number
  /** Rest after ESME_RTHROTTLED before the next SMS. 1 s: what Kannel does, and SMSCs count by the second. */
  pauseMs: number
}

const SECOND_MS = 1_000
const CONGESTION_NEAR = 90
/** Of what was written in the second that was throttled: just below what the SMSC takes. */
const CUT_TO = 0.9
/**
 * Each second of recovery adds one such part of the cut rate more than the second before: the rate stays near what was
 * taken for some ten seconds, where half of it would leave the SMSC idle, and has doubled after half a minute. With the
 * rest after each cut 85 % of a fixed limit is used. (After CUBIC, RFC 9438 §4.)
 */
const STEP = 0.003
const CONGESTED = 100

/** Token bucket whose rate falls by a part and grows ever faster. It has no timers: callers ask how long to wait. */
export class Pace {
  readonly #settings: PaceSettings
  readonly #now: () => number
  #rate: number
  #tokens = 1
  #filledAt: number
  #pausedUntil = 0
  /** The rate at which the SMSC last throttled. 0: never. */
  #cut = 0
  /** Seconds of recovery since. */
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

  /** Milliseconds until one more SMS may be written; 0: now. */
  waitMs(): number {
    const now = this.#now()
    if (now < this.#pausedUntil) return this.#pausedUntil - now
    this.#recover(now)
    if (this.#rate === Infinity) return 0
    // A tenth of a second may go at once: finer than a timer can be.
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

  /** The SMSC answered ESME_RTHROTTLED. All those of one burst count once. */
  throttled(): void {
    const now = this.#now()
    if (now < this.#pausedUntil) return
    this.#cutRate(now)
    this.#pausedUntil = now + this.#settings.pauseMs
    this.#filledAt = this.#recoveredAt = this.#pausedUntil
  }

  /**
   * congestion_state of a response: from 90 the SMSC nears its limit, at 100 it is there. Slows down, once a second,
   * and rests at 100 as after ESME_RTHROTTLED. (SMPP v5.0 §4.8.4.18)
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

  /** SMS a second now; Infinity where nothing limits it. */
  rate(): number {
    return this.#rate
  }

  /** Somewhat less than was written in a second. */
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
    // At twice the rate that was refused, the SMSC has changed its mind.
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
