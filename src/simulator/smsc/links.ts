/** The links of ESMEs: where they come from, which are bound, and whether they are alive. */
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import type { Clock } from '../../ussd/index.ts'
import type { SimBindRow, SmscEvents } from './events.ts'
import { Peer, type PeerHooks } from './peer.ts'

/** Opens a port, or a substitute, and passes each connection on. */
export type Listen = (accept: (socket: Socket) => void) => Promise<Listening>

export interface Listening {
  port: number
  close(): Promise<void>
}

export interface SmscLinks {
  readonly peers: ReadonlySet<Peer>
  /** The bound connections, oldest first. */
  binds(): SimBindRow[]
  /** Resolves when this many binds are up. */
  bound(count: number, withinMs: number): Promise<void>
  /** Resolves with the port. Sends enquire_link on every link at this interval. 0: never. */
  open(listen: Listen, enquireMs: number): Promise<number>
  close(): Promise<void>
}

export interface SmscLinksDeps {
  clock: Clock
  events: SmscEvents
  hooks: Omit<PeerHooks, 'onClosed'>
}

export function smscLinks({ clock, events, hooks }: SmscLinksDeps): SmscLinks {
  const peers = new Set<Peer>()
  const binds = () => [...peers].filter((peer) => peer.state === 'bound').map(bindRowOf)
  let serial = 0
  let listening: Listening | undefined
  let stopEnquiries = (): void => undefined

  function accept(socket: Socket): void {
    const onClosed = (peer: Peer): void => {
      peers.delete(peer)
      events.emit({ is: 'bind', bind: bindRowOf(peer) })
    }
    peers.add(new Peer(`link-${++serial}`, socket, clock, { ...hooks, onClosed }))
  }

  function bound(count: number, withinMs: number): Promise<void> {
    const isThere = (): boolean => binds().length >= count
    if (isThere()) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const over = (then: () => void): void => {
        unwatch()
        callOff()
        then()
      }
      const unwatch = events.watch((event) => {
        if (event.is === 'bind' && isThere()) over(resolve)
      })
      const callOff = clock.after(withinMs, () =>
        over(() => reject(new Error(`fewer than ${count} binds within ${withinMs} ms`))),
      )
    })
  }

  return {
    peers,
    binds,
    bound,
    async open(listen, enquireMs) {
      listening = await listen(accept)
      stopEnquiries = enquire(enquireMs, peers, clock)
      return listening.port
    },
    async close() {
      stopEnquiries()
      for (const peer of peers) peer.close()
      await listening?.close()
    },
  }
}

export function bindRowOf(peer: Peer): SimBindRow {
  return {
    id: peer.id,
    systemId: peer.systemId,
    mode: peer.mode ?? '',
    state: peer.isHalfOpen ? 'half-open' : peer.state,
    sinceMs: peer.sinceMs,
    unanswered: peer.unanswered,
  }
}

export interface ListenOptions {
  host?: string
  port?: number
  tls?: { key: string | Buffer; cert: string | Buffer }
}

/** A TCP port, or a TLS port with `tls`. */
export function listenAt({ tls, port = 0, host = '127.0.0.1' }: ListenOptions): Listen {
  return (accept) =>
    new Promise((done, fail) => {
      const server = tls ? createTlsServer(tls, accept) : createServer(accept)
      server.once('error', fail)
      server.listen(port, host, () => {
        server.removeListener('error', fail)
        server.on('error', () => undefined)
        const close = () => new Promise<void>((closed) => server.close(() => closed()))
        done({ port: (server.address() as AddressInfo).port, close })
      })
    })
}

/** Sends enquire_link on every bind. After two without an answer the bind is closed. (SMPP v3.4 §7.2) */
function enquire(everyMs: number, peers: ReadonlySet<Peer>, clock: Clock): () => void {
  if (everyMs <= 0) return () => undefined
  const misses = new WeakMap<Peer, number>()
  let callOff = clock.after(everyMs, round)
  function round(): void {
    for (const peer of peers) {
      if (peer.state !== 'bound') continue
      peer.request({ command: 'enquire_link' }, everyMs, (outcome) => {
        const missed = outcome.kind === 'answered' ? 0 : (misses.get(peer) ?? 0) + 1
        misses.set(peer, missed)
        if (missed >= 2) peer.close()
      })
    }
    callOff = clock.after(everyMs, round)
  }
  return () => callOff()
}
