/**
 * The circuit breaker keeps subscribers from waiting for a back end that is down. After several failures in a row,
 * calls are refused for a while; then one call at a time may try. A pure value; time is an argument.
 */

export interface Breaker {
  /** Failures since the last success. */
  readonly failures: number
  /** Calls are refused until then. 0: closed. */
  readonly openUntilMs: number
}

/** Fewer failures could be chance; with more, too many subscribers wait. */
const FAILURES_MAX = 8
/** Short: a back end that is back should serve within two seconds. */
const OPEN_MS = 2_000

export const CLOSED: Breaker = { failures: 0, openUntilMs: 0 }

/** Whether a call may go, and the new state of the breaker. While it is open, one call per period may try. */
export function allow(breaker: Breaker, nowMs: number): { goes: boolean; breaker: Breaker } {
  if (breaker.openUntilMs === 0) return { goes: true, breaker }
  if (nowMs < breaker.openUntilMs) return { goes: false, breaker }
  return { goes: true, breaker: { ...breaker, openUntilMs: nowMs + OPEN_MS } }
}

/** The breaker after a call. */
export function record(breaker: Breaker, isWell: boolean, nowMs: number): Breaker {
  if (isWell) return CLOSED
  const failures = breaker.failures + 1
  return { failures, openUntilMs: failures < FAILURES_MAX ? breaker.openUntilMs : nowMs + OPEN_MS }
}
