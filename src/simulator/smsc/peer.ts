/**
 * One connection of an ESME to the simulated SMSC: its socket, its bind state, and our requests that it has not
 * answered.
 */
import type { Socket } from 'node:net'
import type { Clock } from '../../ussd/index.ts'
import type { Pdu, PduBody, Tlv } from '../../smpp/index.ts'
import { readPdu, writePdu, pduFramer, COMMANDS_BY_NAME, COMMAND_STATUS } from '../codec/index.ts'
import type { Act } from './chaos.ts'

export type BindMode = 'transceiver' | 'receiver' | 'transmitter'

/** What became of one of our requests. */
export type RequestOutcome = { kind: 'answered'; status: number; pdu: Pdu } | { kind: 'timeout' } | { kind: 'lost' }

export interface PeerHooks {
  /** Called for a request or an unexpected response of the ESME, decoded. */
  onRequest(peer: Peer, pdu: Pdu): void
  /** Called for a whole frame before it is decoded. True: it is handled. */
  onFrame(peer: Peer, frame: Buffer): boolean
  onClosed(peer: Peer): void
  tap(peer: Peer, direction: 'in' | 'out', octets: Buffer): void
  /** Called for a response to no open request. */
  onStray(peer: Peer, pdu: Pdu): void
}

interface Waiting {
  command: string
  done(outcome: RequestOutcome): void
  callOff(): void
}

const SEQUENCE_MAX = 0x7fffffff

/** Owns the socket. What it writes in one turn of the event loop is sent in one piece. */
export class Peer {
  readonly id: string
  readonly remotePort: number
  systemId = ''
  mode: BindMode | null = null
  state: 'open' | 'bound' | 'unbinding' | 'closed' = 'open'
  /** Wall-clock milliseconds of the last change of state. */
  sinceMs: number
  isHalfOpen = false
  private readonly socket: Socket
  private readonly clock: Clock
  private readonly hooks: PeerHooks
  private readonly waiting = new Map<number, Waiting>()
  private sequence = 0
  private isCorked = false
  private isFramingLost = false

  constructor(id: string, socket: Socket, clock: Clock, hooks: PeerHooks) {
    this.id = id
    this.socket = socket
    this.clock = clock
    this.hooks = hooks
    this.sinceMs = clock.now()
    this.remotePort = socket.remotePort ?? 0
    socket.setNoDelay(true)
    const cut = pduFramer((frame) => this.take(frame))
    socket.on('data', (octets: Buffer) => {
      if (!this.isFramingLost && !cut.push(octets)) this.loseFraming()
    })
    socket.on('error', () => undefined) // 'close' follows and is enough
    socket.on('close', () => this.closed())
  }

  get canReceive(): boolean {
    return this.state === 'bound' && this.mode !== 'transmitter' && !this.isHalfOpen
  }

  get unanswered(): number {
    return this.waiting.size
  }

  to(state: Peer['state']): void {
    this.state = state
    this.sinceMs = this.clock.now()
  }

  /** Sends a request with the next sequence number; `act` may change it. `done` is called exactly once. */
  request(
    pdu: { command: string; body?: PduBody; tlvs?: Tlv[] },
    withinMs: number,
    done: (outcome: RequestOutcome) => void,
    act?: Act,
  ): void {
    if (this.state === 'closed') return done({ kind: 'lost' })
    const sequence = this.nextSequence()
    const callOff = this.clock.after(withinMs, () => this.settle(sequence, { kind: 'timeout' }))
    this.waiting.set(sequence, { command: `${pdu.command}_resp`, done, callOff })
    const octets = writePdu({ ...pdu, body: pdu.body ?? {}, sequence })
    if (act?.is === 'cut') this.cut(octets, act.at)
    else this.write(octets)
  }

  /** Answers a request; `act` may change the answer. Without `body` the response is only a header. */
  respond(request: Pdu, answer: { status?: number; body?: PduBody; tlvs?: Tlv[] }, act?: Act): void {
    const command = `${request.command}_resp`
    const octets = writePdu({ command, sequence: request.sequence, ...answer })
    switch (act?.is) {
      case 'drop-response':
        return
      case 'delay':
        return void this.clock.after(act.ms, () => this.write(octets))
      case 'answer-twice':
        this.write(octets)
        break
      case 'wrong-sequence':
        octets.writeUInt32BE((request.sequence + 1000) & SEQUENCE_MAX, 12)
        break
      case 'wrong-command':
        return this.write(writePdu({ command: 'enquire_link_resp', sequence: request.sequence }))
      case 'cut':
        return this.cut(octets, act.at)
      case 'close':
        return this.close()
      case 'half-open':
        return this.halfOpen()
      default:
    }
    this.write(octets)
    if (act?.is === 'unbind') this.unbind(10_000)
  }

  nack(sequence: number, status: number): void {
    this.write(writePdu({ command: 'generic_nack', status, sequence }))
  }

  /** Writes octets unchanged. */
  write(octets: Buffer): void {
    if (this.state === 'closed' || this.isHalfOpen || this.socket.destroyed) return
    this.hooks.tap(this, 'out', octets)
    if (!this.isCorked) {
      this.isCorked = true
      this.socket.cork()
      process.nextTick(() => {
        this.isCorked = false
        this.socket.uncork()
      })
    }
    this.socket.write(octets)
  }

  /** Writes the first octets of a PDU, then closes the connection. */
  cut(octets: Buffer, at: number): void {
    this.write(octets.subarray(0, Math.max(0, Math.min(at, octets.length))))
    process.nextTick(() => process.nextTick(() => this.socket.end(() => this.close())))
  }

  /** Stops reading and answering; the connection stays open. */
  halfOpen(): void {
    this.isHalfOpen = true
    this.socket.pause()
  }

  /** Closes the connection at once, without unbind. */
  close(): void {
    this.socket.destroy()
    this.closed()
  }

  unbind(withinMs: number): void {
    if (this.state === 'closed') return
    this.to('unbinding')
    this.request({ command: 'unbind' }, withinMs, () => this.end())
  }

  /** Sends what is written, then closes. */
  end(): void {
    if (this.state === 'closed') return
    this.socket.end()
    const callOff = this.clock.after(2_000, () => this.close())
    this.socket.once('close', callOff)
  }

  private take(frame: Buffer): void {
    if (this.isHalfOpen || this.state === 'closed') return
    this.hooks.tap(this, 'in', frame)
    if (this.hooks.onFrame(this, frame)) return
    const decoded = readPdu(frame)
    if (!decoded.ok) return this.refuse(decoded)
    const pdu = decoded.pdu
    if (pdu.command === 'generic_nack' || pdu.command.endsWith('_resp')) return this.takeResponse(pdu)
    this.hooks.onRequest(this, pdu)
  }

  private takeResponse(pdu: Pdu): void {
    const waiting = this.waiting.get(pdu.sequence)
    const isIts = waiting && (pdu.command === waiting.command || pdu.command === 'generic_nack')
    if (!isIts) return this.hooks.onStray(this, pdu)
    this.settle(pdu.sequence, { kind: 'answered', status: pdu.status, pdu })
  }

  private settle(sequence: number, outcome: RequestOutcome): void {
    const waiting = this.waiting.get(sequence)
    if (!waiting) return
    this.waiting.delete(sequence)
    waiting.callOff()
    waiting.done(outcome)
  }

  /**
   * Answers octets that are not a PDU: with the command's response if the command is known, otherwise with
   * generic_nack.
   */
  private refuse(bad: { command: string; sequence: number; status: number }): void {
    if (bad.command.endsWith('_resp')) return
    if (bad.command.startsWith('unknown_0x8')) return
    const command = `${bad.command}_resp`
    if (!COMMANDS_BY_NAME.has(command)) return this.nack(bad.sequence, COMMAND_STATUS.ESME_RINVCMDID)
    this.write(writePdu({ command, sequence: bad.sequence, status: bad.status, body: {} }))
  }

  /** Nobody knows where the next PDU begins: generic_nack with sequence 0, then close. (SMPP v3.4 §4.3) */
  private loseFraming(): void {
    this.isFramingLost = true
    this.nack(0, COMMAND_STATUS.ESME_RINVCMDLEN)
    this.to('unbinding')
    this.end()
  }

  private closed(): void {
    if (this.state === 'closed') return
    this.to('closed')
    for (const sequence of this.waiting.keys()) this.settle(sequence, { kind: 'lost' })
    this.hooks.onClosed(this)
  }

  private nextSequence(): number {
    do this.sequence = this.sequence >= SEQUENCE_MAX ? 1 : this.sequence + 1
    while (this.waiting.has(this.sequence))
    return this.sequence
  }
}
