/** How what was started stops again: one after the other, the last one first. */
import type { Log } from '../base/index.ts'

export interface StopOrder {
  /** To be called as soon as there is something to stop, so that a start that fails leaves nothing behind. */
  add(stop: () => Promise<unknown>): void
  /** What does not stop is logged, and keeps nothing else from stopping. Idempotent. */
  stopAll(): Promise<void>
}

export function createStopOrder(log: Log): StopOrder {
  const started: (() => Promise<unknown>)[] = []
  let stopping: Promise<void> | undefined

  async function stopAll(): Promise<void> {
    for (const stop of started.splice(0).toReversed()) {
      await stop().catch((error: unknown) => log.error({ err: error }, 'a component did not stop'))
    }
  }

  return {
    add: (stop) => void started.push(stop),
    stopAll: () => (stopping ??= stopAll()),
  }
}
