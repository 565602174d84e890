/**
 * Reads of a back end that are answered from memory: while they are fresh, and, if the back end fails, while they are
 * still better than nothing. The settings say which operations are reads, or the flow does (`cache`). A call that changes
 * something or has a secret is never cached, and neither is a refusal. (RFC 9111, RFC 5861)
 */
import { abortAfter, TurnoverMap, type Counters } from '../base/index.ts'
import type { Clock, Json, JsonObject } from '../ussd/index.ts'
import { cacheStore, type CacheLimits, type CacheStore } from './cache-store.ts'
import type { Backend, CallContext, CallResult } from './types.ts'

export interface ReadSettings {
  maxAgeSeconds: number
  staleIfErrorSeconds: number
  /** The answer is the same for all subscribers, and the request does not say who asks. */
  shared: boolean
}

export interface CacheSettings extends CacheLimits {
  /** Keyed by operation. */
  reads: Record<string, ReadSettings>
}

/** Of a back end without settings for it: a few answers for each subscriber of a busy minute. */
export const FLOW_CACHE: CacheSettings = { reads: {}, entries: 5_000, octets: 16_777_216 }

export interface CacheDeps {
  clock: Clock
  counters: Counters
  /** The timeout of a call. If there is an old answer, nobody waits longer. */
  timeoutMs: number
  /** How long a call of a patient back end may take altogether. */
  waitMs?: number
}

interface Flight {
  asker: string
  answer: Promise<CallResult>
  /** False: something changed since the request was sent. */
  counts: boolean
}

interface Asked {
  key: string
  /** '' if the answer is the same for everybody. */
  asker: string
  read: ReadSettings
  operation: string
  args: JsonObject
  context: CallContext
}

/**
 * The same back end with cached reads. The cache is in front of the guard: a cached answer costs the back end nothing.
 */
export function cached(backend: Backend, settings: CacheSettings, deps: CacheDeps): Backend {
  const { clock, counters, timeoutMs } = deps
  const store = cacheStore(settings)
  const flights = createFlights(backend, store, deps)

  const count = (operation: string, result: string) =>
    counters.count('backend_cache_total', { backend: backend.name, operation, result })

  /**
   * After a change, reads of this subscriber go to the back end again. After a refused change, shared reads do so too:
   * an old price must not be offered again.
   */
  const forget = (asker: string): void => (flights.leave(asker), store.forget(asker))

  async function past(operation: string, args: JsonObject, context: CallContext): Promise<CallResult> {
    if (!context.once) return backend.call(operation, args, context)
    forget(context.msisdn)
    const result = await backend.call(operation, args, context)
    forget(context.msisdn)
    if (result.is === 'refused') {
      flights.leave('')
      store.outdate('')
    }
    return result
  }

  async function ask(asked: Asked): Promise<CallResult> {
    const { key, operation, context } = asked
    const kept = store.get(key, clock.now())
    if (kept?.isFresh) return (count(operation, 'fresh'), { is: 'data', data: kept.data })
    const joined = flights.get(key)
    const result = await waited(
      (joined ?? flights.fly(asked)).answer,
      context.signal,
      kept ? { clock, timeoutMs } : undefined,
    )
    // Looked up again: a change may have invalidated it meanwhile.
    const old = isAway(result) ? store.get(key, clock.now()) : undefined
    count(operation, old ? 'stale' : result.is !== 'data' ? result.is : joined ? 'joined' : 'fetched')
    return old ? { is: 'data', data: old.data } : result
  }

  return {
    name: backend.name,
    ...(backend.patience ? { patience: backend.patience } : {}),
    async call(operation, args, context) {
      const read = readOf(operation, context.cache, settings)
      if (!read) return past(operation, args, context)
      if (context.once || context.isSecret || context.settles !== undefined)
        return (count(operation, 'passed'), past(operation, args, context))
      const asker = read.shared ? '' : context.msisdn
      const key = JSON.stringify([operation, asker, context.language, context.line, ordered(args)])
      return ask({ key, asker, read, operation, args, context })
    },
    ended: async (epoch, reason, about) => backend.ended?.(epoch, reason, about),
    forget,
    close: async () => backend.close?.(),
  }
}

/** The settings go before the flow: who runs the daemon knows how often a back end may be asked. */
function readOf(
  operation: string,
  flow: CallContext['cache'],
  { reads }: Pick<CacheSettings, 'reads'>,
): ReadSettings | undefined {
  if (Object.hasOwn(reads, operation)) return reads[operation]
  return flow && { ...flow, shared: false }
}

/** Running requests: their answers go into the store. */
function createFlights(backend: Backend, store: CacheStore, { clock, counters, timeoutMs, waitMs }: CacheDeps) {
  const flights = new TurnoverMap<string, Flight>()

  /** A running request may have been answered before the change: it serves those who wait now, but nobody later. */
  const leave = (asker: string): void => {
    for (const [key, flight] of flights) {
      if (flight.asker !== asker) continue
      flight.counts = false
      flights.delete(key)
    }
  }

  /** One request for all who ask the same. It has its own timeout, even if some of them give up. */
  function fly({ key, asker, read, operation, args, context }: Asked): Flight {
    const begunMs = clock.now()
    const mayTakeMs = context.timeoutMs ?? waitMs ?? timeoutMs
    const { signal, over } = abortAfter(clock, mayTakeMs)
    const nobody = asker === '' ? { msisdn: '', epoch: '' } : {}
    const answer = backend.call(operation, args, {
      ...context,
      ...nobody,
      signal,
      deadlineMs: begunMs + mayTakeMs,
    })
    const flight: Flight = {
      asker,
      counts: true,
      answer: answer.finally(over).then((result) => (land(result), result)),
    }
    const land = (result: CallResult): void => {
      if (flights.get(key) === flight) flights.delete(key)
      if (flight.counts) hear(result, { key, asker, read, begunMs })
    }
    flights.set(key, flight)
    return flight
  }

  function hear(
    result: CallResult,
    { key, asker, read, begunMs }: Pick<Asked, 'key' | 'asker' | 'read'> & { begunMs: number },
  ): void {
    if (result.is === 'failed' && result.why !== 'refused-call') return
    const keep = result.is === 'data' ? (result.keep ?? {}) : {}
    // A refusal is never kept, and the answers that it contradicts are removed.
    if (result.is !== 'data' || (keep.isPrivate && asker === '')) return store.delete(key)
    // Counted from the request: later changes then show within maxAge.
    const freshUntilMs = begunMs + Math.min(read.maxAgeSeconds * 1000, keep.maxAgeMs ?? Infinity)
    const staleUntilMs = freshUntilMs + Math.min(read.staleIfErrorSeconds * 1000, keep.staleIfErrorMs ?? Infinity)
    const gone = store.put(key, result.data, { asker, freshUntilMs, staleUntilMs }, clock.now())
    if (gone > 0) counters.count('limits_total', { limit: 'backend-cache' }, gone)
  }

  return { get: (key: string) => flights.get(key), fly, leave }
}

function isAway(result: CallResult): boolean {
  return result.is === 'failed' && (result.why === 'late' || result.why === 'down')
}

/** The answer, if it comes within the turn; and if there is an old answer, within the timeout. */
async function waited(
  answer: Promise<CallResult>,
  signal: AbortSignal,
  limit?: { clock: Clock; timeoutMs: number },
): Promise<CallResult> {
  let tidy = (): void => undefined
  const late = new Promise<CallResult>((done) => {
    const give = () => done({ is: 'failed', why: 'late', detail: 'no answer in time' })
    const cancel = limit?.clock.after(limit.timeoutMs, give)
    tidy = () => (cancel?.(), signal.removeEventListener('abort', give))
    if (signal.aborted) give()
    else signal.addEventListener('abort', give, { once: true })
  })
  return Promise.race([answer, late]).finally(() => tidy())
}

/** The same arguments in another order are the same arguments. */
function ordered(value: Json): Json {
  if (Array.isArray(value)) return value.map(ordered)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, ordered(item)]),
  )
}
