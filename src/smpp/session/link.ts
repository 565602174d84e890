/**
 * The link: one connection of one bind, from its socket to its end. What is to be done is decided elsewhere, without
 * effects: with a PDU of the SMSC in inbound.ts, with a request of ours in window.ts, with one of the SMSC's in
 * open-requests.ts. It is done here. A link never reconnects; see bind.ts.
 */
import type { Socket } from 'node:net'
import type { Clock } from '../../ussd/index.ts'
import type { Log } from '../../base/index.ts'
import type { BindEvent } from '../../../machines/bind.ts'
import type { LossCause } from '../../../machines/bind-tries.ts'
import type { LinkPort, OutageTold, Pdu, SubmitOutcome } from '../types.ts'
import type { Endpoint, LineLimits, SmscSettings } from './settings.ts'
import type { LineCap } from './cap.ts'
import type { AnswerTimes } from './answer-times.ts'
import type { Pace } from './pace.ts'
import { Alarm } from './alarm.ts'
import { bindRequest, withoutPassword, type BindRole } from './bind-request.ts'
import { lossLabel, type SmppCounter } from './counters.ts'
import {
  decode,
  encode,
  type Encoded,
  encodeNack,
  type FramingFault,
  isKnown,
  type PduFault,
  STATUS,
  statusLabel,
  statusText,
} from '../pdu/index.ts'
import { inboundTodo } from './inbound.ts'
import { type EndedRequest, OpenRequests } from './open-requests.ts'
import { SocketReader } from './socket-reader.ts'
import { SocketWriter } from './socket-writer.ts'
import { isForeign, openSocket, type Connect } from './socket.ts'
import type { Together } from './together.ts'
import { type LateResponse, type LinkCommand, Window, type WindowRequest } from './window.ts'

/** Gets octets as they pass. The password of a bind request is masked. */
export type Tap = (direction: 'in' | 'out', octets: Buffer, link: LinkPort) => void

/** What the bind machine needs to know. LOST comes once, at the end; not after drop(). */
export type LinkEvent =
  | Exclude<BindEvent, { type: 'START' | 'STOP' | 'LOST' }>
  | { type: 'LOST'; cause: LossCause; why: string }

/** The line, as its binds and links see it. */
export interface LinePort {
  readonly name: string
  count(name: SmppCounter, labels?: Record<string, string>): void
  /** A deliver_sm or data_sm. */
  onRequest(pdu: Pdu, link: LinkPort): Promise<void> | void
  /** A request of ours has ended. */
  ended(request: WindowRequest, outcome: SubmitOutcome): void
  onLate(late: LateResponse): void
  /** Requests that waited for a slot. */
  handBack(requests: WindowRequest[]): void
  onState(bind: string, state: string): void
  onOutage(told: OutageTold): void
}

export interface LinkDeps {
  id: string
  role: BindRole
  to: Endpoint
  smsc: SmscSettings
  limits: LineLimits
  pace: Pace
  answers?: AnswerTimes | undefined
  cap: LineCap | undefined
  /** Of the line. Absent: what is read is handled at once. */
  together: Together | undefined
  clock: Clock
  log: Log
  line: LinePort
  /** Tells the bind. */
  tell(event: LinkEvent): void
  tap?: Tap | undefined
  /** Default: openSocket. */
  connect?: Connect | undefined
}

export class Link implements LinkPort {
  readonly id: string
  readonly line: string
  readonly port: number
  readonly #deps: LinkDeps
  readonly #window: Window
  readonly #requests: OpenRequests
  readonly #alarms: Record<'deadlines' | 'pause' | 'answers', Alarm>
  readonly #socket: Socket
  readonly #inbox: SocketReader
  readonly #outbox: SocketWriter
  #state: 'opening' | 'open' | 'bound' | 'leaving' | 'closed' = 'opening'
  #nacks = 0
  #error: Error | undefined
  #drained: (() => void) | undefined

  /** Starts to connect. Throws if the address or the TLS settings are unusable. */
  constructor(deps: LinkDeps) {
    this.id = deps.id
    this.line = deps.line.name
    this.port = deps.to.port
    this.#deps = deps
    const { limits, clock, line } = deps
    const { windowSlots: slots, ussdShare, queueMax } = limits
    const capped = deps.cap && { cap: deps.cap, pump: () => this.#carryOut() }
    this.#window = new Window({ slots, ussdShare, queueMax }, deps.pace, clock, capped, deps.answers)
    this.#requests = new OpenRequests(limits, clock)
    this.#alarms = {
      deadlines: new Alarm(clock, () => (this.#window.expire(), this.#carryOut())),
      pause: new Alarm(clock, () => this.#carryOut()),
      answers: new Alarm(clock, () => this.#answerOverdue()),
    }
    this.#socket = (deps.connect ?? openSocket)(deps.to, deps.smsc.tls, () => this.#connected())
    this.#outbox = new SocketWriter(this.#socket, limits, {
      clock,
      count: (name, labels) => line.count(name, labels),
      recall: (request) => this.#recall(request),
      stalled: (stalled) => this.#stalled(stalled),
      stuck: () => this.#lose('peer-does-not-read', 'lost'),
    })
    this.#inbox = new SocketReader(this.#socket, limits, {
      clock,
      received: (frame) => this.#received(frame),
      broken: (fault) => this.#broken(fault),
      isFull: () => this.#requests.full() || this.#outbox.stalled(),
      isAwaited: () => this.#window.awaitsResponse(),
      together: deps.together,
    })
    this.#socket.on('error', (error) => (this.#error = error))
    this.#socket.on('close', () => this.#lose(this.#reason(), isForeign(this.#error) ? 'foreign' : 'lost'))
  }

  respond(request: Pdu, status: number, as?: 'duplicate'): void {
    const wasFull = this.#requests.full()
    const ended = this.#requests.answer(request, status, as)
    if (!ended) return
    this.#ended(ended)
    if (wasFull && !this.#requests.full()) this.#inbox.read()
    this.#tellDrained()
  }

  /** True while the link accepts submits. */
  maySubmit(): boolean {
    return this.#state === 'bound' && this.#deps.role !== 'receiver'
  }

  /** False if the lane is full. */
  offer(request: WindowRequest): boolean {
    const isTaken = this.#window.offer(request)
    if (isTaken) this.#carryOut()
    return isTaken
  }

  load(): number {
    return this.#window.load()
  }

  window(): Pick<Window, 'slots' | 'taken' | 'ahead' | 'slotMs' | 'pausedMs' | 'smsSlots'> {
    return this.#window
  }

  /** Milliseconds since the last octets of the peer; 0 while we are the ones who do not read. */
  silentMs(): number {
    return this.#inbox.silentMs()
  }

  /** Writes the bind request. (SMPP v3.4 §4.1) */
  bind(): void {
    const { smsc, role } = this.#deps
    const coded = bindRequest(role, smsc)
    if ('fault' in coded) this.#lose(`uncodable: ${coded.fault}`, 'lost')
    else this.#control(coded, `bind_${role}`)
  }

  /** Writes enquire_link. Any answer is reported to the machine. */
  enquire(): void {
    this.#control(encode({ command: 'enquire_link', body: {}, tlvs: [] }), 'enquire_link')
  }

  /** Tells when nothing is in flight in either direction. Requests that the SMSC begins meanwhile are deferred. */
  drain(): void {
    this.#whenDrained(() => this.#deps.tell({ type: 'DRAINED' }))
  }

  /** Writes unbind; accepts no more submits. */
  unbind(): void {
    if (this.#state === 'bound') this.#state = 'leaving'
    this.#deps.line.handBack(this.#window.retire())
    this.#control(encode({ command: 'unbind', body: {}, tlvs: [] }), 'unbind')
  }

  /** Ends the connection. The machine asked for it, so it is not told. */
  drop(why: string): void {
    this.#close(why)
    this.#socket.destroy()
  }

  #connected(): void {
    if (this.#state !== 'opening') return
    this.#state = 'open'
    this.#deps.tell({ type: 'CONNECTED' })
  }

  /** Does with one whole PDU what is to be done. It ends in exactly one counter, now or when it is answered. */
  #received(frame: Buffer): void {
    const { line, tap, role, log } = this.#deps
    const [state, link] = [this.#state, this.id]
    if (state === 'closed') return
    tap?.('in', frame, this)
    const { pdu, fault, stray, odd } = decode(frame)
    const command = labelOf(pdu)
    line.count('smpp_rx', { command })
    if (odd && !fault) line.count('smpp_tolerated', { what: 'field-length' })
    if (stray) line.count('smpp_tolerated', { what: 'stray-octets' })
    const receives = (state === 'bound' || state === 'leaving') && role !== 'transmitter'
    const todo = inboundTodo(pdu, fault, receives, state === 'leaving' || this.#drained !== undefined)
    if (todo.do === 'match') return this.#match(pdu, fault)
    if (todo.do === 'note') return line.count('smpp_rx_handled', { command })
    if (todo.do === 'drop') return this.#dropped(pdu, todo.reason)
    this.#opened(pdu, frame.length)
    if (todo.do === 'hand') return this.#hand(pdu)
    const { status } = todo
    if (todo.do === 'defer') line.count('smpp_rx_deferred', { command })
    if (todo.do === 'refuse')
      log.warn({ link, command: pdu.command, why: todo.why, status: statusText(status) }, 'request of the SMSC refused')
    this.respond(pdu, status)
    if (todo.do === 'unbind') this.#unboundByPeer()
  }

  #dropped(pdu: Pdu, reason: 'outbind' | 'nack-0' | 'unknown-response'): void {
    const { line, log } = this.#deps
    line.count('smpp_rx_dropped', { command: labelOf(pdu), reason })
    if (reason === 'outbind') log.warn({ link: this.id }, 'outbind refused: we connect to the SMSC')
    if (reason !== 'nack-0') return
    log.warn({ link: this.id, status: statusText(pdu.status) }, 'generic_nack without a sequence number')
    // The SMSC could not read a header of ours. Once may be an accident; twice means that framing is lost. (SMPP v3.4
    // §4.3)
    if (++this.#nacks > 1) this.#lose('nack-0', 'lost')
  }

  /** A response, for whatever it answers. */
  #match(pdu: Pdu, fault: PduFault | undefined): void {
    const { line, log, tell } = this.#deps
    const command = labelOf(pdu)
    // The SMSC took or refused the request, whatever else is in its response.
    if (fault) line.count('smpp_tolerated', { what: 'bad-response-body' })
    const match = this.#window.answer(pdu)
    if (match === 'wrong-command' || match === 'unexpected-response' || match === 'late-response')
      line.count('smpp_rx_dropped', { command, reason: match })
    else line.count('smpp_rx_handled', { command })
    if (match === 'wrong-command') log.error({ link: this.id, command }, 'response to a command that was not sent')
    else if (match === 'enquire_link') tell({ type: 'ENQUIRED' })
    else if (match === 'unbind') tell({ type: 'UNBOUND' })
    else if (match.startsWith('bind_')) this.#bindAnswered(pdu)
    this.#carryOut()
  }

  #bindAnswered(pdu: Pdu): void {
    const { line, log, tell } = this.#deps
    if (this.#state !== 'open') return
    if (pdu.command === 'generic_nack' || pdu.status !== STATUS.ESME_ROK) {
      const status = pdu.status || STATUS.ESME_RBINDFAIL
      line.count('smpp_bind_refused', { status: statusLabel(status) })
      log.debug({ link: this.id, status: statusText(status) }, 'bind refused')
      return tell({ type: 'REFUSED', status })
    }
    this.#state = 'bound'
    tell({ type: 'BOUND' })
    this.#window.open()
  }

  #opened(pdu: Pdu, octets: number): void {
    const limit = this.#requests.open(pdu, octets)
    this.#alarms.answers.by(this.#requests.dueMs())
    if (!limit) return
    this.#deps.line.count('smpp_limit', { limit })
    this.#inbox.read()
  }

  #ended({ counter, labels, octets }: EndedRequest): void {
    this.#deps.line.count(counter, labels)
    if (octets) this.#write(octets)
  }

  /** A handler that fails harms its own dialogue, never the link. */
  #hand(pdu: Pdu): void {
    const { line, log } = this.#deps
    const failed = (error: unknown) => {
      line.count('smpp_handler_failed', { how: 'threw' })
      log.error({ link: this.id, err: error }, 'the handler of a request failed')
      this.respond(pdu, STATUS.ESME_RX_T_APPN)
    }
    try {
      line.onRequest(pdu, this)?.then(undefined, failed)
    } catch (error) {
      failed(error)
    }
  }

  /** Answers in place of handlers that say nothing. */
  #answerOverdue(): void {
    const { line, log } = this.#deps
    for (const request of this.#requests.overdue()) {
      line.count('smpp_handler_failed', { how: 'silent' })
      log.error({ link: this.id }, 'a request of the SMSC was not answered by its handler')
      this.respond(request, STATUS.ESME_RX_T_APPN)
    }
    this.#alarms.answers.by(this.#requests.dueMs())
  }

  /** Does what the window has to be done. */
  #carryOut(): void {
    for (let one = this.#window.next(); one; one = this.#window.next()) {
      if (!('octets' in one)) this.#deps.line.onLate(one)
      else if (!one.outcome) this.#submit(one)
      else this.#deps.line.ended(one, one.outcome)
    }
    this.#alarms.deadlines.by(this.#window.dueMs())
    this.#alarms.pause.by(this.#window.pausedUntilMs())
    this.#tellDrained()
  }

  #submit(request: WindowRequest): void {
    const { octets, lane, leaving } = request
    this.#deps.line.count('smpp_tx_submit', { lane })
    if (!leaving) return this.#write(octets, request)
    // What is said because it leaves goes first. So it is not taken back.
    leaving.leaves(this.id)
    this.#write(octets)
    this.#outbox.tell(leaving)
  }

  #recall(request: WindowRequest): boolean {
    const isRecalled = this.#window.recall(request)
    this.#carryOut()
    return isRecalled
  }

  #control(coded: Encoded, command: LinkCommand): void {
    if (this.#state === 'closed' || 'fault' in coded) return
    this.#window.control(coded.octets, command)
    this.#write(coded.octets)
  }

  #broken(fault: FramingFault | 'pdu-half-sent'): void {
    if (fault === 'pdu-half-sent') return this.#lose(fault, 'lost')
    const { speaks, commandLength } = fault
    this.#deps.line.count('smpp_framing_fault', { speaks })
    this.#deps.log.error({ link: this.id, speaks, commandLength }, 'framing lost: this is not SMPP')
    this.#write(encodeNack(STATUS.ESME_RINVCMDLEN, 0))
    this.#lose('framing', speaks === 'smpp' || speaks === 'nothing-known' ? 'lost' : 'foreign')
  }

  /** Waits briefly for the responses in flight, then closes. */
  #unboundByPeer(): void {
    if (this.#state === 'leaving' || this.#state === 'closed') return
    this.#state = 'leaving'
    this.#deps.line.handBack(this.#window.retire())
    const gone = () => this.#lose('unbound-by-smsc', 'unbound')
    const cancel = this.#deps.clock.after(this.#deps.limits.leaveMs, gone)
    this.#whenDrained(() => (cancel(), gone()))
  }

  #whenDrained(run: () => void): void {
    this.#drained = run
    this.#tellDrained()
  }

  #tellDrained(): void {
    if (!this.#drained || this.#window.load() > 0 || this.#requests.size() > 0) return
    const drained = this.#drained
    this.#drained = undefined
    drained()
  }

  /** `request`: whose octets they are, if they may be taken back. */
  #write(octets: Buffer, request?: WindowRequest): void {
    if (this.#state === 'closed') return
    this.#deps.tap?.('out', this.#state === 'open' ? withoutPassword(octets) : octets, this)
    this.#outbox.write(octets, request)
  }

  #stalled(stalled: boolean): void {
    this.#window.holdSms(stalled)
    this.#carryOut()
    this.#inbox.read()
  }

  #reason(): string {
    return this.#error ? ((this.#error as NodeJS.ErrnoException).code ?? this.#error.name) : 'closed-by-peer'
  }

  #lose(why: string, cause: LossCause): void {
    if (this.#state === 'closed') return
    this.#close(why)
    this.#deps.tell({ type: 'LOST', cause, why })
  }

  #close(why: string): void {
    if (this.#state === 'closed') return
    const wasBound = this.#state === 'bound' || this.#state === 'leaving'
    this.#state = 'closed'
    // outage.ts writes the warnings.
    this.#deps.log[wasBound ? 'info' : 'debug']({ link: this.id, why }, 'link closed')
    if (wasBound) this.#deps.line.count('smpp_link_lost', { why: lossLabel(why) })
    this.#drained = undefined
    this.#inbox.end()
    this.#outbox.end()
    for (const ended of this.#requests.close()) this.#ended(ended)
    const waiting = this.#window.close()
    this.#carryOut()
    for (const alarm of Object.values(this.#alarms)) alarm.off()
    this.#deps.line.handBack(waiting)
  }
}

/** Only names of the table: a peer can invent any number of commands. */
function labelOf({ command }: Pdu): string {
  return isKnown(command) ? command : 'unknown'
}
