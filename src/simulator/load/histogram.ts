/** Latencies in constant memory, whatever the run: to a µs or three digits, whichever is more. */
import { createHistogram } from 'node:perf_hooks'

export interface Latencies {
  count: number
  p50: number
  p95: number
  p99: number
  p999: number
  max: number
}

export interface Histogram {
  add(ms: number): void
  /** All in milliseconds. */
  read(): Latencies
}

const MICROSECONDS = 1_000

export function histogram(): Histogram {
  const held = createHistogram({ figures: 3 })
  let max = 0
  // A percentile is the upper edge of where it falls, which may be over the largest.
  const at = (percent: number) => (held.count === 0 ? 0 : Math.min(held.percentile(percent) / MICROSECONDS, max))
  return {
    add(ms) {
      held.record(Math.max(1, Math.round(ms * MICROSECONDS)))
      max = Math.max(max, ms)
    },
    read: () => ({
      count: held.count,
      p50: at(50),
      p95: at(95),
      p99: at(99),
      p999: at(99.9),
      max,
    }),
  }
}
