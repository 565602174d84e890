/**
 * The door: our flows for those who speak HTTP: an aggregator, or a developer with curl. One path, POST, one contract.
 * Loopback unless the settings say otherwise; a bearer token where they give one. Without one it is for programs: those
 * of this machine where it listens for this machine only, and never for pages in a browser.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import {
  isLoopback,
  askedOf,
  FOREIGN_PAGE,
  fromForeignPage,
  notFromHere,
  boundConnections,
  httpTimes,
  type Log,
  type Counters,
} from '../base/index.ts'
import {
  faultIn,
  type BodyForm,
  type IngressContract,
  type IngressMessage,
  type IngressReply,
  type Fields,
} from './contracts.ts'
import type { IngressLine, IngressOutcome } from './line.ts'
import { recently } from './recent.ts'

export interface IngressDeps {
  host: string
  port: number
  path: string
  token?: string
  contract: IngressContract
  line: IngressLine
  now(): number
  counters: Counters
  log: Log
}

export interface Ingress {
  port: number
  stop(): Promise<void>
}

/** A request has only a few fields. */
const BODY_OCTETS_MAX = 16_384
const CONNECTIONS_MAX = 2_000
/** Above what proxies keep idle connections for: it is theirs to close them. */
const KEEP_ALIVE_MS = 75_000

/** The HTTP response to a request. */
interface Outcome {
  status: number
  reply: IngressReply
  said?: IngressOutcome
}

export async function openIngress(deps: IngressDeps): Promise<Ingress> {
  const { log, counters } = deps
  const recent = recently<Outcome>(deps.now)
  const server = createServer({ ...httpTimes(), keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    answer(request, deps, recent)
      .catch((error: unknown): Outcome => {
        counters.count('bugs_total', { where: 'door' })
        log.error({ err: error }, 'HTTP ingress request failed')
        return plain(500, 'failed')
      })
      .then((outcome) => {
        counters.count('door_requests_total', { status: String(outcome.status) })
        write(response, outcome)
      })
      .catch((error: unknown) => log.error({ err: error }, 'HTTP ingress request failed'))
  })
  boundConnections(server, CONNECTIONS_MAX, () => counters.count('limits_total', { limit: 'door_connections' }))
  server.listen(deps.port, deps.host)
  await once(server, 'listening')
  return {
    port: (server.address() as { port: number }).port,
    stop: () =>
      new Promise((done) => {
        server.close(() => done())
        server.closeIdleConnections()
      }),
  }
}

async function answer(
  request: IncomingMessage,
  deps: IngressDeps,
  recent: ReturnType<typeof recently<Outcome>>,
): Promise<Outcome> {
  const refused = refusal(request, deps)
  if (refused) return refused
  const body = await bodyOf(request).catch(() => undefined)
  if (body === undefined) return plain(400, 'cut off')
  if (body === null) return plain(413, `over ${BODY_OCTETS_MAX} octets`)
  const fields = fieldsOf(body, formOf(request))
  const message = fields && deps.contract.hear(fields, request.headers)
  if (!message) {
    deps.log.warn(faultIn(fields, deps.contract), 'HTTP ingress: request does not follow the contract')
    return plain(400, 'the request does not follow the contract')
  }
  const keeps = ({ said }: Outcome) => said !== undefined && message.step !== undefined
  return recent(keyOf(message), keeps, () => turn(message, deps))
}

async function turn(message: IngressMessage, { line, contract }: IngressDeps): Promise<Outcome> {
  const said = await line.take(message)
  if (said) return { status: 200, reply: contract.say(said.action, said.text, message), said }
  const isEnd = message.kind !== 'begin' && message.kind !== 'input'
  // There is no reply: the dialogue went on otherwise, or another turn of it runs.
  return isEnd ? { status: 200, reply: contract.noted } : plain(503, 'this dialogue is busy, or it has ended')
}

function refusal(request: IncomingMessage, deps: IngressDeps): Outcome | null {
  const { path, token } = deps
  if (request.url?.split('?')[0] !== path) return plain(404, `try ${path}`)
  if (request.method !== 'POST') return plain(405, 'POST only')
  if (token === undefined) return strange(request, deps)
  return isToken(request.headers.authorization ?? '', token)
    ? null
    : plain(401, 'send a bearer token in the Authorization header')
}

/** Without a token: a stranger is told by where the request comes from, and by what it is. */
function strange(request: IncomingMessage, { host, contract, log }: IngressDeps): Outcome | null {
  const asked = askedOf(request)
  // Outside of loopback, callers have other addresses and names, but requests that no program sends are still refused.
  const why = isLoopback(host) ? notFromHere(asked) : fromForeignPage(asked) ? FOREIGN_PAGE : undefined
  const form = formOf(request)
  const isSpoken = form !== undefined && contract.speaks.includes(form)
  if (why === undefined && isSpoken) return null
  log.warn({ why: why ?? 'content-type' }, 'HTTP ingress: request without a token refused')
  if (why === undefined) return plain(415, `content-type: ${contract.speaks.map((one) => TYPES[one]).join(' or ')}`)
  return plain(403, `refused: ${why}; set door.tokenFile, and let the caller or the proxy send the token`)
}

function isToken(header: string, token: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(header), digest(`Bearer ${token}`))
}

/** Null: too large. What follows then is not read. */
async function bodyOf(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = []
  let octets = 0
  // Not destroyed yet: the caller must still get the reason.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    octets += (chunk as Buffer).length
    if (octets > BODY_OCTETS_MAX) return null
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks).toString('utf8')
}

const FLAT = new Set(['string', 'number', 'boolean'])

const TYPES: Record<BodyForm, string> = { form: 'application/x-www-form-urlencoded', json: 'application/json' }

function formOf({ headers }: IncomingMessage): BodyForm | undefined {
  const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase()
  return (['form', 'json'] as const).find((form) => TYPES[form] === type)
}

/** Null: neither a form nor a flat JSON object. */
function fieldsOf(body: string, form: BodyForm | undefined): Fields | null {
  if (form === 'form') return Object.fromEntries(new URLSearchParams(body))
  if (form !== 'json') return null
  try {
    const read = JSON.parse(body) as unknown
    if (read === null || typeof read !== 'object' || Array.isArray(read)) return null
    const flat = Object.entries(read).filter(([key, value]) => key !== '__proto__' && FLAT.has(typeof value))
    return Object.fromEntries(flat.map(([key, value]) => [key, String(value)]))
  } catch {
    return null
  }
}

function write(response: ServerResponse, { status, reply, said }: Outcome): void {
  response.once('finish', () => said?.delivered(true))
  response.once('close', () => said?.delivered(false))
  if (response.destroyed) return said?.delivered(false)
  response
    .writeHead(status, {
      'content-type': reply.contentType,
      'content-length': Buffer.byteLength(reply.body),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      ...(status === 503 ? { 'retry-after': '1' } : {}),
      ...(status === 413 ? { connection: 'close' } : {}),
    })
    .end(reply.body)
}

function plain(status: number, text: string): Outcome {
  return { status, reply: { contentType: 'text/plain; charset=utf-8', body: `${text}\n` } }
}

function keyOf({ kind, session, msisdn, text, step }: IngressMessage): string {
  return JSON.stringify([kind, session, msisdn, text, step ?? null])
}
