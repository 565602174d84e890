/** Stops what was started, one after the other, in reverse order. */
import type { Log } from '../base/index.ts'

export interface StopOrder {
  /** Call it as soon as something must be stopped: then a failed start leaves nothing behind. */
  add(stop: () => Promise<unknown>): void
  /** If a component does not stop, it is logged, and the others still stop. Idempotent. */
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
