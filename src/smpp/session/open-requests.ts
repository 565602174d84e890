/** The requests of the SMSC's that are not answered yet, on one link: each is answered once, and counted once. */
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
  /** A handler has not answered in time; it was answered for it. */
  silent(): void
}

export class OpenRequests {
  readonly #limits: LineLimits
  readonly #deps: RequestsDeps
  /** By object, not by number: a peer may repeat numbers. Oldest first. */
  readonly #open = new Map<Pdu, number>()
  #full = false
  #timer: (() => void) | undefined

  constructor(limits: LineLimits, deps: RequestsDeps) {
    this.#limits = limits
    this.#deps = deps
  }

  open(request: Pdu): void {
    const now = this.#deps.clock.now()
    this.#open.set(request, now)
    this.#timer ??= this.#arm(this.#limits.answerMs)
    if (this.#open.size < this.#limits.unansweredMax || this.#full) return
    this.#full = true
    this.#deps.count('smpp_limit', { limit: 'unansweredMax' })
    this.#deps.full()
  }

  /** Writes the response with the request's own number; nothing if it was answered, or the link is closed. */
  answer(request: Pdu, status: number, as?: 'duplicate'): void {
    if (!this.#open.delete(request)) return
    const command = isKnown(request.command) ? request.command : 'unknown'
    if (as) this.#deps.count('smpp_rx_duplicate', { command })
    else if (status === STATUS.ESME_ROK) this.#deps.count('smpp_rx_handled', { command })
    else this.#deps.count('smpp_rx_rejected', { command, status: statusLabel(status) })
    this.#deps.write(encodeResponse(request.command, status, request.sequence))
    if (!this.#full || this.#open.size > this.#limits.unansweredMax / 2) return
    this.#full = false
    this.#deps.full()
  }

  /** True from the limit down to half of it: the socket is not read meanwhile. */
  full(): boolean {
    return this.#full
  }

  size(): number {
    return this.#open.size
  }

  /** The link is gone: what was not answered never will be. */
  close(): void {
    this.#timer?.()
    for (const { command } of this.#open.keys()) {
      this.#deps.count('smpp_rx_dropped', { command, reason: 'link-closed' })
    }
    this.#open.clear()
  }

  #arm(ms: number): () => void {
    return this.#deps.clock.after(ms, () => this.#sweep())
  }

  #sweep(): void {
    const now = this.#deps.clock.now()
    this.#timer = undefined
    for (const [request, since] of this.#open) {
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
