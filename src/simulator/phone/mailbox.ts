/** Items that arrive at a phone, and callers who wait for one. */
import type { Clock } from '../../ussd/index.ts'

export interface Mailbox<T> {
  put(thing: T): void
  next(withinMs: number, what: string, onLate?: (why: string) => void): Promise<T>
  forget(): void
  fail(why: string): void
}

/** The last few items that nobody took are kept. */
export function mailbox<T>(clock: Clock, errorOf: (why: string) => Error): Mailbox<T> {
  const kept: T[] = []
  const waiting: { take(thing: T): void; fail(why: string): void }[] = []
  return {
    put(thing) {
      const first = waiting.shift()
      if (first) first.take(thing)
      else if (kept.push(thing) > 100) kept.shift()
    },
    next(withinMs, what, onLate) {
      const had = kept.shift()
      if (had !== undefined) return Promise.resolve(had)
      return new Promise((take, reject) => {
        const fail = (why: string): void => reject(errorOf(why))
        const one = {
          take: (thing: T) => (callOff(), take(thing)),
          fail: (why: string) => (callOff(), fail(why)),
        }
        const callOff = clock.after(withinMs, () => {
          waiting.splice(waiting.indexOf(one), 1)
          const why = `the phone waited ${withinMs} ms for ${what}, which did not arrive`
          onLate?.(why)
          fail(why)
        })
        waiting.push(one)
      })
    },
    forget: () => void kept.splice(0),
    fail(why) {
      for (const one of waiting.splice(0)) one.fail(why)
    },
  }
}
