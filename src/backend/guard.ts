/** In front of every back end: a limit of parallel calls, a circuit breaker, and the counters. */
import { type Log, type Counters, dialogueInLog, monotonicClock, semaphore } from '../base/index.ts'
import type { Clock } from '../ussd/index.ts'
import { bounded } from './bounds.ts'
import { CLOSED, allow, record, type Breaker } from './breaker.ts'
import { Nonsense } from './body.ts'
import type { Backend, CallContext, CallResult } from './types.ts'

export interface GuardDeps {
  clock: Clock
  counters: Counters
  log: Log
  /** Called with how long a call took. */
  onCall?: (seconds: number, backend: string) => void
}

/** Parallel calls of one back end; more calls wait here, in order, not inside the back end. */
export const CONCURRENT_MAX = 50
/** How many calls may wait. Above that, calls fail at once as busy. */
const WAITING_MAX = 1_000

/** The same back end, guarded. Never rejects. `unitsMax`: the most characters of an answer's texts. */
export function guard(backend: Backend, deps: GuardDeps, concurrent = CONCURRENT_MAX, unitsMax?: number): Backend {
  const { name } = backend
  const { clock, counters, log } = deps
  const health = watchedBreaker(name, monotonicClock(clock), log)
  const gate = semaphore(concurrent, WAITING_MAX)

  /** Null: the call may go. It leaves the semaphore when it ends. */
  const refusal = (entered: 'in' | 'full' | 'late'): Refused | null => {
    if (entered === 'full') return { limit: 'backend-waiting', why: 'down' }
    if (entered === 'late') return { limit: 'backend-concurrent', why: 'late' }
    if (health.mayGo()) return null
    gate.leave()
    return { limit: 'backend-breaker', why: 'down' }
  }

  return {
    name,
    ...(backend.patience ? { patience: backend.patience } : {}),
    async call(operation, args, context) {
      const refused = refusal(gate.enterNow() ? 'in' : await gate.enter(context.signal))
      if (refused) {
        counters.count('limits_total', { limit: refused.limit })
        counters.count('backend_calls_total', { backend: name, operation, result: refused.why })
        const { limit, why } = refused
        log.info({ backend: name, operation, why, limit, ...dialogueInLog(context) }, 'back end not asked')
        return { is: 'failed', why: refused.why, detail: refused.limit }
      }
      const begunMs = clock.now()
      try {
        const how = { counters, log, backend: name, operation, context, unitsMax }
        const result = withinBounds(await backend.call(operation, args, context), how)
        health.note(result, operation, context)
        const outcome = result.is === 'failed' ? result.why : result.is
        counters.count('backend_calls_total', { backend: name, operation, result: outcome })
        return result
      } finally {
        gate.leave()
        deps.onCall?.((clock.now() - begunMs) / 1000, name)
      }
    },
    async ended(epoch, reason, about) {
      try {
        await backend.ended?.(epoch, reason, about)
      } catch (error) {
        const whose = dialogueInLog({ msisdn: '', line: '', ...about, epoch })
        log.warn({ backend: name, error: (error as Error).name, ...whose }, 'back end not told that a dialogue ended')
      }
    },
    close: async () => backend.close?.(),
  }
}

/** The circuit breaker of one back end, with its log lines. */
function watchedBreaker(name: string, now: () => number, log: Log) {
  let breaker: Breaker = CLOSED
  return {
    mayGo(): boolean {
      const asked = allow(breaker, now())
      breaker = asked.breaker
      return asked.goes
    },
    note(result: CallResult, operation: string, context: CallContext): void {
      const before = breaker
      breaker = record(breaker, isWell(result), now())
      if (before.openUntilMs === 0 && breaker.openUntilMs > 0)
        log.error({ backend: name }, 'back end is down: calls are refused at once')
      if (before.openUntilMs > 0 && breaker.openUntilMs === 0) log.info({ backend: name }, 'back end answers again')
      if (result.is !== 'failed') return
      const { why, detail } = result
      log.warn({ backend: name, operation, why, detail, ...dialogueInLog(context) }, 'back end failed')
    },
  }
}

interface Bounding extends Pick<GuardDeps, 'counters' | 'log'> {
  backend: string
  operation: string
  context: CallContext
  unitsMax: number | undefined
}

/** Bounds the answer of every kind of back end, so that a flow handles it in bounded time. */
function withinBounds(given: CallResult, { counters, log, ...how }: Bounding): CallResult {
  const { backend, operation, context, unitsMax } = how
  try {
    const { result, cut } = bounded(given, unitsMax)
    if (cut > 0) {
      counters.count('limits_total', { limit: 'backend-text' }, cut)
      log.warn(
        { backend, operation, texts: cut, ...dialogueInLog(context) },
        'texts of a back end were cut: they are longer than any screen shows',
      )
    }
    return result
  } catch (error) {
    if (!(error instanceof Nonsense)) throw error
    counters.count('limits_total', { limit: 'backend-answer' })
    return { is: 'failed', why: 'nonsense', detail: `${operation}: ${error.message}` }
  }
}

interface Refused {
  limit: string
  why: 'down' | 'late'
}

// A refusal does not count as a failure.
function isWell(result: CallResult): boolean {
  return result.is !== 'failed' || result.why === 'refused-call'
}
