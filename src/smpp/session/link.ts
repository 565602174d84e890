/** The link: one connection of one bind, from its socket to its end. It never reconnects; see bind.ts. */
import type { Socket } from 'node:net'
import type { Clock } from '../../ussd/index.ts'
import { type Log, monotonicClock, stretch } from '../../base/index.ts'
import type { LossCause } from '../../../machines/bind-tries.ts'
import type { WindowRequest, LateResponse } from './window.ts'
import type { Lane, Leaving, LinkPort, Pdu } from '../types.ts'
import type { Endpoint, LineLimits, SmscSettings } from './settings.ts'
import type { Pace } from './pace.ts'
import { lossLabel, type SmppCounter } from './counters.ts'
import { bindRequest, withoutPassword, type BindRole } from './bind-request.ts'
import {
  encode,
  encodeNack,
  framer,
  type Framer,
  type FramingFault,
  STATUS,
  statusLabel,
  statusText,
} from '../pdu/index.ts'
import { Inbound } from './inbound.ts'
import { SocketWriter } from './socket-writer.ts'
import { OpenRequests } from './open-requests.ts'
import { isForeign, openSocket, type Connect } from './socket.ts'
import { Window } from './window.ts'

/** Gets octets as they pass. The password of a bind request is masked. */
export type Tap = (direction: 'in' | 'out', octets: Buffer, link: LinkPort) => void

export interface LinkDeps {
  id: string
  line: string
  role: BindRole
  to: Endpoint
  smsc: SmscSettings
  limits: LineLimits
  pace: Pace
  clock: Clock
  log: Log
  count(name: SmppCounter, labels?: Record<string, string>): void
  onRequest(pdu: Pdu, link: LinkPort): Promise<void> | void
  onLate(late: LateResponse): void
  tap?: Tap | undefined
  /** Default: openSocket. */
  connect?: Connect | undefined
  /** What the bind machine needs to know. */
  events: {
    connected(): void
    bound(): void
    refused(status: number): void
    enquired(): void
    unbound(): void
    /** Called once, at the end; not after drop(). */
    lost(cause: LossCause, why: string): void
    /** Requests that waited for a slot. */
    handBack(entries: WindowRequest[]): void
  }
}

/**
 * How long PDUs are handled before others have their turn; the rest waits for the next turn of the event loop. One read
 * of a socket may hold a thousand PDUs. A quick machine handles them within it.
 */
const READING_MS_MAX = 20

export class Link implements LinkPort {
  readonly id: string
  readonly line: string
  readonly port: number
  readonly #deps: LinkDeps
  readonly #window: Window
  readonly #requests: OpenRequests
  readonly #framer: Framer
  readonly #socket: Socket
  readonly #outbox: SocketWriter
  #state: 'opening' | 'open' | 'bound' | 'leaving' | 'closed' = 'opening'
  readonly #now: () => number
  #readAt: number
  /** When it began to handle what is read now. */
  #readingAt = 0
  #isToGoOn = false
  #readTimer: { pdu: number; cancel: () => void } | undefined
  #error: Error | undefined
  #drained: (() => void) | undefined

  /** Starts to connect. Throws if the address or the TLS settings are unusable. */
  constructor(deps: LinkDeps) {
    this.id = deps.id
    this.line = deps.line
    this.port = deps.to.port
    this.#deps = deps
    this.#now = monotonicClock(deps.clock)
    this.#readAt = this.#now()
    const { limits, clock } = deps
    this.#socket = (deps.connect ?? openSocket)(deps.to, deps.smsc.tls, () => this.#connected())
    this.#outbox = new SocketWriter(this.#socket, limits, {
      clock,
      count: deps.count,
      stalled: (stalled) => this.#stalled(stalled),
      stuck: () => this.#lose('peer-does-not-read', 'lost'),
    })
    this.#window = new Window(
      { slots: limits.windowSlots, ussdShare: limits.ussdShare, queueMax: limits.queueMax },
      {
        clock,
        pace: deps.pace,
        write: (octets, recall) => this.#write(octets, recall),
        writeSurely: (octets, leaving) => {
          leaving.leaves(this.id)
          this.#write(octets, undefined, leaving)
        },
        written: (lane: Lane) => deps.count('smpp_tx_submit', { lane }),
        recalled: (lane: Lane) => deps.count('smpp_tx_recalled', { lane }),
        onLate: deps.onLate,
        idle: () => this.#tellDrained(),
      },
    )
    this.#requests = new OpenRequests(limits, {
      clock,
      write: (octets) => this.#write(octets),
      count: deps.count,
      full: () => this.#read(),
      silent: () => deps.log.error({ link: this.id }, 'a request of the SMSC was not answered by its handler'),
    })
    const inbound = this.#inbound()
    this.#framer = framer(
      (frame) => {
        if (this.#state === 'closed') return
        deps.tap?.('in', frame, this)
        inbound.frame(frame)
      },
      limits.pduOctetsMax,
      () => this.#now() - this.#readingAt < READING_MS_MAX,
    )
    this.#socket.on('data', (chunk: Buffer) => this.#data(chunk))
    this.#socket.on('error', (error) => (this.#error = error))
    this.#socket.on('close', () => this.#lose(this.#reason(), isForeign(this.#error) ? 'foreign' : 'lost'))
  }

  respond(request: Pdu, status: number, as?: 'duplicate'): void {
    this.#requests.answer(request, status, as)
    this.#tellDrained()
  }

  /** True while the link accepts submits. */
  maySubmit(): boolean {
    return this.#state === 'bound' && this.#deps.role !== 'receiver'
  }

  /** False if the lane is full. */
  offer(entry: WindowRequest): boolean {
    return this.#window.offer(entry)
  }

  load(): number {
    return this.#window.load()
  }

  window(): Pick<Window, 'slots' | 'ahead' | 'slotMs' | 'pausedMs' | 'smsSlots'> {
    return this.#window
  }

  /** Milliseconds since the last octets of the peer; 0 while we are the ones who do not read. */
  silentMs(): number {
    return this.#socket.isPaused() ? 0 : this.#now() - this.#readAt
  }

  /** Writes the bind request. (SMPP v3.4 §4.1) */
  bind(): void {
    const { smsc, role } = this.#deps
    const coded = bindRequest(role, smsc)
    if ('fault' in coded) return this.#lose(`uncodable: ${coded.fault}`, 'lost')
    this.#window.control(coded.octets, `bind_${role}_resp`, (pdu) => {
      if (this.#state !== 'open') return
      if (pdu.command === 'generic_nack' || pdu.status !== STATUS.ESME_ROK) return this.#refused(pdu)
      this.#state = 'bound'
      this.#deps.events.bound()
      this.#window.open()
    })
  }

  /** Writes enquire_link. Any answer is reported to the machine. */
  enquire(): void {
    this.#control('enquire_link', () => this.#deps.events.enquired())
  }

  /**
   * Calls `drained` when nothing is in flight in either direction. Requests that the SMSC begins meanwhile are
   * deferred.
   */
  drain(drained: () => void): void {
    this.#drained = drained
    this.#tellDrained()
  }

  /** Writes unbind; accepts no more submits. */
  unbind(): void {
    if (this.#state === 'bound') this.#state = 'leaving'
    this.#deps.events.handBack(this.#window.retire())
    this.#control('unbind', () => this.#deps.events.unbound())
  }

  /** Ends the connection. The machine asked for it, so it is not told. */
  drop(why: string): void {
    this.#close(why)
    this.#socket.destroy()
  }

  #inbound(): Inbound {
    const { role, log, count, onRequest } = this.#deps
    return new Inbound({
      link: this,
      role,
      log,
      count,
      onRequest,
      window: this.#window,
      requests: this.#requests,
      serving: () => this.#state === 'bound' || this.#state === 'leaving',
      leaving: () => this.#state === 'leaving' || this.#drained !== undefined,
      unbound: () => this.#unboundByPeer(),
      nacked: () => this.#lose('nack-0', 'lost'),
    })
  }

  #connected(): void {
    if (this.#state !== 'opening') return
    this.#state = 'open'
    this.#deps.events.connected()
  }

  #refused(pdu: Pdu): void {
    const status = pdu.status || STATUS.ESME_RBINDFAIL
    this.#deps.count('smpp_bind_refused', { status: statusLabel(status) })
    this.#deps.log.debug({ link: this.id, status: statusText(status) }, 'bind refused')
    this.#deps.events.refused(status)
  }

  #control(command: string, onResponse: () => void): void {
    if (this.#state === 'closed') return
    const coded = encode({ command, body: {}, tlvs: [] })
    if ('octets' in coded) this.#window.control(coded.octets, `${command}_resp`, onResponse)
  }

  #data(chunk: Buffer): void {
    if (this.#state === 'closed') return
    this.#readAt = this.#readingAt = this.#now()
    this.#taken(stretch('smpp-octets', this.#framer.push, chunk))
  }

  #taken(fault: FramingFault | undefined): void {
    if (fault) return this.#framingLost(fault)
    this.#timePdu()
    if (this.#framer.waiting() || this.#socket.isPaused()) this.#read()
  }

  /** Handles more of what was read, in a turn of its own. */
  #goOnLater(): void {
    if (this.#isToGoOn) return
    this.#isToGoOn = true
    setImmediate(() => {
      this.#isToGoOn = false
      if (this.#state === 'closed' || this.#isFull()) return
      this.#readingAt = this.#now()
      this.#taken(stretch('smpp-octets', this.#framer.goOn))
    })
  }

  /** Each PDU that has begun must end within its own time limit. */
  #timePdu(): void {
    const open = this.#framer.partial() && !this.#socket.isPaused() && this.#state !== 'closed'
    const pdu = this.#framer.completed()
    if (open && this.#readTimer?.pdu === pdu) return
    this.#readTimer?.cancel()
    this.#readTimer = open
      ? { pdu, cancel: this.#deps.clock.after(this.#deps.limits.pduReadMs, () => this.#lose('pdu-half-sent', 'lost')) }
      : undefined
  }

  #framingLost({ speaks, commandLength }: FramingFault): void {
    this.#deps.count('smpp_framing_fault', { speaks })
    this.#deps.log.error({ link: this.id, speaks, commandLength }, 'framing lost: this is not SMPP')
    this.#write(encodeNack(STATUS.ESME_RINVCMDLEN, 0))
    this.#lose('framing', speaks === 'smpp' || speaks === 'nothing-known' ? 'lost' : 'foreign')
  }

  /** Waits briefly for the responses in flight, then closes. */
  #unboundByPeer(): void {
    if (this.#state === 'leaving' || this.#state === 'closed') return
    this.#state = 'leaving'
    this.#deps.events.handBack(this.#window.retire())
    const gone = () => this.#lose('unbound-by-smsc', 'unbound')
    const cancel = this.#deps.clock.after(this.#deps.limits.leaveMs, gone)
    this.drain(() => (cancel(), gone()))
  }

  #tellDrained(): void {
    if (!this.#drained || this.#window.load() > 0 || this.#requests.size() > 0) return
    const drained = this.#drained
    this.#drained = undefined
    drained()
  }

  #write(octets: Buffer, recall?: () => boolean, leaving?: Leaving): void {
    if (this.#state === 'closed') return
    if (this.#deps.tap) this.#deps.tap('out', this.#state === 'open' ? withoutPassword(octets) : octets, this)
    this.#outbox.write(octets, recall)
    if (leaving) this.#outbox.tell(leaving)
  }

  #stalled(stalled: boolean): void {
    this.#window.holdSms(stalled)
    this.#read()
  }

  /** Reads while there is room in both directions. */
  #read(): void {
    const [isWaiting, isFull] = [this.#framer.waiting(), this.#isFull()]
    if (isWaiting && !isFull) this.#goOnLater()
    const stop = isWaiting || isFull
    if (stop === this.#socket.isPaused()) return
    this.#readAt = this.#now()
    this.#socket[stop ? 'pause' : 'resume']()
    this.#timePdu()
  }

  #isFull(): boolean {
    return this.#requests.full() || this.#outbox.stalled()
  }

  #reason(): string {
    return this.#error ? ((this.#error as NodeJS.ErrnoException).code ?? this.#error.name) : 'closed-by-peer'
  }

  #lose(why: string, cause: LossCause): void {
    if (this.#state === 'closed') return
    this.#close(why)
    this.#deps.events.lost(cause, why)
  }

  #close(why: string): void {
    if (this.#state === 'closed') return
    const wasBound = this.#state === 'bound' || this.#state === 'leaving'
    this.#state = 'closed'
    // outage.ts writes the warnings.
    this.#deps.log[wasBound ? 'info' : 'debug']({ link: this.id, why }, 'link closed')
    if (wasBound) this.#deps.count('smpp_link_lost', { why: lossLabel(why) })
    this.#drained = undefined
    this.#readTimer?.cancel()
    this.#outbox.end()
    this.#requests.close()
    this.#deps.events.handBack(this.#window.close())
  }
}
