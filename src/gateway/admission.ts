/**
 * Limits under load: how fast one subscriber may send, and who may dial on a line at all. Messages over the rate are
 * acknowledged and dropped, so a handset that floods costs nobody else a turn.
 */

import { createRates, type Metrics } from '../base/index.ts'
import type { Line } from '../smpp/index.ts'
import type { UssdMessage } from '../ussd/index.ts'
import { serviceFor, type GatewayLimits, type Service, type TurnedAway } from './steps.ts'

export interface SubscriberRate {
  /** How many messages per second one MSISDN may send continuously. */
  perSecond: number
  /** How many messages may come at once after a pause. */
  burst: number
}

export interface Overload {
  /** Counts one message of this subscriber. False: over the rate; the message has no further cost. */
  inTime(msisdn: string, nowMs: number): boolean
  /** Whether this subscriber may dial on this line. */
  mayDial(msisdn: string, line: string): boolean
}

/** Prefixes of MSISDNs, digits only. `deny` is checked before `allow`; an empty `allow` means everybody. */
export interface DialAccess {
  allow: readonly string[]
  deny: readonly string[]
}

/**
 * How many subscribers' rates are remembered: some 10 MB. Above that, the subscriber who was silent longest is
 * forgotten, never the one who floods.
 */
const SUBSCRIBERS_MAX = 100_000

export function createOverload(
  rate: SubscriberRate,
  accessOf: (line: string) => DialAccess | undefined,
  subscribersMax: number = SUBSCRIBERS_MAX,
): Overload {
  const rates = createRates({ ...rate, keysMax: subscribersMax })
  return {
    inTime: rates.take,
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
  limits: Pick<GatewayLimits, 'turnsMax' | 'openMax' | 'turnMs'>
  heldLine?(line: string): { text: string | null } | undefined
  texts: Record<'busy' | 'overload' | 'unknownCode', string>
  metrics: Pick<Metrics, 'count'>
  /** How many turns are running in this daemon. */
  underWay(): number
  /** Whether it is the cap of the line that a dial would wait for the longest. */
  isCapped(line: Line): boolean
}

/** Whether a begin gets a dialogue. An open dialogue is always served to its end. */
export class Admission {
  readonly #deps: AdmissionDeps
  /** The open dialogues of all daemons at the last sweep, plus those begun and minus those ended here since then. */
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

  /** The limit for which every begin on this line is turned away now. Null: none. */
  overload(line: Line, waitMs: number): string | null {
    const { limits, underWay, isCapped, heldLine } = this.#deps
    if (heldLine?.(line.name)) return 'line_held'
    if (underWay() >= limits.turnsMax) return 'turns_max'
    if (this.#open >= limits.openMax) return 'open_max'
    if (this.#draining) return 'draining'
    if (waitMs <= limits.turnMs) return null
    return isCapped(line) ? 'submits_per_second' : 'turn_ms'
  }

  /**
   * Why the begin gets no dialogue, and the text to send. Null: it is admitted. `waitMs`: how long it has waited and
   * will wait for its turn, as far as that can be predicted.
   */
  turnedAway(message: UssdMessage, line: Line, waitMs: number): TurnedAway | null {
    const { metrics, overload, services, texts } = this.#deps
    const over = this.overload(line, waitMs)
    if (over !== null) {
      metrics.count('limits_total', { limit: over })
      const held = over === 'line_held' ? this.#deps.heldLine?.(line.name) : undefined
      if (held) return { result: 'held', text: held.text ?? texts.busy, mayBeStatus: held.text === null }
      return { result: 'overload', text: texts.overload, mayBeStatus: true }
    }
    if (!overload.mayDial(message.msisdn, line.name)) return { result: 'not-allowed', text: texts.unknownCode }
    const served = serviceFor(services, message.code, line.name)
    return served ? null : { result: 'unknown-code', text: texts.unknownCode }
  }
}
