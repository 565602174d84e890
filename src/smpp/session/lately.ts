/**
 * How many requests were written in the last second, in slots of 10 ms. A request counts until the whole of its slot is
 * more than a second old, and GUARD_SLOTS longer.
 */

const SLOT_MS = 10
/** The network may bring two requests nearer to each other than they left: by a packet or two. */
const GUARD_SLOTS = 2
const SLOTS = 1_000 / SLOT_MS + 1 + GUARD_SLOTS
/** For how long a request counts at most. */
export const COUNTED_MS = SLOTS * SLOT_MS

export class Lately {
  readonly #slots = new Int32Array(SLOTS)
  #at = -Infinity
  #sum = 0

  /** Monotonic milliseconds. */
  add(nowMs: number): void {
    this.#roll(nowMs)
    this.#slots[this.#at % SLOTS]!++
    this.#sum++
  }

  count(nowMs: number): number {
    this.#roll(nowMs)
    return this.#sum
  }

  /** How long until fewer than `most` count; 0: now. Infinity: never. */
  untilBelowMs(most: number, nowMs: number): number {
    this.#roll(nowMs)
    if (most <= 0) return Infinity
    let left = this.#sum
    for (let slot = this.#at - SLOTS + 1; left >= most; slot++) {
      left -= this.#slots[((slot % SLOTS) + SLOTS) % SLOTS]!
      if (left < most) return (slot + SLOTS) * SLOT_MS - nowMs
    }
    return 0
  }

  #roll(nowMs: number): void {
    const slot = Math.floor(nowMs / SLOT_MS)
    if (slot - this.#at >= SLOTS) {
      this.#slots.fill(0)
      this.#sum = 0
      this.#at = slot
    }
    while (this.#at < slot) {
      const over = ++this.#at % SLOTS
      this.#sum -= this.#slots[over]!
      this.#slots[over] = 0
    }
  }
}
