/** What stands before every back end: a limit of calls at once, a breaker, and the counters. */
import type { Log } from '../log-port.ts'
import type { Counters } from '../metrics.ts'
import type { Clock } from '../ussd/types.ts'
import { CLOSED, ask, learn, type Breaker } from './breaker.ts'
import type { Backend, CallResult } from './types.ts'

export interface GuardParts {
  clock: Clock
  counters: Counters
  log: Log
  /** Told how long a call took. */
  onCall?: (seconds: number, backend: string) => void
}

/** Calls of one back end at once; more would only queue behind it until their deadline. */
export const CONCURRENT_MAX = 50

/** The same back end, guarded. Never rejects. */
export function guard(backend: Backend, parts: GuardParts, concurrent = CONCURRENT_MAX): Backend {
  const { name } = backend
  const { clock, counters, log } = parts
  let breaker: Breaker = CLOSED
  let inFlight = 0

  const refusal = (): string | null => {
    if (inFlight >= concurrent) return 'backend-concurrent'
    const asked = ask(breaker, clock.now())
    breaker = asked.breaker
    return asked.goes ? null : 'backend-breaker'
  }

  const hear = (result: CallResult, operation: string): void => {
    const before = breaker
    breaker = learn(breaker, isWell(result), clock.now())
    if (before.openUntilMs === 0 && breaker.openUntilMs > 0) log.error({ backend: name }, 'back end taken for down')
    if (before.openUntilMs > 0 && breaker.openUntilMs === 0) log.info({ backend: name }, 'back end answers again')
    if (result.is !== 'failed') return
    log.warn({ backend: name, operation, why: result.why, detail: result.detail }, 'back end failed')
  }

  return {
    name,
    async call(operation, args, context) {
      const limit = refusal()
      if (limit) {
        counters.count('limits_total', { limit })
        counters.count('backend_calls_total', { backend: name, operation, result: 'down' })
        return { is: 'failed', why: 'down', detail: limit }
      }
      inFlight++
      const begunMs = clock.now()
      try {
        const result = await backend.call(operation, args, context)
        hear(result, operation)
        const outcome = result.is === 'failed' ? result.why : result.is
        counters.count('backend_calls_total', { backend: name, operation, result: outcome })
        return result
      } finally {
        inFlight--
        parts.onCall?.((clock.now() - begunMs) / 1000, name)
      }
    },
    async ended(epoch, reason) {
      try {
        await backend.ended?.(epoch, reason)
      } catch (error) {
        log.warn({ backend: name, error: (error as Error).name }, 'back end did not hear of the end of a dialogue')
      }
    },
    close: async () => backend.close?.(),
  }
}

// A call that it refuses says nothing against its health.
function isWell(result: CallResult): boolean {
  return result.is !== 'failed' || result.why === 'refused-call'
}
