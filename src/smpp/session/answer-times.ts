/**
 * How long an SMSC took for its answers, as a histogram that only grows: who wants to know about a while compares two
 * moments of it. One addition per answer. Exact to a millisecond below 16 ms, then to an eighth.
 */

const EXACT = 16
const PARTS_BITS = 3
const PARTS = 1 << PARTS_BITS
const EXACT_BITS = 4
/** Up to 131 seconds; what takes longer counts as that. */
const OCTAVES = 13
const BUCKETS = EXACT + OCTAVES * PARTS

export class AnswerTimes {
  readonly #counts = new Uint32Array(BUCKETS)

  add(ms: number): void {
    this.#counts[bucketOf(ms)]!++
  }

  /** As of now: a copy. */
  counts(): Uint32Array {
    return this.#counts.slice()
  }
}

function bucketOf(ms: number): number {
  if (ms < EXACT) return Math.max(0, Math.trunc(ms))
  const bits = 31 - Math.clz32(ms)
  const octave = bits - EXACT_BITS
  const part = (ms >> (bits - PARTS_BITS)) & (PARTS - 1)
  return octave >= OCTAVES ? BUCKETS - 1 : EXACT + octave * PARTS + part
}

/** The longest time of a bucket. */
function topOf(bucket: number): number {
  if (bucket < EXACT) return bucket
  const [octave, part] = [Math.trunc((bucket - EXACT) / PARTS), (bucket - EXACT) % PARTS]
  return ((PARTS + part + 1) << (octave + EXACT_BITS - PARTS_BITS)) - 1
}

/** Of all that came between two moments, this share took at most so long. Undefined: nothing came. */
export function percentileMs(before: Uint32Array | undefined, after: Uint32Array, share: number): number | undefined {
  const came = after.map((count, n) => count - (before?.[n] ?? 0))
  const all = came.reduce((sum, count) => sum + count, 0)
  if (all === 0) return undefined
  let below = 0
  return topOf(came.findIndex((count) => (below += count) >= all * share))
}
