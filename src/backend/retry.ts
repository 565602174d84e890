/**
 * When a call over HTTP is repeated, and after how long. Every call has its key, so a call that may have arrived may be
 * repeated. Answers that say "not now" are repeated; all others are final. (RFC 9110 §10.2.3, §15.5, §15.6; RFC 6585
 * §4)
 */
import type { Chance } from '../ussd/index.ts'

/**
 * How often a call is repeated: enough for a kept connection that the server has just closed. More would add to its
 * load.
 */
export const RETRIES = 1
/** The longest first pause; it doubles. Pauses are random, so that calls do not come back together. */
const PAUSE_MS = 100

/** The result of a try that may be repeated. */
export interface HttpTrouble {
  why: '429' | '502' | '503' | '504' | 'connection'
  /** The wait that the back end asks for with Retry-After. */
  afterMs?: number
}

/** Null: an answer with this status is final. */
export function httpTroubleOf(status: number, retryAfter: string, nowMs: number): HttpTrouble | null {
  if (status !== 429 && status !== 502 && status !== 503 && status !== 504) return null
  const afterMs = retryAfterMs(retryAfter, nowMs)
  return { why: `${status}` as HttpTrouble['why'], ...(afterMs === undefined ? {} : { afterMs }) }
}

/** The pause before the `n`th repetition, from 1. */
export function pauseMs({ afterMs = 0 }: HttpTrouble, n: number, chance: Chance): number {
  return afterMs + Math.floor(chance() * PAUSE_MS * 2 ** (n - 1))
}

const IMF_DATE = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/

/** Seconds or an HTTP date; undefined for anything else. */
export function retryAfterMs(header: string, nowMs: number): number | undefined {
  const written = header.trim()
  if (/^\d{1,9}$/.test(written)) return Number(written) * 1000
  const atMs = IMF_DATE.test(written) ? Date.parse(written) : Number.NaN
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs)
}
