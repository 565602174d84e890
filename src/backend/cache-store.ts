/** Answers by key, limited in number and octets. The least recently used go first. Time is an argument. */
import type { Json } from '../ussd/index.ts'

export interface Kept {
  data: Json
  isFresh: boolean
}

export interface Keeping {
  /** The subscriber to whom it belongs; '' for all subscribers. */
  asker: string
  freshUntilMs: number
  /** It may replace a failed answer until then. */
  staleUntilMs: number
}

export interface CacheStore {
  /** Undefined: there is no answer, or it is too old for any use. */
  get(key: string, nowMs: number): Kept | undefined
  /**
   * Returns how many others were removed for it. An answer larger than the whole store is not kept and counts as one.
   */
  put(key: string, data: Json, keeping: Keeping, nowMs: number): number
  delete(key: string): void
  /** Removes everything of this subscriber. */
  forget(asker: string): void
  /** The answers of this subscriber are no longer fresh, but may still replace a failed answer. */
  outdate(asker: string): void
}

export interface CacheLimits {
  entries: number
  octets: number
}

interface Entry extends Keeping {
  /** Stored as text: nobody can change it, and its size is known. */
  text: string
  octets: number
}

/** How often to look for answers that are too old and that nobody asks for: they should not stay in memory. */
const SWEEP_MS = 60_000

export function cacheStore(limits: CacheLimits): CacheStore {
  // In the order of use.
  const entries = new Map<string, Entry>()
  let octets = 0
  let sweepAtMs = 0

  const drop = (key: string): void => {
    octets -= entries.get(key)?.octets ?? 0
    entries.delete(key)
  }
  const sweep = (nowMs: number): void => {
    if (nowMs < sweepAtMs) return
    sweepAtMs = nowMs + SWEEP_MS
    for (const [key, entry] of entries) if (isOver(entry, nowMs)) drop(key)
  }

  return {
    get(key, nowMs) {
      const entry = entries.get(key)
      if (!entry) return undefined
      if (isOver(entry, nowMs)) return void drop(key)
      entries.delete(key)
      entries.set(key, entry)
      return { data: JSON.parse(entry.text) as Json, isFresh: nowMs < entry.freshUntilMs }
    },
    put(key, data, keeping, nowMs) {
      drop(key)
      sweep(nowMs)
      const text = JSON.stringify(data)
      const entry = { ...keeping, text, octets: Buffer.byteLength(text) + Buffer.byteLength(key) }
      if (isOver(entry, nowMs)) return 0
      if (entry.octets > limits.octets) return 1
      entries.set(key, entry)
      octets += entry.octets
      let gone = 0
      for (const [oldest] of entries) {
        if (entries.size <= limits.entries && octets <= limits.octets) break
        drop(oldest)
        gone++
      }
      return gone
    },
    delete: drop,
    forget(asker) {
      for (const [key, entry] of entries) if (entry.asker === asker) drop(key)
    },
    outdate(asker) {
      for (const entry of entries.values()) if (entry.asker === asker) entry.freshUntilMs = 0
    },
  }
}

function isOver({ freshUntilMs, staleUntilMs }: Keeping, nowMs: number): boolean {
  return nowMs >= Math.max(freshUntilMs, staleUntilMs)
}
