/** The link: one connection of one bind, from its socket to its end. It never reconnects; see bind.ts. */
import type { Socket } from 'node:net'
import type { Clock } from '../../ussd/index.ts'
import { type Log, monotonicClock } from '../../base/index.ts'
import type { LossCause } from '../../../machines/bind-tries.ts'
import type { WindowRequest, LateResponse } from './window.ts'
import type { Lane, LinkPort, Pdu } from '../types.ts'
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

/** Hears octets as they pass; the password of a bind request is blotted out. */
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
  /** What the bind machine wants to know. */
  hears: {
    connected(): void
    bound(): void
    refused(status: number): void
    enquired(): void
    unbound(): void
    /** Once, at the end; not after drop(). */
    lost(cause: LossCause, why: string): void
    /** Requests that were waiting for a slot. */
    handBack(entries: WindowRequest[]): void
  }
}

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
  #readTimer: { pdu: number; cancel: () => void } | undefined
  #error: Error | undefined
  #drained: (() => void) | undefined

  /** Starts to connect. Throws if the address or the TLS settings cannot be used at all. */
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
        write: (octets) => this.#write(octets),
        written: (lane: Lane) => deps.count('smpp_tx_submit', { lane }),
        late: deps.onLate,
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
    this.#framer = framer((frame) => {
      if (this.#state === 'closed') return
      deps.tap?.('in', frame, this)
      inbound.frame(frame)
    }, limits.pduOctetsMax)
    this.#socket.on('data', (chunk: Buffer) => this.#data(chunk))
    this.#socket.on('error', (error) => (this.#error = error))
    this.#socket.on('close', () => this.#lose(this.#reason(), isForeign(this.#error) ? 'foreign' : 'lost'))
  }

  respond(request: Pdu, status: number, as?: 'duplicate'): void {
    this.#requests.answer(request, status, as)
    this.#tellDrained()
  }

  /** True while a submit may be given to it. */
  maySubmit(): boolean {
    return this.#state === 'bound' && this.#deps.role !== 'receiver'
  }

  /** False: its lane is full. */
  offer(entry: WindowRequest): boolean {
    return this.#window.offer(entry)
  }

  load(): number {
    return this.#window.load()
  }

  /** Milliseconds since the peer was last heard; 0 while it is we who do not read. */
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
      this.#deps.hears.bound()
      this.#window.open()
    })
  }

  /** Writes enquire_link; any answer tells the machine. */
  enquire(): void {
    this.#control('enquire_link', () => this.#deps.hears.enquired())
  }

  /** Calls when nothing is under way either way; what the SMSC begins meanwhile is put off. */
  drain(drained: () => void): void {
    this.#drained = drained
    this.#tellDrained()
  }

  /** Writes unbind; takes no more submits. */
  unbind(): void {
    if (this.#state === 'bound') this.#state = 'leaving'
    this.#deps.hears.handBack(this.#window.retire())
    this.#control('unbind', () => this.#deps.hears.unbound())
  }

  /** Ends the connection; the machine, which asked for it, is not told. */
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
    this.#deps.hears.connected()
  }

  #refused(pdu: Pdu): void {
    const status = pdu.status || STATUS.ESME_RBINDFAIL
    this.#deps.count('smpp_bind_refused', { status: statusLabel(status) })
    this.#deps.log.debug({ link: this.id, status: statusText(status) }, 'bind refused')
    this.#deps.hears.refused(status)
  }

  #control(command: string, heard: () => void): void {
    if (this.#state === 'closed') return
    const coded = encode({ command, body: {}, tlvs: [] })
    if ('octets' in coded) this.#window.control(coded.octets, `${command}_resp`, heard)
  }

  #data(chunk: Buffer): void {
    if (this.#state === 'closed') return
    this.#readAt = this.#now()
    const fault = this.#framer.push(chunk)
    if (fault) return this.#framingLost(fault)
    this.#timePdu()
  }

  /** A PDU that has begun must end in time; each one has its own time. */
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

  /** Waits shortly for the responses under way, and goes. */
  #unboundByPeer(): void {
    if (this.#state === 'leaving' || this.#state === 'closed') return
    this.#state = 'leaving'
    this.#deps.hears.handBack(this.#window.retire())
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

  #write(octets: Buffer): void {
    if (this.#state === 'closed') return
    if (this.#deps.tap) this.#deps.tap('out', this.#state === 'open' ? withoutPassword(octets) : octets, this)
    this.#outbox.write(octets)
  }

  #stalled(stalled: boolean): void {
    this.#window.holdSms(stalled)
    this.#read()
  }

  /** Reads while there is room both ways. */
  #read(): void {
    const stop = this.#requests.full() || this.#outbox.stalled()
    if (stop === this.#socket.isPaused()) return
    this.#readAt = this.#now()
    this.#socket[stop ? 'pause' : 'resume']()
    this.#timePdu()
  }

  #reason(): string {
    return this.#error ? ((this.#error as NodeJS.ErrnoException).code ?? this.#error.name) : 'closed-by-peer'
  }

  #lose(why: string, cause: LossCause): void {
    if (this.#state === 'closed') return
    this.#close(why)
    this.#deps.hears.lost(cause, why)
  }

  #close(why: string): void {
    if (this.#state === 'closed') return
    const wasBound = this.#state === 'bound' || this.#state === 'leaving'
    this.#state = 'closed'
    // Warnings are the outage's (outage.ts).
    this.#deps.log[wasBound ? 'info' : 'debug']({ link: this.id, why }, 'link closed')
    if (wasBound) this.#deps.count('smpp_link_lost', { why: lossLabel(why) })
    this.#drained = undefined
    this.#readTimer?.cancel()
    this.#outbox.end()
    this.#requests.close()
    this.#deps.hears.handBack(this.#window.close())
  }
}
