/**
 * The requests that are here, from their arrival to the end of their turn, and how long a dial that comes now would
 * wait behind them. Scarce are the time of our event loop, the slots of the line's window, and what the SMSC takes a
 * second (the cap of the line). Nothing is allocated for a request.
 */
import type { Line } from '../smpp/index.ts'

/** How often the cost of a request is measured. Within it, a busy loop finishes dozens. */
const MEASURE_MS = 250
/** The least of that time that the loop has to work. In a quiet loop, most of the work is for no request. */
const BUSY_SHARE = 0.5
/** The least number of requests in a measurement. */
const DONE_MIN = 20
/** The weight of a new measurement: the last second counts most. */
const WEIGHT = 0.3

export class Backlog {
  readonly #onLine = new Map<string, number>()
  #here = 0
  #done = 0
  /** What a request costs the event loop, in milliseconds. 0: not known, the loop was never busy. */
  #eachMs = 0
  readonly #since = { nowMs: -Infinity, activeMs: 0, done: 0 }

  enter({ name }: Line): void {
    this.#here++
    this.#onLine.set(name, (this.#onLine.get(name) ?? 0) + 1)
  }

  leave({ name }: Line): void {
    this.#here--
    this.#done++
    this.#onLine.set(name, this.#onLine.get(name)! - 1)
  }

  here(): number {
    return this.#here
  }

  /** Whether it is time for another measurement. */
  isDue(nowMs: number): boolean {
    return nowMs - this.#since.nowMs >= MEASURE_MS
  }

  /** `activeMs`: how long the event loop has worked in all. Both times are monotonic. */
  measure(nowMs: number, activeMs: number): void {
    const since = this.#since
    const worked = activeMs - since.activeMs
    const done = this.#done - since.done
    const isBusy = worked >= (nowMs - since.nowMs) * BUSY_SHARE
    if (isBusy && done < DONE_MIN && this.#here >= DONE_MIN && since.nowMs > -Infinity) return
    if (isBusy && done >= DONE_MIN) {
      const eachMs = worked / done
      this.#eachMs = this.#eachMs === 0 ? eachMs : this.#eachMs + (eachMs - this.#eachMs) * WEIGHT
    }
    since.nowMs = nowMs
    since.activeMs = activeMs
    since.done = this.#done
  }

  /**
   * How long a dial on this line would wait for the slowest of these. `behind`: how many of those here come after it.
   */
  waitMs(line: Line, behind = 0): number {
    const loopMs = Math.max(0, this.#here - behind) * this.#eachMs
    const ahead = Math.max(0, (this.#onLine.get(line.name) ?? 0) - behind)
    return Math.max(loopMs, line.waitMs(ahead))
  }

  /** Whether it is the cap of the line that a dial would wait for the longest. */
  isCapped(line: Line): boolean {
    const capMs = line.capWaitMs?.(this.#onLine.get(line.name) ?? 0) ?? 0
    return capMs > 0 && capMs >= this.waitMs(line)
  }
}
