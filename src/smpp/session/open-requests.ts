/**
 * The requests of the SMSC that are not answered yet, on one link. Each ends once: what is then counted and written is
 * returned.
 */
import type { Clock } from '../../ussd/index.ts'
import { TurnoverMap } from '../../base/index.ts'
import type { Pdu } from '../types.ts'
import type { LineLimits } from './settings.ts'
import type { SmppCounter } from './counters.ts'
import { encodeResponse, isKnown, STATUS, statusLabel } from '../pdu/index.ts'

/** How a request of the SMSC ended. */
export interface EndedRequest {
  counter: SmppCounter
  labels: Record<string, string>
  /** The response. Absent: the link is gone. */
  octets?: Buffer
}

export class OpenRequests {
  readonly #limits: LineLimits
  readonly #clock: Pick<Clock, 'now'>
  /** Keyed by object, not by number: a peer may repeat numbers. Oldest first. */
  readonly #open = new TurnoverMap<Pdu, { since: number; octets: number }>()
  #octets = 0
  #full = false
  #dueMs = Infinity

  constructor(limits: LineLimits, clock: Pick<Clock, 'now'>) {
    this.#limits = limits
    this.#clock = clock
  }

  /** `octets`: those of its PDU. Gives the limit that it reaches. */
  open(request: Pdu, octets: number): 'unansweredMax' | 'unansweredOctetsMax' | undefined {
    const since = this.#clock.now()
    this.#open.set(request, { since, octets })
    this.#octets += octets
    if (this.#dueMs === Infinity) this.#dueMs = since + this.#limits.answerMs
    const { unansweredMax, unansweredOctetsMax } = this.#limits
    const isMany = this.#open.size >= unansweredMax
    if (this.#full || (!isMany && this.#octets < unansweredOctetsMax)) return undefined
    this.#full = true
    return isMany ? 'unansweredMax' : 'unansweredOctetsMax'
  }

  /** Its response has the request's own number. Undefined: it was answered already, or the link is closed. */
  answer(request: Pdu, status: number, as?: 'duplicate'): EndedRequest | undefined {
    const opened = this.#open.get(request)
    if (!opened) return undefined
    this.#open.delete(request)
    this.#octets -= opened.octets
    const { unansweredMax, unansweredOctetsMax } = this.#limits
    if (this.#open.size <= unansweredMax / 2 && this.#octets <= unansweredOctetsMax / 2) this.#full = false
    const octets = encodeResponse(request.command, status, request.sequence)
    const command = isKnown(request.command) ? request.command : 'unknown'
    if (as) return { counter: 'smpp_rx_duplicate', labels: { command }, octets }
    if (status === STATUS.ESME_ROK) return { counter: 'smpp_rx_handled', labels: { command }, octets }
    return { counter: 'smpp_rx_rejected', labels: { command, status: statusLabel(status) }, octets }
  }

  /** True from a limit down to half of both. The socket is not read meanwhile. */
  full(): boolean {
    return this.#full
  }

  size(): number {
    return this.#open.size
  }

  /** When to ask `overdue`. Wall-clock milliseconds. */
  dueMs(): number {
    return this.#dueMs
  }

  /** Those that their handler left without an answer for too long. */
  overdue(): Pdu[] {
    const overdue: Pdu[] = []
    const now = this.#clock.now()
    this.#dueMs = Infinity
    for (const [request, { since }] of this.#open) {
      const dueMs = since + this.#limits.answerMs
      if (dueMs > now) {
        this.#dueMs = dueMs
        break
      }
      overdue.push(request)
    }
    return overdue
  }

  /** The link is gone: open requests will never be answered. */
  close(): EndedRequest[] {
    const ended = Array.from(this.#open.keys(), ({ command }): EndedRequest => {
      return { counter: 'smpp_rx_dropped', labels: { command, reason: 'link-closed' } }
    })
    this.#open.clear()
    this.#octets = 0
    this.#dueMs = Infinity
    return ended
  }
}
