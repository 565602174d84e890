/**
 * Counts what one key does wrong, and says when it is too much. It refuses nobody: who is right is let in at any time,
 * or somebody with wrong tokens could shut out the owner of the right one.
 */
import { createRates } from './rates.ts'

/**
 * How many failures of one key are told at once, and after what time one more is. This does not protect against
 * guessing; random tokens do.
 */
export const FAILED_MAX = 10
export const FAILED_EACH_MS = 6_000
/** How many keys with failures are remembered. */
const KEYS_MAX = 1_000

/** `locks`: the first failure that is too much. `locked`: each one after it, until the key has rested for a minute. */
export type Failure = 'told' | 'locks' | 'locked'

export interface Lockout {
  fail(key: string, nowMs: number): Failure
}

export function createLockout(): Lockout {
  const rates = createRates({ perSecond: 1_000 / FAILED_EACH_MS, burst: FAILED_MAX, keysMax: KEYS_MAX })
  const locked = new Set<string>()
  return {
    fail(key, nowMs) {
      if (rates.rests(key, nowMs)) locked.delete(key)
      if (rates.take(key, nowMs)) return 'told'
      if (locked.has(key)) return 'locked'
      locked.add(key)
      if (locked.size > KEYS_MAX) locked.delete(locked.values().next().value!)
      return 'locks'
    },
  }
}
