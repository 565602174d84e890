/**
 * The same request again while the first is under way, or shortly after it: callers repeat what they think was lost. It
 * is answered by the first one's outcome instead of being heard twice.
 */

/** As long as a caller may still repeat what it had no answer to. */
const KEPT_MS = 30_000
const KEPT_MAX = 10_000

/**
 * Runs once a key at a time. `keeps`: whether the outcome is remembered too, which only a key with a turn's number in
 * it allows: without one, the same answer may well be meant twice.
 */
export function recently<T>(now: () => number) {
  const kept = new Map<string, { outcome: Promise<T>; untilMs: number }>()
  return async (key: string, keeps: (outcome: T) => boolean, run: () => Promise<T>): Promise<T> => {
    const known = kept.get(key)
    if (known && now() < known.untilMs) return known.outcome
    const outcome = run()
    kept.delete(key)
    kept.set(key, { outcome, untilMs: now() + KEPT_MS })
    if (kept.size > KEPT_MAX) kept.delete(kept.keys().next().value!)
    const forget = () => void (kept.get(key)?.outcome === outcome && kept.delete(key))
    outcome.then((it) => keeps(it) || forget(), forget)
    return outcome
  }
}
