/** The end of a daemon in good order: what the SMSC was told that we have is finished before any bind goes. */
import type { DialogueStore } from '../dialogue/types.ts'
import type { Gateway } from '../gateway.ts'
import type { Clock } from '../ussd/types.ts'

export interface Drain {
  /** Runs the handler of one request; until it is settled the request is under way. */
  during(handle: () => Promise<void>): Promise<void>
  /**
   * No new dialogues from now on; resolves when no dialogue is open and nothing is under way, its replies answered
   * included; at the latest after `withinMs`. Dialogues that rest then go on after the restart, or on another daemon.
   */
  run(gateway: Gateway, dialogues: DialogueStore, withinMs: number): Promise<void>
}

/** How often it is looked whether all is done. */
const LOOK_MS = 100

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
    async run(gateway, dialogues, withinMs) {
      gateway.drain()
      const untilMs = clock.now() + withinMs
      while (clock.now() < untilMs) {
        const open = await dialogues.count().catch(() => 0)
        if (open === 0 && underWay === 0 && gateway.turnsUnderWay() === 0) return
        await new Promise<void>((done) => clock.after(LOOK_MS, done))
      }
    },
  }
}
