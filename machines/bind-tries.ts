/** How long a bind waits before its next try: the results of its tries, and the effect of a loss or a refusal. */
import type { Chance } from '../src/ussd/index.ts'
import type { BindTimes } from './bind-times.ts'

/**
 * Why there is no connection. foreign: the peer is not the SMSC (it speaks something else, or its certificate is
 * refused) · unbound: the SMSC sent unbind.
 */
export type LossCause = 'lost' | 'unbound' | 'foreign'

export interface Tries {
  times: BindTimes
  now: () => number
  chance: Chance
  host: number
  /** Tries in a row without a bind. */
  failures: number
  /** Binds in a row that were lost soon. */
  flaps: number
  /** Refusals of our credentials in a row. */
  refusals: number
  takenSince: number | undefined
  /** 0: not bound. */
  boundAt: number
  waitMs: number
}

export const NO_TRIES = { host: 0, failures: 0, flaps: 0, refusals: 0, takenSince: undefined, boundAt: 0, waitMs: 0 }

/** ESME_RBINDFAIL says only that the bind failed. A starting SMSC sends it, and also one that does not know us. */
export const BIND_FAILED = 0x0d

/**
 * The effect of a loss on the retries. A bind that had served is tried again within servedMaxMs; after a long one,
 * within a second.
 */
export function afterLoss(tries: Tries, { cause, mostMs }: { cause: LossCause; mostMs?: number }): Partial<Tries> {
  const { times, chance, boundAt } = tries
  const leastMs = cause === 'unbound' ? times.unboundMs : 0
  const gone = (waitMs: number) => ({ host: 0, boundAt: 0, waitMs: Math.max(leastMs, waitMs) })
  if (boundAt > 0) {
    const isSteady = tries.now() - boundAt >= times.steadyMs
    if (isSteady) return { ...gone(Math.min(times.servedMaxMs, times.reconnectMs * (0.1 + 0.8 * chance()))), flaps: 0 }
    // Chance may add a quarter: then it is servedMaxMs. It never exceeds reconnectMaxMs, if an operator wants shorter
    // pauses.
    const waitMs = backOff(
      tries.flaps,
      times.reconnectMs,
      Math.min(times.servedMaxMs * 0.8, times.reconnectMaxMs),
      chance,
    )
    return { ...gone(waitMs), flaps: tries.flaps + 1 }
  }
  // A peer that accepted our bind is the SMSC: anything else that it sends is an accident, perhaps of a device between
  // us. Otherwise no account can be locked there, but the password may be seen: try seldom, at a constant rate.
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

/** Exponential from least to most, plus or minus a quarter, so that many daemons do not come back together. */
function backOff(step: number, least: number, most: number, chance: Chance): number {
  return Math.round(Math.min(most, least * 2 ** Math.min(step, 30)) * (0.75 + chance() / 2))
}
