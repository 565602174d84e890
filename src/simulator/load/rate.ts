/** Open loop: turns that fall due at a fixed rate, each for the phone that has been free the longest. */
import type { Clock } from '../../ussd/index.ts'

export interface Rate {
  /** The phone may be given the next turn that falls due. */
  free(index: number): void
  /** Answers how to stop. */
  start(startMs: number): () => void
}

export interface RateDeps {
  clock: Clock
  /** Of a turn that is due at `dueMs`. */
  say(index: number, dueMs: number): void
  isOver(): boolean
}

const LOOK_MS = 2

export function fixedRate(perSecond: number, phones: number, { clock, say, isOver }: RateDeps): Rate {
  const ready = ring(phones)
  return {
    free: ready.push,
    start(startMs) {
      let fallen = 0
      return every(clock, LOOK_MS, () => {
        const due = Math.floor(((performance.now() - startMs) / 1000) * perSecond)
        for (; fallen < due && !isOver(); fallen++) {
          const index = ready.shift()
          if (index < 0) return
          say(index, startMs + ((fallen + 1) / perSecond) * 1000)
        }
      })
    },
  }
}

/** First in, first out, of at most `size` indices, without moving any. */
function ring(size: number): { push(index: number): void; shift(): number } {
  const slots = new Int32Array(size + 1)
  let head = 0
  let tail = 0
  return {
    push(index) {
      slots[tail] = index
      tail = (tail + 1) % slots.length
    },
    shift() {
      if (head === tail) return -1
      const index = slots[head]!
      head = (head + 1) % slots.length
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
