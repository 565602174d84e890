/**
 * A small HTTP server for the replies of applications that answer later: it matches each reply with its question. It
 * refuses a reply that nobody waits for, so that the application knows.
 */
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { askedOf, fromForeignPage, boundConnections, createServer, httpTimes, stretch } from '../base/index.ts'
import type { HttpAnswer } from './contracts/index.ts'
import { REPLY_OCTETS_MAX } from './body.ts'

export interface AppReplies {
  port(): number
  /** Listens. */
  open(): Promise<void>
  /** The reply to that question; rejects when the signal fires. */
  expect(id: string, signal: AbortSignal): { reply: Promise<HttpAnswer>; forget(): void }
  close(): Promise<void>
}

export interface AppRepliesSettings {
  host: string
  port: number
  /** The field of a reply that names its question. */
  field: string
  /** The response to an expected reply. */
  receipt: { status: number; body: string }
  /** Called for each connection that was closed because there were too many. */
  onFull?(): void
}

const CONNECTIONS_MAX = 1_000

export function appReplies({ host, port, field, receipt, onFull = () => undefined }: AppRepliesSettings): AppReplies {
  const waiting = new Map<string, (answer: HttpAnswer) => void>()
  const server = createServer(httpTimes(), (request, response) => {
    if (fromForeignPage(askedOf(request))) return say(response, 403, 'pages in a browser are refused')
    receive(request, field)
      .then(({ id, body }) => {
        const hand = id === undefined ? undefined : waiting.get(id)
        if (!hand)
          return say(
            response,
            id === undefined ? 400 : 404,
            id === undefined ? 'bad request' : 'nobody waits for this reply',
          )
        waiting.delete(id!)
        send(response, receipt)
        hand({ status: 200, headers: {}, body })
      })
      .catch(() => say(response, 400, 'bad request'))
  })
  boundConnections(server, CONNECTIONS_MAX, onFull)
  return {
    port: () => (server.address() as { port: number } | null)?.port ?? 0,
    async open() {
      server.listen(port, host)
      await once(server, 'listening')
    },
    expect(id, signal) {
      let forget = (): void => undefined
      const reply = new Promise<HttpAnswer>((done, fail) => {
        const late = () => (waiting.delete(id), fail(signal.reason as Error))
        if (signal.aborted) return late()
        signal.addEventListener('abort', late, { once: true })
        waiting.set(id, done)
        forget = () => (waiting.delete(id), signal.removeEventListener('abort', late))
      })
      // The caller may have given up already.
      reply.catch(() => undefined)
      return { reply, forget: () => forget() }
    },
    close: () =>
      new Promise((done) => {
        if (!server.listening) return done()
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
}

async function receive(request: IncomingMessage, field: string): Promise<{ id: string | undefined; body: string }> {
  const chunks: Buffer[] = []
  let octets = 0
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    octets += (chunk as Buffer).length
    if (request.method !== 'POST' || octets > REPLY_OCTETS_MAX) return { id: undefined, body: '' }
    chunks.push(chunk as Buffer)
  }
  const body = Buffer.concat(chunks).toString('utf8')
  const read = stretch('app-reply', JSON.parse, body) as Record<string, unknown> | null
  const id = read?.[field]
  return { id: typeof id === 'string' ? id : undefined, body }
}

function say(response: ServerResponse, status: number, description: string): void {
  send(response, { status, body: JSON.stringify({ status, code: 'error', description, result: {} }) })
}

function send(response: ServerResponse, { status, body }: AppRepliesSettings['receipt']): void {
  response
    .writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
    .end(body)
}
