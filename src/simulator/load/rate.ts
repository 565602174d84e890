/**
 * Open loop: turns become due by a schedule that never waits for an answer. So if an ESME stalls, every turn that
 * becomes due meanwhile is late, not only the turn that the stall hit. (A closed loop hides this: coordinated
 * omission.)
 */
import type { Chance, Clock } from '../../ussd/index.ts'

export interface Rate {
  /** The phone may get the next turn that becomes due. */
  free(index: number): void
  /** Returns a function that stops it. */
  start(startMs: number): () => void
  /** Ends the schedule: calls `each` for every turn that was due by then and found no free phone. */
  leave(byMs: number, each: (dueMs: number) => void): void
}

export interface RateOptions {
  perSecond: number
  /**
   * Turns become due at random (a Poisson process), each for a random free phone, as with subscribers. Absent: evenly,
   * each for the phone that has been free longest; then all phones are at the same step of their script at the same
   * time.
   */
  chance?: Chance | undefined
  phones: number
}

export interface RateDeps {
  clock: Clock
  /** Milliseconds of a clock that never goes back: that of `startMs` and `dueMs`. */
  nowMs(): number
  /** Called for a turn that is due at `dueMs`. */
  say(index: number, dueMs: number): void
  isOver(): boolean
}

const LOOK_MS = 1

export function openLoop(options: RateOptions, { clock, nowMs, say, isOver }: RateDeps): Rate {
  const { phones, chance } = options
  const ready = chance ? bag(phones, chance) : ring(phones)
  const gap = gapsOf(options)
  let dueMs = Infinity
  return {
    free: ready.put,
    start(startMs) {
      dueMs = startMs + gap()
      return every(clock, LOOK_MS, () => {
        for (const byMs = nowMs(); dueMs <= byMs && !isOver(); dueMs += gap()) {
          const index = ready.take()
          if (index < 0) return
          say(index, dueMs)
        }
      })
    },
    leave(byMs, each) {
      // Where a phone is free, they became due since the last look, and the next look would send them.
      for (; ready.isEmpty() && dueMs <= byMs; dueMs += gap()) each(dueMs)
      dueMs = Infinity
    },
  }
}

/** Milliseconds from one turn to the next. */
function gapsOf({ perSecond, chance }: RateOptions): () => number {
  const meanMs = 1_000 / perSecond
  return chance ? () => -Math.log(1 - chance()) * meanMs : () => meanMs
}

/** Indices of free phones. */
interface Free {
  put(index: number): void
  /** -1: there is none. */
  take(): number
  isEmpty(): boolean
}

/** A first-in first-out queue of at most `size` indices, which moves none of them. */
function ring(size: number): Free {
  const slots = new Int32Array(size + 1)
  let head = 0
  let tail = 0
  return {
    isEmpty: () => head === tail,
    put(index) {
      slots[tail] = index
      tail = (tail + 1) % slots.length
    },
    take() {
      if (head === tail) return -1
      const index = slots[head]!
      head = (head + 1) % slots.length
      return index
    },
  }
}

/** At most `size` indices; takes a random one. */
function bag(size: number, chance: Chance): Free {
  const slots = new Int32Array(size)
  let count = 0
  return {
    isEmpty: () => count === 0,
    put: (index) => void (slots[count++] = index),
    take() {
      if (count === 0) return -1
      const at = Math.floor(chance() * count)
      const index = slots[at]!
      slots[at] = slots[--count]!
      return index
    },
  }
}

export function every(clock: Clock, ms: number, run: () => void): () => void {
  let callOff = clock.after(ms, again)
  function again(): void {
    callOff = clock.after(ms, again)
    run()
  }
  return () => callOff()
}
