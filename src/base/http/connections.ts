/**
 * Limits the connections of one of our HTTP servers. If all places are taken, a new connection replaces one that is
 * idle: of the caller with the most idle connections, the one that has been idle longest. So connections that are only
 * held open keep nobody out, however fast one caller opens them. A connection is idle until its request is whole.
 * Connections with a whole request stay; if all have one, the new connection is closed.
 */
import type { Server, ServerResponse, IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { callerOf } from '../networks.ts'

/** `onFull` is called for each connection that was closed. */
export function boundConnections(server: Server, max: number, onFull: () => void): void {
  const idle = idleConnections()
  const open = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    open.add(socket)
    idle.add(socket)
    socket.once('close', () => {
      open.delete(socket)
      idle.delete(socket)
    })
    if (open.size <= max) return
    onFull()
    const longest = idle.next()!
    open.delete(longest)
    idle.delete(longest)
    longest.destroy()
  })
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const { socket, headers } = request
    const busy = () => idle.delete(socket)
    const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
    if (hasBody) request.once('end', busy)
    else busy()
    response.once('close', () => {
      request.off('end', busy)
      if (open.has(socket)) idle.add(socket)
    })
  })
}

/** Connections by their caller, each in the order in which they became idle. */
function idleConnections() {
  const byCaller = new Map<string, Set<Socket>>()
  // The address is unknown once a socket is closed.
  const callers = new WeakMap<Socket, string>()
  const remove = (socket: Socket) => {
    const caller = callers.get(socket) ?? ''
    const sockets = byCaller.get(caller)
    sockets?.delete(socket)
    if (sockets?.size === 0) byCaller.delete(caller)
  }
  return {
    add(socket: Socket) {
      remove(socket)
      const caller = callers.get(socket) ?? callerOf(socket.remoteAddress ?? '')
      callers.set(socket, caller)
      byCaller.set(caller, (byCaller.get(caller) ?? new Set()).add(socket))
    },
    delete: remove,
    next(): Socket | undefined {
      let most: Set<Socket> | undefined
      for (const sockets of byCaller.values()) if (!most || sockets.size > most.size) most = sockets
      return most?.values().next().value
    },
  }
}
