/** One timer for whatever is due first. It may ring too early, never too late: who is rung looks what is due. */
import type { Clock } from '../../ussd/index.ts'

/** The longest possible timer. */
const TIMER_MS_MAX = 2 ** 31 - 1

export class Alarm {
  readonly #clock: Clock
  /** Made once: a function that makes one allocates at each call. */
  readonly #ring: () => void
  #atMs = Infinity
  #cancel: (() => void) | undefined

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock
    this.#ring = () => {
      this.#atMs = Infinity
      ring()
    }
  }

  /** Rings at this moment, or before. Wall-clock milliseconds; Infinity: nothing is due. */
  by(atMs: number): void {
    if (atMs >= this.#atMs) return
    this.#cancel?.()
    const now = this.#clock.now()
    this.#atMs = Math.min(Math.max(atMs, now), now + TIMER_MS_MAX)
    this.#cancel = this.#clock.after(this.#atMs - now, this.#ring)
  }

  off(): void {
    this.#cancel?.()
    this.#atMs = Infinity
  }
}
