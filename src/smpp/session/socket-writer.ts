/**
 * The outbox of one link. It gathers octets over an event-loop turn, writes them at once, and watches for a peer that
 * takes none.
 */
import type { Socket } from 'node:net'
import type { Clock } from '../../ussd/index.ts'
import { monotonicClock } from '../../base/index.ts'
import type { Leaving } from '../types.ts'
import type { LineLimits } from './settings.ts'
import type { SmppCounter } from './counters.ts'
import type { WindowRequest } from './window.ts'

/** Octets that are this late for the socket are asked about: the process was stopped, or its event loop stood still. */
const LATE_MS = 500

/** After the last octets were written: time for them to arrive, and for the peer to close. */
const LINGER_MS = 1_000

export interface SocketWriterDeps {
  clock: Clock
  count(name: SmppCounter, labels?: Record<string, string>): void
  /** The octets of this request are late. True: they are taken back. */
  recall(request: WindowRequest): boolean
  /** The peer stopped taking octets, or takes them again. */
  stalled(stalled: boolean): void
  /** The peer has taken no octets for too long. */
  stuck(): void
}

export class SocketWriter {
  readonly #socket: Socket
  readonly #limits: LineLimits
  readonly #deps: SocketWriterDeps
  readonly #now: () => number
  #gathered: Buffer[] = []
  /** Of the octets in the same place: the request that may be taken back. */
  #requests: (WindowRequest | undefined)[] = []
  #gatheredMs = 0
  /** Those that want to know when what is gathered has left. */
  #leaving: Leaving[] = []
  #scheduled = false
  #stuck: (() => void) | undefined
  #ended = false

  constructor(socket: Socket, limits: LineLimits, deps: SocketWriterDeps) {
    this.#socket = socket
    this.#limits = limits
    this.#deps = deps
    this.#now = monotonicClock(deps.clock)
    socket.on('drain', () => this.#drained())
  }

  /**
   * The octets leave together with everything else of this event-loop turn. Those of `request` may be taken back if
   * they are late.
   */
  write(octets: Buffer, request?: WindowRequest): void {
    if (this.#gathered.push(octets) === 1) this.#gatheredMs = this.#now()
    this.#requests.push(request)
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => this.#flush())
  }

  /** Tells it when the system has everything that is gathered now. */
  tell(leaving: Leaving): void {
    this.#leaving.push(leaving)
  }

  stalled(): boolean {
    return this.#stuck !== undefined
  }

  /** Writes what is gathered, then closes the socket. */
  end(): void {
    this.#flush()
    this.#ended = true
    this.#stuck?.()
    this.#stuck = undefined
    if (this.#socket.destroyed) return
    if (this.#socket.connecting || this.#socket.pending) {
      this.#socket.destroy()
      return
    }
    this.#socket.end()
    // Unread octets would turn our FIN into a reset, and the last octets that we wrote would be lost.
    this.#socket.resume()
    const cancel = this.#deps.clock.after(LINGER_MS, () => this.#socket.destroy())
    this.#socket.once('close', cancel)
  }

  #flush(): void {
    this.#scheduled = false
    const [gathered, requests, leaving] = [this.#gathered, this.#requests, this.#leaving]
    if (!gathered.length || this.#ended) return
    this.#gathered = []
    this.#requests = []
    this.#leaving = []
    if (this.#socket.destroyed || !this.#socket.writable) return
    const isLate = this.#now() - this.#gatheredMs >= LATE_MS
    const isKept = (request: WindowRequest | undefined) => !request || !this.#deps.recall(request)
    const octets = isLate ? gathered.filter((_, n) => isKept(requests[n])) : gathered
    if (!octets.length) return
    const written = octets.length === 1 ? octets[0]! : Buffer.concat(octets)
    if (leaving.length) this.#socket.write(written, (error) => error ?? leaving.forEach((one) => one.left()))
    else this.#socket.write(written)
    this.#deps.count('smpp_write')
    if (this.#stuck || this.#socket.writableLength <= this.#limits.outOctetsMax) return
    this.#deps.count('smpp_limit', { limit: 'outOctetsMax' })
    this.#stuck = this.#deps.clock.after(this.#limits.drainMs, () => this.#deps.stuck())
    this.#deps.stalled(true)
  }

  #drained(): void {
    if (!this.#stuck) return
    this.#stuck()
    this.#stuck = undefined
    this.#deps.stalled(false)
  }
}
