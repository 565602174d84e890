/** Lines that close: they answer their open requests first, then they unbind. */
import type { LinesDeps, Running } from './running.ts'

export interface Departures {
  /** Resolves when the line is gone. */
  leave(old: Running): Promise<void>
  /** Closes it while the daemon keeps running. */
  retire(old: Running): void
  all(): Iterable<Running>
  /** Resolves when all retired lines are gone. */
  over(): Promise<unknown>
}

/** How often to check whether all requests are answered. */
const LOOK_MS = 20

export function createDepartures({ settings, clock, log }: LinesDeps): Departures {
  const leaving = new Map<Running, Promise<void>>()
  const pause = () => new Promise<void>((done) => clock.after(LOOK_MS, done))

  async function leave(old: Running): Promise<void> {
    const untilMs = clock.now() + settings.stopMs
    while (old.underWay > 0 && clock.now() < untilMs) await pause()
    await old.line.stop(untilMs)
  }

  return {
    leave,
    retire(old) {
      const gone = leave(old)
        .catch((error: unknown) => log.error({ err: error, line: old.settings.name }, 'a line did not stop'))
        .finally(() => leaving.delete(old))
      leaving.set(old, gone)
    },
    all: () => leaving.keys(),
    over: () => Promise.all(leaving.values()),
  }
}
