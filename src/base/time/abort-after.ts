/**
 * A signal that is aborted after so long, or with another one. `AbortSignal.any` does the same by WeakRefs, which keep
 * what a call has over young collections: docs/WHY.md, "What outlives a young collection".
 */
import type { Clock } from '../../ussd/index.ts'

export interface Cutting {
  signal: AbortSignal
  /** It is no longer needed: it is aborted no more. */
  over(): void
}

export function abortAfter(clock: Pick<Clock, 'after'>, ms: number, by?: AbortSignal): Cutting {
  const own = new AbortController()
  const abort = () => own.abort()
  const cancel = clock.after(ms, abort)
  if (by?.aborted) abort()
  by?.addEventListener('abort', abort, { once: true })
  return {
    signal: own.signal,
    over() {
      cancel()
      by?.removeEventListener('abort', abort)
    },
  }
}

/** For what may take as long as it takes, and only asks whether it is aborted: nobody listens to it. */
export const NEVER_ABORTED: AbortSignal = new AbortController().signal
