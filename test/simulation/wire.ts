/** The way from a process to a store and back: late, refused, or silent, as the weather of that store is. */
import type { Chance } from '../../src/ussd/vocabulary.ts'
import type { Host } from './host.ts'
import type { Scheduler } from './scheduler.ts'

/**
 * up · down: refused, nothing is done · slow: done, perhaps after the caller has given up · unanswered: done, and the
 * answer is lost.
 */
export type Weather = 'up' | 'down' | 'slow' | 'unanswered'

export interface Wire {
  /** What the store is like now. */
  weather: Weather
  /**
   * Has the store do something. `serve` runs there, also if the caller has died meanwhile; what it answers comes back
   * to a caller that lives.
   */
  ask<T>(from: Host, what: string, serve: () => T | Promise<T>): Promise<T>
}

export interface WireManners {
  name: string
  /** An answer later than this is not waited for. */
  timeoutMs: number
  /** Calls of one process arrive in the order that they were made in. */
  isOrdered: boolean
  /** What the client says of a call that it does not know the end of. */
  failure(why: 'refused' | 'lost'): Error
}

const LATENCY_MS = [0.1, 2] as const
const SLOW_MS = 1_200
/** Of the calls in bad weather, those that it hits. */
const HIT = 0.5

export function wire(scheduler: Scheduler, chance: Chance, manners: WireManners): Wire {
  const { name, timeoutMs, isOrdered, failure } = manners
  /** When the last call, and the last answer, of each process arrives. */
  const last = new Map<string, number>()

  const lateMs = (weather: Weather) =>
    LATENCY_MS[0] +
    chance() * (LATENCY_MS[1] - LATENCY_MS[0]) +
    (weather === 'slow' && chance() < HIT ? chance() * SLOW_MS : 0)
  const arriveIn = (way: string, ms: number): number => {
    if (!isOrdered) return ms
    const atMs = Math.max(scheduler.nowMs() + ms, last.get(way) ?? 0)
    last.set(way, atMs)
    return atMs - scheduler.nowMs()
  }
  const self: Wire = {
    weather: 'up',
    ask: (from, what, serve) =>
      new Promise((resolve, reject) => {
        const { weather } = self
        let isOver = false
        const over = (then: () => void) => {
          if (isOver || !from.alive()) return
          isOver = true
          callOff()
          then()
        }
        const callOff = from.after(timeoutMs, `${name} timeout ${from.name}`, () => over(() => reject(failure('lost'))))
        if (weather === 'down') {
          from.after(lateMs('up'), `${name} refused ${from.name}`, () => over(() => reject(failure('refused'))))
          return
        }
        const isLost = weather === 'unanswered' && chance() < HIT
        scheduler.after(arriveIn(`${from.name}>`, lateMs(weather)), `${name} ${from.name} ${what}`, () => {
          // The octets of a dead process may have left its kernel, or not.
          if (!from.alive() && chance() < HIT) return
          const back = (then: () => void) => {
            if (isLost) return
            from.after(arriveIn(`${from.name}<`, lateMs(weather)), `${name} answer ${from.name} ${what}`, () =>
              over(then),
            )
          }
          const served = (async () => serve())()
          served.then(
            (answer) => back(() => resolve(answer)),
            (error: unknown) => back(() => reject(error as Error)),
          )
        })
      }),
  }
  return self
}
