/** How long a bind waits before its next try: what its tries came to, and what a loss or a refusal does to that. */
import type { Chance } from '../src/ussd/index.ts'
import type { BindTimes } from './bind-times.ts'

/**
 * Why there is no connection. foreign: the peer is not the SMSC (speaks something else, or its certificate is refused)
 * · unbound: the SMSC sent unbind.
 */
export type LossCause = 'lost' | 'unbound' | 'foreign'

export interface Tries {
  times: BindTimes
  now: () => number
  chance: Chance
  host: number
  /** Tries in a row that did not come to a bind. */
  failures: number
  /** Binds in a row that were lost young. */
  flaps: number
  /** Refusals in a row of our credentials. */
  refusals: number
  takenSince: number | undefined
  /** 0: not bound. */
  boundAt: number
  waitMs: number
}

export const NO_TRIES = { host: 0, failures: 0, flaps: 0, refusals: 0, takenSince: undefined, boundAt: 0, waitMs: 0 }

/** ESME_RINVPASWD, ESME_RINVSYSID: a person has to act. */
export const FOR_GOOD = new Set([0x0e, 0x0f])
export const ALREADY_BOUND = 0x05
/** ESME_RBINDFAIL says no more than that it failed: an SMSC that starts says so, and one that does not know us. */
export const BIND_FAILED = 0x0d

/**
 * What a loss does to the retries. A bind that had served is tried again within servedMaxMs, after a long one within a
 * second.
 */
export function afterLoss(tries: Tries, { cause, mostMs }: { cause: LossCause; mostMs?: number }): Partial<Tries> {
  const { times, chance, boundAt } = tries
  const leastMs = cause === 'unbound' ? times.unboundMs : 0
  const gone = (waitMs: number) => ({ host: 0, boundAt: 0, waitMs: Math.max(leastMs, waitMs) })
  if (boundAt > 0) {
    const isSteady = tries.now() - boundAt >= times.steadyMs
    if (isSteady) return { ...gone(Math.min(times.servedMaxMs, times.reconnectMs * (0.1 + 0.8 * chance()))), flaps: 0 }
    // With the quarter more that chance may add it is servedMaxMs; an operator who wants no pause longer than
    // reconnectMaxMs has none.
    const waitMs = backOff(
      tries.flaps,
      times.reconnectMs,
      Math.min(times.servedMaxMs * 0.8, times.reconnectMaxMs),
      chance,
    )
    return { ...gone(waitMs), flaps: tries.flaps + 1 }
  }
  // One that took our bind is the SMSC: what else it says is an accident, of something between us perhaps.
  // Else no account can be locked there, but a password may be shown: not often, and no rarer with time.
  if (cause === 'foreign') return gone(backOff(0, times.refusedMs, times.refusedMaxMs, chance))
  const waitMs = backOff(tries.failures, times.reconnectMs, mostMs ?? times.reconnectMaxMs, chance)
  return { ...gone(waitMs), failures: tries.failures + 1 }
}

export function afterRefusal(tries: Tries): Partial<Tries> {
  const { times, chance, refusals } = tries
  return {
    refusals: refusals + 1,
    host: 0,
    boundAt: 0,
    waitMs: backOff(refusals, times.refusedMs, times.refusedMaxMs, chance),
  }
}

export function takenLong(tries: Tries): boolean {
  return tries.takenSince !== undefined && tries.now() - tries.takenSince >= tries.times.takenForMs
}

/** Exponential from least to most; a quarter more or less, so that many daemons do not come back together. */
function backOff(step: number, least: number, most: number, chance: Chance): number {
  return Math.round(Math.min(most, least * 2 ** Math.min(step, 30)) * (0.75 + chance() / 2))
}
