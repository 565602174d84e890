/**
 * How many connections an HTTP server of ours has at once. Where they are all taken, a newcomer gets the place of the
 * one that has asked for nothing for longest: connections that are only held open keep nobody out. Those with a request
 * under way stay; where all have one, the newcomer goes.
 */
import type { Server, ServerResponse, IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'

/** `onFull` hears of each connection that had to go. */
export function boundConnections(server: Server, max: number, onFull: () => void): void {
  // In the order in which they fell idle; one that a request has come over is not among them until that is answered.
  const idle = new Set<Socket>()
  const open = new Set<Socket>()
  const forget = (socket: Socket) => void (open.delete(socket), idle.delete(socket))
  server.on('connection', (socket: Socket) => {
    open.add(socket)
    idle.add(socket)
    socket.once('close', () => forget(socket))
    if (open.size <= max) return
    onFull()
    const longest = idle.values().next().value!
    forget(longest)
    longest.destroy()
  })
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    idle.delete(socket)
    response.once('close', () => open.has(socket) && idle.add(socket))
  })
}
