/** The regular look for dialogues whose deadline has passed. */
import type { Runtime } from './runtime.ts'

/**
 * Never runs twice at the same time. An exception is a bug: it is counted, and sweeps continue. Returns a function that
 * stops it.
 */
export function startSweeps({ clock, settings, metrics, log }: Runtime, sweep: () => Promise<unknown>): () => void {
  let stopped = false
  let cancel = (): void => undefined
  const again = () => {
    cancel = clock.after(settings.dialogue.sweepMs, () => {
      sweep()
        .catch((error: unknown) => {
          metrics.count('bugs_total', { where: 'sweep' })
          log.error({ err: error }, 'sweep failed')
        })
        .finally(() => {
          if (!stopped) again()
        })
    })
  }
  again()
  return () => {
    stopped = true
    cancel()
  }
}
