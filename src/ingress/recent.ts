/**
 * The same request again while the first one runs, or shortly after it: callers repeat requests that they believe lost.
 * It gets the result of the first one and is not handled twice.
 */

/** How long a caller may repeat a request without a response. */
const KEPT_MS = 30_000
const KEPT_MAX = 10_000

/**
 * Runs once per key at a time. `keeps`: whether the outcome is remembered too. Only a key with a turn number allows
 * that; otherwise the same answer may be meant twice.
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
