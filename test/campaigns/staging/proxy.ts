/** A TCP proxy that misbehaves on request: between a daemon and Redis, Postgres, or an SMSC. */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/** What happens to connections from now on. */
export type Behaviour =
  | { is: 'pass' }
  /** Nothing listens; connections that stand are reset. */
  | { is: 'refuse' }
  /** Connections stand and are accepted; no octet passes either way. */
  | { is: 'black-hole' }
  | { is: 'delay'; ms: number }
  /** One octet at a time: every cut that TCP could make. */
  | { is: 'chunk' }
  /** Requests pass; the next connection that gets an answer loses it after `at` octets, and dies. Once. */
  | { is: 'drop-reply'; at: number; when?: (request: Buffer) => boolean }
  /** The next new connection dies after `at` octets in that direction. Once. */
  | { is: 'cut'; direction: 'up' | 'down'; at: number }
  /** The server seems to have said its last: the client gets a FIN, its own octets pass on. Once for all that stand. */
  | { is: 'half-close' }

export interface FaultProxy {
  readonly port: number
  readonly counts: { connections: number; up: number; down: number; struck: number }
  set(behaviour: Behaviour): Promise<void>
  close(): Promise<void>
}

interface Pair {
  client: Socket
  server: Socket
  /** Octets so far. */
  up: number
  down: number
  cut: { direction: 'up' | 'down'; at: number } | null
  /** Octets of the answer that are still let through; null: all. */
  leftOfReply: number | null
}

export async function faultProxy(target: { host: string; port: number }): Promise<FaultProxy> {
  const pairs = new Set<Pair>()
  const counts = { connections: 0, up: 0, down: 0, struck: 0 }
  let behaviour: Behaviour = { is: 'pass' }
  let server = newServer()
  await listen(server, 0)
  const { port } = server.address() as AddressInfo

  function newServer(): Server {
    return createServer({ allowHalfOpen: true }, (client) => accept(client))
  }

  function accept(client: Socket): void {
    counts.connections++
    const pair: Pair = {
      client,
      server: connect({ ...target, allowHalfOpen: true }),
      up: 0,
      down: 0,
      cut: null,
      leftOfReply: null,
    }
    if (behaviour.is === 'cut') {
      pair.cut = behaviour
      behaviour = { is: 'pass' }
    }
    pairs.add(pair)
    for (const socket of [pair.client, pair.server]) {
      socket.setNoDelay(true)
      socket.on('error', () => kill(pair))
      socket.on('close', () => kill(pair))
    }
    pair.client.on('data', (octets) => carry(pair, 'up', octets))
    pair.server.on('data', (octets) => carry(pair, 'down', octets))
    pair.client.on('end', () => {
      if (behaviour.is !== 'black-hole') pair.server.end()
    })
    pair.server.on('end', () => {
      if (behaviour.is !== 'black-hole') pair.client.end()
    })
  }

  function kill(pair: Pair): void {
    pairs.delete(pair)
    pair.client.destroy()
    pair.server.destroy()
  }

  function carry(pair: Pair, direction: 'up' | 'down', octets: Buffer): void {
    if (behaviour.is === 'black-hole') return
    if (direction === 'up' && behaviour.is === 'drop-reply' && (behaviour.when?.(octets) ?? true)) {
      pair.leftOfReply = behaviour.at
      behaviour = { is: 'pass' }
    }
    const let_ = allowance(pair, direction)
    const passed = octets.subarray(0, let_)
    pair[direction] += passed.length
    counts[direction] += passed.length
    write(direction === 'up' ? pair.server : pair.client, passed)
    if (let_ >= octets.length) return
    counts.struck++
    setImmediate(() => kill(pair))
  }

  /** How many octets more may pass that way. */
  function allowance(pair: Pair, direction: 'up' | 'down'): number {
    if (pair.cut?.direction === direction) return Math.max(0, pair.cut.at - pair[direction])
    if (direction === 'up' || pair.leftOfReply === null) return Infinity
    return pair.leftOfReply
  }

  function write(socket: Socket, octets: Buffer): void {
    if (socket.destroyed || octets.length === 0) return
    if (behaviour.is === 'delay') return void setTimeout(() => socket.write(octets), behaviour.ms)
    if (behaviour.is !== 'chunk') return void socket.write(octets)
    for (const octet of octets) socket.write(Buffer.of(octet))
  }

  return {
    port,
    counts,
    async set(next) {
      const before = behaviour.is
      behaviour = next
      if (next.is === 'refuse' && before !== 'refuse') {
        const closed = new Promise((done) => server.close(done))
        for (const pair of pairs) kill(pair)
        await closed
      }
      if (next.is !== 'refuse' && before === 'refuse') {
        server = newServer()
        await listen(server, port)
      }
      // What a black hole swallowed cannot be taken up again: those connections are dead once it is over.
      if (before === 'black-hole' && next.is !== 'black-hole') for (const pair of pairs) kill(pair)
      if (next.is === 'half-close') for (const pair of pairs) pair.client.end()
    },
    async close() {
      for (const pair of pairs) kill(pair)
      if (behaviour.is !== 'refuse') await new Promise((done) => server.close(done))
    },
  }
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((done, fail) => {
    server.once('error', fail)
    server.listen(port, '127.0.0.1', () => done())
  })
}

/** The same address, through the proxy. */
export function through(url: string, proxy: FaultProxy): string {
  const changed = new URL(url)
  changed.hostname = '127.0.0.1'
  changed.port = String(proxy.port)
  return changed.toString()
}

/** Where a URL leads, for a proxy to be put before it. */
export function targetOf(url: string): { host: string; port: number } {
  const { hostname, port, protocol } = new URL(url)
  return { host: hostname, port: Number(port) || (protocol.startsWith('redis') ? 6_379 : 5_432) }
}
