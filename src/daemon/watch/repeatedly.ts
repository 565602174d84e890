/** Something that is done again and again while the daemon runs. */
import type { Clock } from '../../ussd/index.ts'

/** Runs it again and again, never twice at a time. */
export function repeatedly(
  ms: number,
  run: () => Promise<void>,
  { clock, onBug }: { clock: Clock; onBug(error: unknown): void },
) {
  let cancel = (): void => undefined
  let running = Promise.resolve()
  let isStopped = false
  const again = () => {
    cancel = clock.after(ms, () => {
      running = run()
        .catch(onBug)
        .then(() => (isStopped ? undefined : again()))
    })
  }
  return {
    start: again,
    async stop() {
      isStopped = true
      cancel()
      await running
    },
  }
}
