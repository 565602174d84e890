/** Latencies in buckets that are 2 % wide: constant memory, whatever the run. */

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

const STEP = Math.log(1.02)
/** 1 µs to beyond an hour. */
const BUCKETS = 1_200
const SMALLEST_MS = 0.001

export function histogram(): Histogram {
  const buckets = new Uint32Array(BUCKETS)
  let count = 0
  let max = 0
  const at = (share: number): number => {
    const wanted = Math.ceil(count * share)
    let seen = 0
    for (let i = 0; i < BUCKETS; i++) {
      seen += buckets[i]!
      if (seen >= wanted && wanted > 0) return Math.min(SMALLEST_MS * Math.exp((i + 0.5) * STEP), max)
    }
    return 0
  }
  return {
    add(ms) {
      const bucket = Math.floor(Math.log(Math.max(ms, SMALLEST_MS) / SMALLEST_MS) / STEP)
      buckets[Math.min(bucket, BUCKETS - 1)]!++
      count++
      if (ms > max) max = ms
    },
    read: () => ({ count, p50: at(0.5), p95: at(0.95), p99: at(0.99), p999: at(0.999), max }),
  }
}
