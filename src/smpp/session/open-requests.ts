/** The requests of the SMSC that are not answered yet, on one link. Each is answered once and counted once. */
import type { Clock } from '../../ussd/index.ts'
import type { Pdu } from '../types.ts'
import type { LineLimits } from './settings.ts'
import type { SmppCounter } from './counters.ts'
import { encodeResponse, isKnown, STATUS, statusLabel } from '../pdu/index.ts'

export interface RequestsDeps {
  clock: Clock
  write(octets: Buffer): void
  count(name: SmppCounter, labels?: Record<string, string>): void
  /** full() has changed. */
  full(): void
  /** A handler did not answer in time; the link answered in its place. */
  silent(): void
}

export class OpenRequests {
  readonly #limits: LineLimits
  readonly #deps: RequestsDeps
  /** Keyed by object, not by number: a peer may repeat numbers. Oldest first. */
  readonly #open = new Map<Pdu, { since: number; octets: number }>()
  #octets = 0
  #full = false
  #timer: (() => void) | undefined

  constructor(limits: LineLimits, deps: RequestsDeps) {
    this.#limits = limits
    this.#deps = deps
  }

  /** `octets`: those of its PDU. */
  open(request: Pdu, octets: number): void {
    this.#open.set(request, { since: this.#deps.clock.now(), octets })
    this.#octets += octets
    this.#timer ??= this.#arm(this.#limits.answerMs)
    const { unansweredMax, unansweredOctetsMax } = this.#limits
    const isMany = this.#open.size >= unansweredMax
    if (this.#full || (!isMany && this.#octets < unansweredOctetsMax)) return
    this.#full = true
    this.#deps.count('smpp_limit', { limit: isMany ? 'unansweredMax' : 'unansweredOctetsMax' })
    this.#deps.full()
  }

  /**
   * Writes the response with the request's own number. Does nothing if it was answered already, or if the link is
   * closed.
   */
  answer(request: Pdu, status: number, as?: 'duplicate'): void {
    const opened = this.#open.get(request)
    if (!opened) return
    this.#open.delete(request)
    this.#octets -= opened.octets
    const command = isKnown(request.command) ? request.command : 'unknown'
    if (as) this.#deps.count('smpp_rx_duplicate', { command })
    else if (status === STATUS.ESME_ROK) this.#deps.count('smpp_rx_handled', { command })
    else this.#deps.count('smpp_rx_rejected', { command, status: statusLabel(status) })
    this.#deps.write(encodeResponse(request.command, status, request.sequence))
    const { unansweredMax, unansweredOctetsMax } = this.#limits
    if (!this.#full || this.#open.size > unansweredMax / 2 || this.#octets > unansweredOctetsMax / 2) return
    this.#full = false
    this.#deps.full()
  }

  /** True from a limit down to half of both. The socket is not read meanwhile. */
  full(): boolean {
    return this.#full
  }

  size(): number {
    return this.#open.size
  }

  /** The link is gone: open requests will never be answered. */
  close(): void {
    this.#timer?.()
    for (const { command } of this.#open.keys()) {
      this.#deps.count('smpp_rx_dropped', { command, reason: 'link-closed' })
    }
    this.#open.clear()
    this.#octets = 0
  }

  #arm(ms: number): () => void {
    return this.#deps.clock.after(ms, () => this.#sweep())
  }

  #sweep(): void {
    const now = this.#deps.clock.now()
    this.#timer = undefined
    for (const [request, { since }] of this.#open) {
      const leftMs = since + this.#limits.answerMs - now
      if (leftMs > 0) {
        this.#timer = this.#arm(leftMs)
        return
      }
      this.#deps.count('smpp_handler_failed', { how: 'silent' })
      this.#deps.silent()
      this.answer(request, STATUS.ESME_RX_T_APPN)
    }
  }
}
