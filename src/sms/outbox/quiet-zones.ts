/** In which of the zones of SMS it is quiet now, and for how long. A zone is known once an SMS had it. */
import type { Clock } from '../../ussd/index.ts'
import { quietUntil, type QuietHours } from '../terms/index.ts'
import { wallMs } from './statements.ts'

/** The world has some 600; where somebody's rows have more, they are learnt again from time to time. */
const ZONES_MAX = 1_000
const MINUTE_MS = 60_000

export class QuietZones {
  readonly #quietHours: QuietHours | null
  /** Null: it is not quiet there. */
  readonly #untilMs = new Map<string, number | null>()
  #minute = Number.NaN

  constructor(quietHours: QuietHours | null) {
    this.#quietHours = quietHours
  }

  /** From now on `until` tells it. */
  learn(zone: string): void {
    if (this.#untilMs.size >= ZONES_MAX) this.#untilMs.clear()
    this.#untilMs.set(zone, null)
    this.#minute = Number.NaN
  }

  /** Of each zone the end of its quiet hours on the wall clock, or null. */
  until(clock: Clock): Record<string, string | null> {
    const today = clock.today()
    const minute = Math.floor(today / MINUTE_MS)
    if (minute !== this.#minute) {
      this.#minute = minute
      for (const zone of this.#untilMs.keys()) this.#untilMs.set(zone, quietUntil(today, this.#quietHours, zone))
    }
    const all = [...this.#untilMs].map(([zone, ms]) => [zone, ms && new Date(wallMs(ms, clock)).toISOString()])
    return Object.fromEntries(all) as Record<string, string | null>
  }
}
