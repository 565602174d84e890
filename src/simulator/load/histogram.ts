/** Latencies in constant memory, however long the run: precise to 1 µs or to three digits, whichever is coarser. */
import { createHistogram } from 'node:perf_hooks'

export interface Latencies {
  count: number
  p50: number
  p95: number
  p99: number
  p999: number
  max: number
}

/** How many latencies are at most this long, and longer than those of the bucket before. */
export interface Bucket {
  upToMs: number
  count: number
}

export interface Histogram {
  add(ms: number): void
  /** All in milliseconds. */
  read(): Latencies
  /** For people: from the first bucket with a count to the last. */
  buckets(): Bucket[]
}

const MICROSECONDS = 1_000
const EDGES_MS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, Infinity]

export function histogram(): Histogram {
  const held = createHistogram({ figures: 3 })
  const counts = EDGES_MS.map(() => 0)
  let max = 0
  // A percentile is the upper edge of its bucket, which may be above the largest value.
  const at = (percent: number) => (held.count === 0 ? 0 : Math.min(held.percentile(percent) / MICROSECONDS, max))
  return {
    add(ms) {
      held.record(Math.max(1, Math.round(ms * MICROSECONDS)))
      max = Math.max(max, ms)
      counts[EDGES_MS.findIndex((edge) => ms <= edge)]!++
    },
    buckets() {
      const all = EDGES_MS.map((upToMs, i) => ({ upToMs, count: counts[i]! }))
      const has = ({ count }: Bucket) => count > 0
      return all.slice(Math.max(0, all.findIndex(has)), all.findLastIndex(has) + 1)
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
