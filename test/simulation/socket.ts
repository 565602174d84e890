/** One end of a connection in memory: of node's Socket, what the link and the simulated SMSC use. */
import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import type { Host } from './host.ts'
import type { Scheduler } from './scheduler.ts'

export type Item = { is: 'octets'; octets: Buffer } | { is: 'end' }

export interface PipeManners {
  latencyMs(): number
  isClogged(): boolean
  split(item: Item): Item[]
}

/** One way of a connection: in order, late, and perhaps broken. */
export class Pipe {
  readonly #scheduler: Scheduler
  readonly #label: string
  readonly #manners: PipeManners
  readonly #items: { item: Item; readyMs: number }[] = []
  #deliver: (item: Item) => void = () => undefined
  #lastMs = 0
  #isGoing = false
  #isBroken = false

  constructor(scheduler: Scheduler, label: string, manners: PipeManners) {
    this.#scheduler = scheduler
    this.#label = label
    this.#manners = manners
  }

  leadsTo(deliver: (item: Item) => void): void {
    this.#deliver = deliver
  }

  /** Octets that have not arrived. */
  length(): number {
    return this.#items.reduce((sum, { item }) => sum + (item.is === 'octets' ? item.octets.length : 0), 0)
  }

  put(item: Item): void {
    if (this.#isBroken) return
    for (const piece of this.#manners.split(item)) {
      this.#lastMs = Math.max(this.#lastMs, this.#scheduler.nowMs() + this.#manners.latencyMs())
      this.#items.push({ item: piece, readyMs: this.#lastMs })
    }
    this.go()
  }

  /** Carries on, if it may. */
  go(): void {
    const first = this.#items[0]
    if (!first || this.#isGoing || this.#manners.isClogged()) return
    this.#isGoing = true
    this.#scheduler.after(first.readyMs - this.#scheduler.nowMs(), this.#label, () => {
      this.#isGoing = false
      if (this.#isBroken || this.#manners.isClogged()) return
      const next = this.#items.shift()
      if (next) this.#deliver(next.item)
      this.go()
    })
  }

  /** Nothing arrives any more. */
  break(): void {
    this.#isBroken = true
    this.#items.length = 0
  }
}

export class SimSocket extends EventEmitter {
  readonly remotePort: number
  readonly pending = false
  connecting = true
  destroyed = false
  writable = true
  pipe: Pipe | undefined
  readonly #host: Host
  readonly #unread: Item[] = []
  #isPaused = false
  #isFull = false

  constructor(host: Host, port: number) {
    super()
    this.#host = host
    this.remotePort = port
    // A dead process' sockets are closed by its kernel.
    host.onDeath(() => this.#close())
  }

  /** The way out leads to that end. */
  join(other: SimSocket, pipe: Pipe): void {
    this.pipe = pipe
    pipe.leadsTo((item) => {
      this.#drained()
      other.#arrive(item)
    })
  }

  /** The rest of node's Socket is not used; whoever does will find it missing. */
  asSocket(): Socket {
    return this as unknown as Socket
  }

  get writableLength(): number {
    return this.pipe?.length() ?? 0
  }

  write(octets: Buffer): boolean {
    if (this.destroyed || !this.writable) return false
    this.pipe?.put({ is: 'octets', octets: Buffer.from(octets) })
    this.#isFull = this.writableLength > 16_384
    return !this.#isFull
  }

  end(done?: () => void): this {
    if (this.writable && !this.destroyed) {
      this.writable = false
      this.pipe?.put({ is: 'end' })
    }
    if (done) this.#host.after(0, `${this.#host.name} ended`, done)
    return this
  }

  destroy(): this {
    this.#close()
    return this
  }

  fail(code: string): void {
    if (this.destroyed || !this.#host.alive()) return
    if (this.listenerCount('error')) this.emit('error', Object.assign(new Error(code), { code }))
    this.#close()
  }

  pause(): this {
    this.#isPaused = true
    return this
  }

  resume(): this {
    this.#isPaused = false
    for (const item of this.#unread.splice(0)) this.#arrive(item)
    return this
  }

  isPaused(): boolean {
    return this.#isPaused
  }

  setNoDelay(): this {
    return this
  }

  cork(): void {}

  uncork(): void {}

  #arrive(item: Item): void {
    if (this.destroyed || !this.#host.alive()) return
    if (this.#isPaused) return void this.#unread.push(item)
    if (item.is === 'octets') return void this.emit('data', item.octets)
    this.emit('end')
    this.#close()
  }

  #close(): void {
    if (this.destroyed) return
    if (this.writable) this.pipe?.put({ is: 'end' })
    this.destroyed = true
    this.writable = false
    this.#host.after(0, `${this.#host.name} close`, () => void this.emit('close'))
  }

  #drained(): void {
    if (!this.#isFull || this.writableLength > 0 || !this.#host.alive()) return
    this.#isFull = false
    this.emit('drain')
  }
}
