/**
 * TCP in memory: byte streams that are late, cut into other pieces than they were written in, held up, or broken. What
 * one connection carries stays in order; between connections nothing is.
 */
import type { Socket } from 'node:net'
import type { Chance } from '../../src/ussd/vocabulary.ts'
import type { Host } from './host.ts'
import { Pipe, SimSocket, type Item } from './socket.ts'
import type { Scheduler } from './scheduler.ts'

export interface Net {
  /** Listens at a name. */
  listen(at: string, server: Host, accept: (socket: Socket) => void): void
  /** Connects from a process; errors and closing come through the socket. */
  connect(from: Host, to: string, ready: () => void): Socket
  /** Nothing passes, either way, until it is let go: octets wait, as in a network that sends them again. */
  clog(client: string, clogged: boolean): void
  /** One way takes that much longer. */
  slow(client: string, ms: number): void
  /** Breaks every connection of that process: what is on its way is lost, and each end hears of it in its own time. */
  cut(client: string): void
  /** The same, but neither end hears of it: only silence tells. */
  deafen(client: string): void
  /** Refuses new connections, and ends those that are there. */
  refuse(at: string, refuses: boolean): void
}

const LATENCY_MS = [0.2, 8] as const
const REFUSED_MS = 1
/** Of the deliveries, those that come in two pieces. */
const SPLIT = 0.08

interface Server {
  host: Host
  accept: (socket: Socket) => void
  refuses: boolean
}

interface Connection {
  client: string
  at: string
  ends: SimSocket[]
}

export function net(scheduler: Scheduler, chance: Chance): Net {
  const servers = new Map<string, Server>()
  const clogged = new Set<string>()
  const slow = new Map<string, number>()
  let connections: Connection[] = []
  let serial = 0

  const latency = (client: string) =>
    LATENCY_MS[0] + chance() * (LATENCY_MS[1] - LATENCY_MS[0]) + (slow.get(client) ?? 0) * chance()
  const of = (client: string) => connections.filter((one) => one.client === client)
  const split = (item: Item): Item[] => {
    if (item.is !== 'octets' || item.octets.length < 2 || chance() >= SPLIT) return [item]
    const at = 1 + Math.floor(chance() * (item.octets.length - 1))
    return [
      { is: 'octets', octets: item.octets.subarray(0, at) },
      { is: 'octets', octets: item.octets.subarray(at) },
    ]
  }

  function pair(from: Host, server: Server, at: string): [SimSocket, SimSocket] {
    const name = `${from.name}~${++serial}`
    const pipe = (label: string) =>
      new Pipe(scheduler, `net ${name}${label}`, {
        latencyMs: () => latency(from.name),
        isClogged: () => clogged.has(from.name),
        split,
      })
    const client = new SimSocket(from, serial)
    const accepted = new SimSocket(server.host, serial)
    client.join(accepted, pipe('>'))
    accepted.join(client, pipe('<'))
    connections = connections.filter((one) => one.ends.some((end) => !end.destroyed))
    connections.push({ client: from.name, at, ends: [client, accepted] })
    return [client, accepted]
  }

  function connect(from: Host, to: string, ready: () => void): Socket {
    const server = servers.get(to)!
    const [client, accepted] = pair(from, server, to)
    const arrive = (): void => {
      if (client.destroyed || accepted.destroyed) return client.fail('ECONNRESET')
      if (clogged.has(from.name)) return void scheduler.after(50, `net ${from.name} syn`, arrive)
      if (server.refuses) return client.fail('ECONNREFUSED')
      server.accept(accepted.asSocket())
      scheduler.after(latency(from.name), `net ${from.name} up`, () => {
        if (client.destroyed || !from.alive()) return
        client.connecting = false
        ready()
      })
    }
    scheduler.after(server.refuses ? REFUSED_MS : latency(from.name), `net ${from.name} syn`, arrive)
    return client.asSocket()
  }

  return {
    connect,
    listen: (at, server, accept) => void servers.set(at, { host: server, accept, refuses: false }),
    clog(client, isClogged) {
      if (isClogged) clogged.add(client)
      else clogged.delete(client)
      if (!isClogged) for (const { ends } of of(client)) for (const end of ends) end.pipe?.go()
    },
    slow: (client, ms) => void slow.set(client, ms),
    cut(client) {
      for (const { ends } of of(client)) {
        for (const end of ends) {
          end.pipe?.break()
          scheduler.after(chance() * 50, `net ${client} reset`, () => end.fail('ECONNRESET'))
        }
      }
    },
    deafen(client) {
      for (const { ends } of of(client)) for (const end of ends) end.pipe?.break()
    },
    refuse(at, refuses) {
      servers.get(at)!.refuses = refuses
      if (!refuses) return
      for (const { ends } of connections.filter((one) => one.at === at)) ends[1]!.destroy()
    },
  }
}
