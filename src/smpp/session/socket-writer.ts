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

/** Octets that are this late for the socket are asked about: the process was stopped, or its event loop stood still. */
const LATE_MS = 500

/** After the last octets were written: time for them to arrive, and for the peer to close. */
const LINGER_MS = 1_000

export interface SocketWriterDeps {
  clock: Clock
  count(name: SmppCounter, labels?: Record<string, string>): void
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
  #gathered: { octets: Buffer; recall: (() => boolean) | undefined }[] = []
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
   * The octets leave together with everything else of this event-loop turn. If they are late, `recall` may take them
   * back.
   */
  write(octets: Buffer, recall?: () => boolean): void {
    if (this.#gathered.push({ octets, recall }) === 1) this.#gatheredMs = this.#now()
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
    const gathered = this.#gathered
    if (!gathered.length || this.#ended) return
    const leaving = this.#leaving
    this.#gathered = []
    this.#leaving = []
    if (this.#socket.destroyed || !this.#socket.writable) return
    const isLate = this.#now() - this.#gatheredMs >= LATE_MS
    const octets = gathered.flatMap((one) => (isLate && one.recall?.() ? [] : [one.octets]))
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
