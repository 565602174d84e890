/** The regular jobs of the SMS side. */
import type { Log } from '../../base/index.ts'
import type { Clock } from '../../ussd/index.ts'

interface Repeated {
  start(): void
  stop(): Promise<void>
}

/** If a store is unreachable, the work is done the next time. */
export function repeated(
  everyMs: number,
  run: () => Promise<void>,
  { clock, log }: { clock: Clock; log: Log },
): Repeated {
  let running = Promise.resolve()
  let cancel = (): void => undefined
  let stopped = false
  const again = (): void => {
    cancel = clock.after(everyMs, () => {
      running = run()
        .catch((error: unknown) => log.warn({ err: error }, 'SMS upkeep: a store cannot be reached'))
        .then(() => (stopped ? undefined : again()))
    })
  }
  return {
    start: again,
    async stop() {
      stopped = true
      cancel()
      await running
    },
  }
}
