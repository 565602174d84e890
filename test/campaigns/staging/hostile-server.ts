/**
 * A back end that means harm, in a process of its own (so that its memory is not ours): `node --import tsx
 * test/campaigns/staging/hostile-server.ts TRAP`. The first word of a path says how; TRAP is where its redirects lead. Prints
 * its port.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { constants, createBrotliCompress, createDeflate, createGzip } from 'node:zlib'

const trap = process.argv[2]!
const BOMB_OCTETS = 256 * 1024 * 1024
const JSON_TYPE = { 'content-type': 'application/json' }
const DRIP_MS = 20

const zeros = () =>
  Readable.from(
    (function* () {
      const block = Buffer.alloc(1_048_576, 0x20)
      for (let octets = 0; octets < BOMB_OCTETS; octets += block.length) yield block
    })(),
  )
const bombs: Record<string, Buffer> = {
  gzip: await buffer(zeros().pipe(createGzip())),
  deflate: await buffer(zeros().pipe(createDeflate())),
  br: await buffer(zeros().pipe(createBrotliCompress({ params: { [constants.BROTLI_PARAM_QUALITY]: 2 } }))),
}

/** Writes as long as somebody reads. */
function endless(socket: ServerResponse | Socket, piece: string): void {
  const more = () => {
    if (!socket.destroyed && socket.writable) socket.write(piece, () => setImmediate(more))
  }
  more()
}

/** A piece now and then, for ever. */
function drip(socket: ServerResponse | Socket, piece: string): void {
  const timer = setInterval(() => (socket.destroyed ? clearInterval(timer) : socket.write(piece)), DRIP_MS)
}

const HARM: Record<string, (request: IncomingMessage, response: ServerResponse) => void> = {
  good: (_request, response) => void response.writeHead(200, JSON_TYPE).end('{"a":1}'),
  large: (_request, response) => void response.writeHead(200, JSON_TYPE).end(JSON.stringify('x'.repeat(200_000))),
  twice: (_request, response) =>
    void response.writeHead(200, { ...JSON_TYPE, 'content-encoding': 'gzip, gzip' }).end(bombs.gzip),
  'drip-body': (_request, response) => drip(response.writeHead(200, JSON_TYPE), ' '),
  'drip-head': ({ socket }) => void (socket.write('HTTP/1.1 200 OK\r\n'), drip(socket, 'x')),
  silent: () => undefined,
  'endless-body': (_request, response) => endless(response.writeHead(200, JSON_TYPE), 'x'.repeat(65_536)),
  'endless-error': (_request, response) => endless(response.writeHead(500, JSON_TYPE), 'x'.repeat(65_536)),
  'endless-head': ({ socket }) =>
    void (socket.write('HTTP/1.1 200 OK\r\n'), endless(socket, `x-${'a'.repeat(200)}: ${'b'.repeat(4_000)}\r\n`)),
  'endless-hints': ({ socket }) => endless(socket, 'HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n'),
  'long-line': ({ socket }) => endless(socket, `HTTP/1.1 200 ${'O'.repeat(65_536)}`),
  'long-length': (_request, response) =>
    void response.writeHead(200, { ...JSON_TYPE, 'content-length': '9007199254740991' }).write('{'),
  refresh: (_request, response) =>
    void response.writeHead(200, { ...JSON_TYPE, refresh: `0;url=${trap}`, location: trap }).end('{"a":1}'),
}
for (const [coding, octets] of Object.entries(bombs)) {
  HARM[coding] = (_request, response) =>
    void response.writeHead(200, { ...JSON_TYPE, 'content-encoding': coding }).end(octets)
}
for (const status of [300, 301, 302, 303, 305, 307, 308]) {
  HARM[String(status)] = (_request, response) =>
    void response.writeHead(status, { ...JSON_TYPE, location: trap }).end('{}')
  HARM[`${status}-relative`] = (_request, response) =>
    void response.writeHead(status, { location: trap.replace('http:', '') }).end()
}

const server = createServer((request, response) => {
  request.resume()
  response.on('error', () => undefined)
  request.socket.on('error', () => undefined)
  HARM[request.url!.split('/')[1]!]?.(request, response)
})
server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`))
