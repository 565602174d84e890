/** Tells of work on outside data that held the event loop too long: a metric, and now and then a log line. */
import { createRates, type Log, type Metrics, STRETCH_MS_MAX, watchStretches } from '../base/index.ts'
import type { Clock } from '../ussd/index.ts'

/** How often one place is logged. */
const LOGGED_EACH_MS = 60_000
/** More than there are places. */
const PLACES_MAX = 100

/** Returns a function that ends it. */
export function startStretchWatch(deps: { clock: Clock; metrics: Metrics; log: Log }): () => Promise<void> {
  const { clock, metrics, log } = deps
  const rates = createRates({ perSecond: 1_000 / LOGGED_EACH_MS, burst: 1, keysMax: PLACES_MAX })
  const stop = watchStretches((where, ms) => {
    metrics.count('slow_stretches_total', { where })
    if (rates.take(where, clock.now()))
      log.warn({ where, ms: Math.round(ms), limitMs: STRETCH_MS_MAX }, 'one piece of work held the event loop')
  })
  return async () => stop()
}
