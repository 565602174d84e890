/** The end of a daemon in good order: what the SMSC was told that we have is finished before any bind goes. */
import type { Gateway } from '../gateway/index.ts'
import type { Clock } from '../ussd/index.ts'

export interface Drain {
  /** Runs the handler of one request; until it is settled the request is under way. */
  during(handle: () => Promise<void>): Promise<void>
  /**
   * No new dialogues from now on; resolves when nothing is under way here, the replies owed included; at the latest
   * after `withinMs`. Dialogues at rest are not waited for: they go on at the next key, after the restart or on another
   * daemon.
   */
  run(gateway: Gateway, withinMs: number): Promise<void>
}

/** How often it is looked whether all is done: often, for under load no turn is under way for moments only. */
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
