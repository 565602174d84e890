/** What one link makes of the PDUs that it reads: who hears them, and what is answered where nobody may. */
import type { Log } from '../../base/index.ts'
import type { LinkPort, Pdu } from '../types.ts'
import type { BindRole } from './bind-request.ts'
import type { SmppCounter } from './counters.ts'
import type { Window } from './window.ts'
import type { OpenRequests } from './open-requests.ts'
import { decode, isKnown, isResponse, type PduFault, STATUS, statusText } from '../pdu/index.ts'

export interface InboundDeps {
  link: LinkPort
  role: BindRole
  window: Window
  requests: OpenRequests
  log: Log
  count(name: SmppCounter, labels?: Record<string, string>): void
  /** True from bind_resp to the end of the link. */
  serving(): boolean
  /** We are unbinding, or the SMSC is: what begins now could not be answered any more. */
  leaving(): boolean
  onRequest(pdu: Pdu, link: LinkPort): Promise<void> | void
  /** The SMSC sent unbind, which was answered. */
  unbound(): void
  /** The SMSC cannot read our headers. */
  nacked(): void
}

export class Inbound {
  readonly #deps: InboundDeps
  #nacks = 0

  constructor(deps: InboundDeps) {
    this.#deps = deps
  }

  /** Takes one whole PDU; it ends in exactly one counter, now or when it is answered. */
  frame(frame: Buffer): void {
    const { count } = this.#deps
    const { pdu, fault, stray, odd } = decode(frame)
    count('smpp_rx', { command: labelOf(pdu.command) })
    if (odd && !fault) count('smpp_tolerated', { what: 'field-length' })
    if (stray) count('smpp_tolerated', { what: 'stray-octets' })
    if (isResponse(pdu.command) || frame.readUInt8(4) & 0x80) this.#response(pdu, fault)
    else this.#request(pdu, fault)
  }

  #response(pdu: Pdu, fault: PduFault | undefined): void {
    const { count, log, link, window } = this.#deps
    const command = labelOf(pdu.command)
    if (command === 'unknown') return count('smpp_rx_dropped', { command, reason: 'unknown-response' })
    if (pdu.command === 'generic_nack' && pdu.sequence === 0) return this.#nackZero(pdu)
    // The request was taken or refused, whatever else the SMSC put into its response.
    if (fault) count('smpp_tolerated', { what: 'bad-response-body' })
    const answered = window.answer(pdu)
    if (answered === 'matched') return count('smpp_rx_handled', { command })
    count('smpp_rx_dropped', { command, reason: answered })
    if (answered === 'wrong-command') log.error({ link: link.id, command }, 'response to a command that was not sent')
  }

  /** The SMSC could not read a header of ours: once may be an accident, twice is lost framing. (SMPP v3.4 §4.3) */
  #nackZero(pdu: Pdu): void {
    const { count, log, link } = this.#deps
    count('smpp_rx_dropped', { command: 'generic_nack', reason: 'nack-0' })
    log.warn({ link: link.id, status: statusText(pdu.status) }, 'generic_nack without a sequence number')
    if (++this.#nacks > 1) this.#deps.nacked()
  }

  #request(pdu: Pdu, fault: PduFault | undefined): void {
    const { count, log, link, requests } = this.#deps
    const { command } = pdu
    if (command === 'alert_notification') return count('smpp_rx_handled', { command })
    if (command === 'outbind') {
      log.warn({ link: link.id }, 'outbind refused: we connect to the SMSC')
      return count('smpp_rx_dropped', { command, reason: 'outbind' })
    }
    requests.open(pdu)
    if (command === 'enquire_link') return link.respond(pdu, STATUS.ESME_ROK)
    if (command === 'unbind') {
      link.respond(pdu, STATUS.ESME_ROK)
      return this.#deps.unbound()
    }
    const refusal = isKnown(command)
      ? (this.#bindFault(command) ?? fault)
      : { status: STATUS.ESME_RINVCMDID, why: 'unknown-command' }
    if (refusal) return this.#refuse(pdu, refusal)
    if (this.#deps.leaving()) return this.#defer(pdu)
    this.#hand(pdu)
  }

  /** An ESME hears deliver_sm and data_sm, once bound to receive. (SMPP v3.4 §2.3, table 2-1) */
  #bindFault(command: string): PduFault | undefined {
    const hears = command === 'deliver_sm' || command === 'data_sm'
    if (hears && this.#deps.serving() && this.#deps.role !== 'transmitter') return undefined
    return { status: STATUS.ESME_RINVBNDSTS, why: 'bind-state' }
  }

  #refuse(pdu: Pdu, { status, why }: PduFault): void {
    const { log, link } = this.#deps
    log.warn({ link: link.id, command: pdu.command, why, status: statusText(status) }, 'request of the SMSC refused')
    link.respond(pdu, status)
  }

  /**
   * It crossed our unbind. A temporary error has the SMSC deliver it again, on a bind that lives. (SMPP v3.4 §5.1.3)
   */
  #defer(pdu: Pdu): void {
    this.#deps.count('smpp_rx_deferred', { command: labelOf(pdu.command) })
    this.#deps.link.respond(pdu, STATUS.ESME_RX_T_APPN)
  }

  /** A handler that fails harms its own dialogue, never the link. */
  #hand(pdu: Pdu): void {
    const { count, log, link, onRequest } = this.#deps
    const failed = (error: unknown) => {
      count('smpp_handler_failed', { how: 'threw' })
      log.error({ link: link.id, err: error }, 'the handler of a request failed')
      link.respond(pdu, STATUS.ESME_RX_T_APPN)
    }
    try {
      onRequest(pdu, link)?.then(undefined, failed)
    } catch (error) {
      failed(error)
    }
  }
}

/** Names of the table only: a peer can invent any number of commands. */
function labelOf(command: string): string {
  return isKnown(command) ? command : 'unknown'
}
