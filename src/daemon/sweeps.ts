/** The regular look for dialogues whose deadline has passed. */
import type { Runtime } from './runtime.ts'

/** Never twice at once; what it throws is a bug, counted, and not the end. Answers how to stop it. */
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
