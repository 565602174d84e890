/** The ordered end of a daemon: it finishes every message that it acknowledged before a bind goes. */
import type { Gateway } from '../gateway/index.ts'
import type { Clock } from '../ussd/index.ts'

export interface Drain {
  /** Runs the handler of one request, and counts the request as running until it is settled. */
  during(handle: () => Promise<void>): Promise<void>
  /**
   * No new dialogues from now on. Resolves when no request runs and no reply is owed, at the latest after `withinMs`.
   * It does not wait for resting dialogues: they go on at the next key, after the restart or on another daemon.
   */
  run(gateway: Gateway, withinMs: number): Promise<void>
}

/** How often to check whether all is done: often, because under load there are only short moments without a turn. */
const LOOK_MS = 20

export function createDrain(clock: Clock): Drain {
  let underWay = 0
  return {
    async during(handle) {
      underWay++
      try {
        await handle()
      } finally {
        underWay--
      }
    },
    async run(gateway, withinMs) {
      gateway.drain()
      const untilMs = clock.now() + withinMs
      while (clock.now() < untilMs) {
        if (underWay === 0 && gateway.turnsUnderWay() === 0) return
        await new Promise<void>((done) => clock.after(LOOK_MS, done))
      }
    },
  }
}
