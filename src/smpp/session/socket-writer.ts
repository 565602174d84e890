/** The outbox of one link: octets gathered over an event-loop turn, one write for all, and watch over what is stuck. */
import type { Socket } from 'node:net'
import type { Clock } from '../../ussd/index.ts'
import type { LineLimits } from './settings.ts'
import type { SmppCounter } from './counters.ts'

/** After the last octets were written: time for them to leave, and for the peer to close. */
const LINGER_MS = 1_000

export interface SocketWriterDeps {
  clock: Clock
  count(name: SmppCounter, labels?: Record<string, string>): void
  /** The peer has stopped, or resumed, taking octets. */
  stalled(stalled: boolean): void
  /** It has taken none for too long. */
  stuck(): void
}

export class SocketWriter {
  readonly #socket: Socket
  readonly #limits: LineLimits
  readonly #deps: SocketWriterDeps
  #gathered: Buffer[] = []
  #scheduled = false
  #stuck: (() => void) | undefined
  #ended = false

  constructor(socket: Socket, limits: LineLimits, deps: SocketWriterDeps) {
    this.#socket = socket
    this.#limits = limits
    this.#deps = deps
    socket.on('drain', () => this.#drained())
  }

  /** Leaves with everything else of this event-loop turn. */
  write(octets: Buffer): void {
    this.#gathered.push(octets)
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => this.#flush())
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
    // Octets still unread would turn our FIN into a reset and take the last words with it.
    this.#socket.resume()
    const cancel = this.#deps.clock.after(LINGER_MS, () => this.#socket.destroy())
    this.#socket.once('close', cancel)
  }

  #flush(): void {
    this.#scheduled = false
    const octets = this.#gathered
    if (!octets.length || this.#ended) return
    this.#gathered = []
    if (this.#socket.destroyed || !this.#socket.writable) return
    this.#socket.write(octets.length === 1 ? octets[0]! : Buffer.concat(octets))
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
