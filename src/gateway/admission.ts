/**
 * Manners under load: how fast one subscriber may speak, and who may dial on a line at all. Over the rate, messages are
 * acknowledged and dropped: a handset that floods costs nobody else a turn.
 */

import type { Metrics } from '../base/index.ts'
import type { Line } from '../smpp/index.ts'
import type { UssdMessage } from '../ussd/index.ts'
import { serviceFor, type GatewayLimits, type Service, type TurnedAway } from './steps.ts'

export interface SubscriberRate {
  /** Messages a second that one MSISDN may keep up. */
  perSecond: number
  /** Messages at once, after a rest. */
  burst: number
}

export interface Overload {
  /** One message of this subscriber, now. False: over the rate; the message costs nothing more. */
  inTime(msisdn: string, nowMs: number): boolean
  /** Whether this subscriber may dial on this line. */
  mayDial(msisdn: string, line: string): boolean
}

/** Prefixes of MSISDNs, digits only. Denied goes before allowed; `allow` empty: everybody. */
export interface DialAccess {
  allow: readonly string[]
  deny: readonly string[]
}

/**
 * Subscribers whose rate is remembered: some 10 MB. Over it the one heard longest ago is forgotten, never the flooder.
 */
const SUBSCRIBERS_MAX = 100_000

export function createOverload(
  rate: SubscriberRate,
  accessOf: (line: string) => DialAccess | undefined,
  subscribersMax: number = SUBSCRIBERS_MAX,
): Overload {
  // A bucket as one number: when it will be full again (the generic cell rate algorithm, ITU-T I.371).
  const fullAt = new Map<string, number>()
  const costMs = 1_000 / rate.perSecond
  const spanMs = costMs * rate.burst
  return {
    inTime(msisdn, nowMs) {
      const known = fullAt.get(msisdn) ?? nowMs
      // Later than an empty bucket is full: the clock was set back, and a subscriber must not be shut out for that.
      const before = known > nowMs + spanMs + ROUNDING_MS ? nowMs : Math.max(known, nowMs)
      const after = before + costMs
      fullAt.delete(msisdn)
      const within = after - nowMs <= spanMs + ROUNDING_MS
      fullAt.set(msisdn, within ? after : before)
      if (fullAt.size > subscribersMax) fullAt.delete(fullAt.keys().next().value!)
      return within
    },
    mayDial(msisdn, line) {
      const known = accessOf(line)
      if (!known) return true
      const begins = (prefix: string) => msisdn.startsWith(prefix)
      return !known.deny.some(begins) && (known.allow.length === 0 || known.allow.some(begins))
    },
  }
}

export interface AdmissionDeps {
  overload: Pick<Overload, 'mayDial'>
  services: readonly Service[]
  limits: Pick<GatewayLimits, 'turnsMax' | 'openMax'>
  texts: Record<'overload' | 'unknownCode', string>
  metrics: Pick<Metrics, 'count'>
  /** Turns under way in this daemon. */
  underWay(): number
}

/** Whether a begin gets a dialogue; who is inside is served to the end. */
export class Admission {
  readonly #deps: AdmissionDeps
  /** Of all daemons at the last sweep, and since then what was begun and ended here. */
  #open = 0
  #draining = false

  constructor(deps: AdmissionDeps) {
    this.#deps = deps
  }

  opened(): void {
    this.#open++
  }

  ended(): void {
    this.#open = Math.max(0, this.#open - 1)
  }

  counted(open: number): void {
    this.#open = open
  }

  /** No new dialogues from now on. */
  drain(): void {
    this.#draining = true
  }

  /** Why not, and what is said; null: it is admitted. */
  turnedAway(message: UssdMessage, line: Line): TurnedAway | null {
    const { limits, metrics, overload, services, texts, underWay } = this.#deps
    const isOver = underWay() >= limits.turnsMax ? 'turns_max' : this.#open >= limits.openMax ? 'open_max' : ''
    const over = isOver || (this.#draining ? 'draining' : '')
    if (over) {
      metrics.count('limits_total', { limit: over })
      return { result: 'overload', text: texts.overload }
    }
    if (!overload.mayDial(message.msisdn, line.name)) return { result: 'not-allowed', text: texts.unknownCode }
    const served = serviceFor(services, message.code, line.name)
    return served ? null : { result: 'unknown-code', text: texts.unknownCode }
  }
}

/** Of sums of fractions of a millisecond. */
const ROUNDING_MS = 1e-6
