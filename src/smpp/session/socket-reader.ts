/**
 * The reading half of one link. It makes PDUs of octets, gives way to others between them, and does not read while
 * there is no room for more. What comes often waits a moment (together.ts).
 */
import type { Socket } from 'node:net'
import type { Clock } from '../../ussd/index.ts'
import { monotonicClock, stretch } from '../../base/index.ts'
import type { LineLimits } from './settings.ts'
import type { Together, WaitTrial } from './together.ts'
import { framer, type Framer, type FramingFault } from '../pdu/index.ts'

/**
 * How long PDUs are handled before others have their turn; the rest waits for the next turn of the event loop. One read
 * of a socket may hold a thousand PDUs. A quick machine handles them within it.
 */
const READING_MS_MAX = 20

export interface SocketReaderDeps {
  clock: Clock
  /** One whole PDU. */
  received(frame: Buffer): void
  /** What comes is not SMPP, or a PDU that began does not end. Nothing more is read. */
  broken(fault: FramingFault | 'pdu-half-sent'): void
  isFull(): boolean
  /** Somebody waits for what may come next. */
  isAwaited(): boolean
  /** Absent: octets are handled when they come, however often. */
  together: Together | undefined
}

export class SocketReader {
  readonly #socket: Socket
  readonly #pduReadMs: number
  readonly #deps: SocketReaderDeps
  readonly #now: () => number
  readonly #framer: Framer
  /** Absent: octets are handled when they come. */
  readonly #trial: WaitTrial | undefined
  /** Read, but not handled yet. */
  #chunks: Buffer[] = []
  #readAt: number
  /** When it began to handle what is read now. */
  #readingAt = 0
  #isToGoOn = false
  #timer: { pdu: number; cancel: () => void } | undefined
  #ended = false

  constructor(socket: Socket, { pduOctetsMax, pduReadMs }: LineLimits, deps: SocketReaderDeps) {
    this.#socket = socket
    this.#pduReadMs = pduReadMs
    this.#deps = deps
    this.#now = monotonicClock(deps.clock)
    this.#readAt = this.#now()
    this.#trial = deps.together?.trial(this.#readAt)
    this.#framer = framer(
      (frame) => void (this.#ended || deps.received(frame)),
      pduOctetsMax,
      () => this.#now() - this.#readingAt < READING_MS_MAX,
    )
    socket.on('data', (chunk: Buffer) => this.#data(chunk))
    // What was read before the end was said before it.
    socket.on('end', this.#handle).on('close', this.#handle)
  }

  /** Milliseconds since the last octets of the peer; 0 while we are the ones who do not read. */
  silentMs(): number {
    return this.#socket.isPaused() ? 0 : this.#now() - this.#readAt
  }

  /** Reads on if there is room, stops if there is none. */
  read(): void {
    const [isWaiting, isFull] = [this.#framer.waiting(), this.#deps.isFull()]
    if (isWaiting && !isFull) this.#goOnLater()
    const stop = isWaiting || isFull
    if (stop === this.#socket.isPaused()) return
    this.#readAt = this.#now()
    this.#socket[stop ? 'pause' : 'resume']()
    this.#timePdu()
  }

  end(): void {
    this.#ended = true
    this.#timer?.cancel()
  }

  #data(chunk: Buffer): void {
    if (this.#ended) return
    this.#readAt = this.#now()
    this.#chunks.push(chunk)
    const { together, isAwaited } = this.#deps
    const waits = this.#trial?.waits(this.#readAt, this.#framer.completed()) && !isAwaited()
    if (waits) together!.add(this.#handle, chunk.length)
    else this.#handle()
  }

  readonly #handle = (): void => {
    if (this.#ended || this.#chunks.length === 0) return
    const octets = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks)
    this.#chunks = []
    this.#readingAt = this.#now()
    this.#taken(stretch('smpp-octets', this.#framer.push, octets))
  }

  #taken(fault: FramingFault | undefined): void {
    if (fault) return this.#deps.broken(fault)
    this.#timePdu()
    if (this.#framer.waiting() || this.#socket.isPaused()) this.read()
  }

  /** Handles more of what was read, in a turn of its own. */
  #goOnLater(): void {
    if (this.#isToGoOn) return
    this.#isToGoOn = true
    setImmediate(() => {
      this.#isToGoOn = false
      if (this.#ended || this.#deps.isFull()) return
      this.#readingAt = this.#now()
      this.#taken(stretch('smpp-octets', this.#framer.goOn))
    })
  }

  /** Each PDU that has begun must end within its own time limit. */
  #timePdu(): void {
    const isOpen = this.#framer.partial() && !this.#socket.isPaused() && !this.#ended
    const pdu = this.#framer.completed()
    if (isOpen && this.#timer?.pdu === pdu) return
    this.#timer?.cancel()
    this.#timer = isOpen
      ? { pdu, cancel: this.#deps.clock.after(this.#pduReadMs, () => this.#deps.broken('pdu-half-sent')) }
      : undefined
  }
}
