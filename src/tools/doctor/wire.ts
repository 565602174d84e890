/**
 * One connection to the examined SMSC: sends raw requests, times their answers, and keeps everything that passed as
 * evidence.
 */
import type { Socket } from 'node:net'
import { withoutPassword, type Endpoint, type TlsSettings, openSocket } from '../../smpp/session/index.ts'
import {
  decode,
  encode,
  encodeNack,
  encodeResponse,
  type Writable,
  isResponse,
  UNANSWERED,
  framer,
  type Framer,
  STATUS,
} from '../../smpp/pdu/index.ts'
import type { Pdu } from '../../smpp/index.ts'
import type { Clock } from '../../ussd/index.ts'
import type { Taped } from './finding.ts'

export interface WireDeps {
  to: Endpoint
  tls: TlsSettings | undefined
  clock: Clock
  connectMs: number
  /** Numbers the PDUs that pass. */
  order(): number
  /** Returns the status with which to answer a deliver_sm or data_sm. */
  onMessage?(pdu: Pdu, taped: Taped): number
}

/** What became of a request. `ms`: how long that took. */
export type WireAnswer = { asked: Taped; ms: number } & (
  | { is: 'answered'; pdu: Pdu; taped: Taped }
  | { is: 'silent' }
  | { is: 'closed' }
)

export class Wire {
  readonly socket: Socket
  readonly openedMs: number
  /** The enquire_link requests of the SMSC. */
  readonly enquiries: Taped[] = []
  /** The unbind of the SMSC. */
  unbound: Taped | undefined
  closedMs: number | undefined
  /** True: answers nothing any more. */
  isMute = false
  readonly #deps: WireDeps
  readonly #framer: Framer
  readonly #waiting = new Map<number, (answer: { pdu: Pdu; taped: Taped } | undefined) => void>()
  readonly #onClosed: (() => void)[] = []
  #sequence = 0

  constructor(socket: Socket, deps: WireDeps) {
    this.socket = socket
    this.#deps = deps
    this.openedMs = deps.clock.now()
    this.#framer = framer((frame) => this.#take(Buffer.from(frame)))
    socket.on('data', (chunk: Buffer) => {
      if (this.#framer.push(chunk)) socket.destroy()
    })
    socket.on('close', () => this.#closed())
  }

  /** Never rejects. A request that cannot be coded is our mistake, so it throws. */
  request(pdu: Writable, withinMs: number): Promise<WireAnswer> {
    const sequence = ++this.#sequence
    const coded = encode({ ...pdu, sequence })
    if ('fault' in coded) throw new Error(coded.fault)
    return this.octets(coded.octets, withinMs)
  }

  /** Like `request`, for octets that no coder writes. They contain our sequence number. */
  octets(octets: Buffer, withinMs: number): Promise<WireAnswer> {
    const sequence = octets.readUInt32BE(12) || ++this.#sequence
    octets.writeUInt32BE(sequence, 12)
    const { clock, order } = this.#deps
    const asked = { atMs: clock.now(), order: order(), from: 'esme' as const, octets: withoutPassword(octets) }
    if (this.closedMs !== undefined) return Promise.resolve({ asked, ms: 0, is: 'closed' })
    this.socket.write(octets)
    return new Promise((done) => {
      const over = (answer: { pdu: Pdu; taped: Taped } | undefined, is: 'silent' | 'closed') => {
        callOff()
        this.#waiting.delete(sequence)
        const ms = clock.now() - asked.atMs
        done(answer ? { asked, ms, is: 'answered', ...answer } : { asked, ms, is })
      }
      const callOff = clock.after(withinMs, () => over(undefined, 'silent'))
      this.#waiting.set(sequence, (answer) => over(answer, 'closed'))
    })
  }

  /** Resolves when the connection is closed, or after this time. */
  async whenClosed(withinMs: number): Promise<boolean> {
    if (this.closedMs !== undefined) return true
    await new Promise<void>((done) => {
      const callOff = this.#deps.clock.after(withinMs, done)
      this.#onClosed.push(() => (callOff(), done()))
    })
    return this.closedMs !== undefined
  }

  close(): void {
    this.socket.destroy()
    this.#closed()
  }

  #take(octets: Buffer): void {
    const { pdu, fault } = decode(octets)
    const taped = { atMs: this.#deps.clock.now(), order: this.#deps.order(), from: 'smsc' as const, octets }
    if (isResponse(pdu.command) || pdu.command.startsWith('unknown_0x8'))
      return this.#waiting.get(pdu.sequence)?.({ pdu, taped })
    if (pdu.command === 'enquire_link') this.enquiries.push(taped)
    if (pdu.command === 'unbind') this.unbound = taped
    if (this.isMute || UNANSWERED.has(pdu.command)) return
    if (pdu.command.startsWith('unknown'))
      return void this.socket.write(encodeNack(STATUS.ESME_RINVCMDID, pdu.sequence))
    const isMessage = pdu.command === 'deliver_sm' || pdu.command === 'data_sm'
    const status = fault?.status ?? (isMessage ? this.#deps.onMessage?.(pdu, taped) : 0) ?? 0
    this.socket.write(encodeResponse(pdu.command, status, pdu.sequence))
  }

  #closed(): void {
    if (this.closedMs !== undefined) return
    this.closedMs = this.#deps.clock.now()
    for (const settle of this.#waiting.values()) settle(undefined)
    for (const done of this.#onClosed.splice(0)) done()
  }
}

export type Opened = { ms: number } & ({ wire: Wire } | { failed: string })

/** `failed`: the error's code, such as ECONNREFUSED or CERT_HAS_EXPIRED, or connect-timeout. */
export function openWire(deps: WireDeps): Promise<Opened> {
  const { clock } = deps
  const start = clock.now()
  return new Promise((done) => {
    const over = (outcome: { wire: Wire } | { failed: string }) => {
      callOff()
      done({ ms: clock.now() - start, ...outcome })
    }
    const callOff = clock.after(deps.connectMs, () => {
      socket.destroy()
      over({ failed: 'connect-timeout' })
    })
    const socket = openSocket(deps.to, deps.tls, () => over({ wire: new Wire(socket, deps) }))
    // The first error is why it failed; a later one ends the connection.
    socket.on('error', (error: NodeJS.ErrnoException) => over({ failed: error.code ?? error.message }))
    socket.once('close', () => over({ failed: 'closed-by-peer' }))
  })
}
