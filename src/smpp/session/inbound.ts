/** What one link does with the PDUs that it reads: which handler gets them, and what is answered if none may. */
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
  /** True from bind_resp until the link ends. */
  serving(): boolean
  /** We are unbinding, or the SMSC is: what begins now could no longer be answered. */
  leaving(): boolean
  onRequest(pdu: Pdu, link: LinkPort): Promise<void> | void
  /** The SMSC sent unbind, and we answered it. */
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

  /** Takes one whole PDU. It ends in exactly one counter, now or when it is answered. */
  frame(frame: Buffer): void {
    const { count } = this.#deps
    const { pdu, fault, stray, odd } = decode(frame)
    count('smpp_rx', { command: labelOf(pdu.command) })
    if (odd && !fault) count('smpp_tolerated', { what: 'field-length' })
    if (stray) count('smpp_tolerated', { what: 'stray-octets' })
    if (isResponse(pdu.command) || frame.readUInt8(4) & 0x80) this.#response(pdu, fault)
    else this.#request(pdu, fault, frame.length)
  }

  #response(pdu: Pdu, fault: PduFault | undefined): void {
    const { count, log, link, window } = this.#deps
    const command = labelOf(pdu.command)
    if (command === 'unknown') return count('smpp_rx_dropped', { command, reason: 'unknown-response' })
    if (pdu.command === 'generic_nack' && pdu.sequence === 0) return this.#nackZero(pdu)
    // The SMSC took or refused the request, whatever else is in its response.
    if (fault) count('smpp_tolerated', { what: 'bad-response-body' })
    const answered = window.answer(pdu)
    if (answered === 'matched') return count('smpp_rx_handled', { command })
    count('smpp_rx_dropped', { command, reason: answered })
    if (answered === 'wrong-command') log.error({ link: link.id, command }, 'response to a command that was not sent')
  }

  /**
   * The SMSC could not read a header of ours. Once may be an accident; twice means that framing is lost. (SMPP v3.4
   * §4.3)
   */
  #nackZero(pdu: Pdu): void {
    const { count, log, link } = this.#deps
    count('smpp_rx_dropped', { command: 'generic_nack', reason: 'nack-0' })
    log.warn({ link: link.id, status: statusText(pdu.status) }, 'generic_nack without a sequence number')
    if (++this.#nacks > 1) this.#deps.nacked()
  }

  #request(pdu: Pdu, fault: PduFault | undefined, octets: number): void {
    const { count, log, link, requests } = this.#deps
    const { command } = pdu
    if (command === 'alert_notification') return count('smpp_rx_handled', { command })
    if (command === 'outbind') {
      log.warn({ link: link.id }, 'outbind refused: we connect to the SMSC')
      return count('smpp_rx_dropped', { command, reason: 'outbind' })
    }
    requests.open(pdu, octets)
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

  /** An ESME accepts deliver_sm and data_sm only on a bind that receives. (SMPP v3.4 §2.3, table 2-1) */
  #bindFault(command: string): PduFault | undefined {
    const isDelivery = command === 'deliver_sm' || command === 'data_sm'
    if (isDelivery && this.#deps.serving() && this.#deps.role !== 'transmitter') return undefined
    return { status: STATUS.ESME_RINVBNDSTS, why: 'bind-state' }
  }

  #refuse(pdu: Pdu, { status, why }: PduFault): void {
    const { log, link } = this.#deps
    log.warn({ link: link.id, command: pdu.command, why, status: statusText(status) }, 'request of the SMSC refused')
    link.respond(pdu, status)
  }

  /**
   * The request crossed our unbind. After a temporary error the SMSC delivers it again, on a live bind. (SMPP v3.4
   * §5.1.3)
   */
  #defer(pdu: Pdu): void {
    this.#deps.count('smpp_rx_deferred', { command: labelOf(pdu.command) })
    this.#deps.link.respond(pdu, STATUS.ESME_RX_T_APPN)
  }

  #hand(pdu: Pdu): void {
    try {
      this.#deps.onRequest(pdu, this.#deps.link)?.then(undefined, (error: unknown) => this.#failed(pdu, error))
    } catch (error) {
      this.#failed(pdu, error)
    }
  }

  /** A handler that fails harms its own dialogue, never the link. */
  #failed(pdu: Pdu, error: unknown): void {
    const { count, log, link } = this.#deps
    count('smpp_handler_failed', { how: 'threw' })
    log.error({ link: link.id, err: error }, 'the handler of a request failed')
    link.respond(pdu, STATUS.ESME_RX_T_APPN)
  }
}

/** Only names of the table: a peer can invent any number of commands. */
function labelOf(command: string): string {
  return isKnown(command) ? command : 'unknown'
}
