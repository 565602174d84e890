/** An application that says what a test tells it to, and keeps what it was asked, octet for octet. */
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { HttpAnswer } from '../../../src/backend/contracts/types.ts'

export interface Heard {
  method: string
  target: string
  headers: IncomingHttpHeaders
  body: string
}

export interface Stub {
  url: string
  heard: Heard[]
  /** Answers the next and all later requests. */
  says(answer: HttpAnswer | ((heard: Heard, response: ServerResponse) => void)): void
  close(): Promise<void>
}

export async function stub(): Promise<Stub> {
  const heard: Heard[] = []
  let answer: Parameters<Stub['says']>[0] = { status: 500, headers: {}, body: '' }
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const it = {
      method: request.method!,
      target: request.url!,
      headers: request.headers,
      body: Buffer.concat(chunks).toString('utf8'),
    }
    heard.push(it)
    if (typeof answer === 'function') return answer(it, response)
    response.writeHead(answer.status, answer.headers).end(answer.body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as { port: number }).port}/ussd`,
    heard,
    says: (next) => void (answer = next),
    async close() {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }
}
