/**
 * The HTTP ingress: our flows for callers over HTTP, such as an aggregator, or a developer with curl. One path, POST,
 * one contract. It listens on loopback unless the settings say otherwise, and needs a token or a signature if they name
 * callers. Otherwise it serves only programs: only those of this machine if it listens on loopback, and never pages in
 * a browser.
 */
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  addressBehind,
  createRefusals,
  type HttpRefusal,
  type Networks,
  isLoopback,
  askedOf,
  FOREIGN_PAGE,
  fromForeignPage,
  notFromHere,
  boundConnections,
  httpTimes,
  type Log,
  type Counters,
  createServer,
  stretch,
} from '../base/index.ts'
import type { IngressAccess, IngressRefusal, TurnedAwayWhy } from './access.ts'
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
  /** Absent: there are no tokens and keys, so programs may call without. */
  access?: IngressAccess | undefined
  /** Whether an address is that of a proxy of ours. */
  isProxy?: Networks
  contract: IngressContract
  line: IngressLine
  /** Runs a turn in the trace that the headers of its request name. Absent: there are no traces. */
  continued?: (<T>(headers: IncomingMessage['headers'], run: () => T) => T) | undefined
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
/** Longer than proxies keep idle connections: the proxy should close them. */
const KEEP_ALIVE_MS = 75_000

/** The HTTP response to a request. */
interface Outcome {
  status: number
  reply: IngressReply
  said?: IngressOutcome
}

/** What a server has besides its deps. */
interface Server extends IngressDeps {
  recent: ReturnType<typeof recently<Outcome>>
  refuse(refusal: HttpRefusal): void
}

export async function openIngress(deps: IngressDeps): Promise<Ingress> {
  const { log, counters, now } = deps
  const recent = recently<Outcome>(now)
  const refuse = createRefusals({
    now,
    count: (why) => counters.count('door_turned_away_total', { why }),
    tell: (refusal) => log.warn(refusal, 'HTTP ingress audit: turned away'),
  })
  const server = createServer({ ...httpTimes(), keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    answer(request, { ...deps, recent, refuse })
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

async function answer(request: IncomingMessage, server: Server): Promise<Outcome> {
  const { path, access, contract, recent, log, now, continued = asItIs } = server
  const { url = '', method = '', headers } = request
  if (url.split('?')[0] !== path) return plain(404, `try ${path}`)
  if (method !== 'POST') return plain(405, 'POST only')
  const from = { headers, address: addressOf(request, server), nowMs: now() }
  const refused = (refusal: IngressRefusal) => turnAway(refusal, { address: from.address, method }, server)
  const caller = access?.identify(headers, from.address, from.nowMs)
  if (caller && 'why' in caller) return refused(caller)
  const strange = caller ? null : strangeness(request, server)
  if (strange) return strange
  const body = await bodyOf(request).catch(() => undefined)
  if (body === undefined) return plain(400, 'cut off')
  if (body === null) return plain(413, `over ${BODY_OCTETS_MAX} octets`)
  const inadmissible = caller && access!.admit(caller, { method, target: url, body }, from)
  if (inadmissible) return refused(inadmissible)
  const { heard, fields } = stretch('http-ingress', read, body, request, contract)
  if (!heard) {
    log.warn(faultIn(fields, contract), 'HTTP ingress: request does not follow the contract')
    return plain(400, 'the request does not follow the contract')
  }
  const message = caller ? access!.allowed(caller, heard) : heard
  if ('why' in message) return refused(message)
  const keeps = ({ said }: Outcome) => said !== undefined && message.step !== undefined
  return recent(keyOf(message), keeps, () => continued(headers, () => turn(message, server)))
}

const asItIs: NonNullable<IngressDeps['continued']> = (_, run) => run()

function read(body: Buffer, request: IncomingMessage, contract: IngressContract) {
  const fields = fieldsOf(body.toString('utf8'), formOf(request))
  return { fields, heard: fields && contract.hear(fields, request.headers) }
}

function addressOf(request: IncomingMessage, { isProxy }: IngressDeps): string {
  const peer = request.socket.remoteAddress ?? ''
  return isProxy ? addressBehind(peer, request.headers['x-forwarded-for']?.toString(), isProxy) : peer
}

const TOKEN_WANTED: [number, string] = [401, 'send a bearer token in the Authorization header']

/** What a caller is told. */
const SAID: Record<TurnedAwayWhy, [status: number, text: string]> = {
  nobody: TOKEN_WANTED,
  wrong: TOKEN_WANTED,
  locked: [429, 'too many wrong tokens: try again in a minute; a right token still works'],
  unsigned: [401, 'sign the request: x-ussd-timestamp and x-ussd-signature'],
  signature: [401, 'the signature does not fit: compare the string to sign with docs/CONTRACTS.md'],
  stale: [401, 'x-ussd-timestamp is over 5 minutes off: set the clock, and sign again'],
  replay: [401, 'this signature was used before: sign each request, with a new timestamp'],
  address: [403, 'this caller may not call from this address'],
  msisdn: [403, 'this caller may not serve this number'],
  service: [403, 'this caller may not open this service'],
  rate: [429, 'over the rate of this caller: try again in a second'],
}

function turnAway(
  { why, who, locks }: IngressRefusal,
  { address, method }: { address: string; method: string },
  { counters, log, refuse }: Server,
): Outcome {
  const whose = who === undefined ? {} : { who }
  if (why === 'locked') {
    counters.count('door_turned_away_total', { why })
    if (locks) log.warn({ address, ...whose }, 'HTTP ingress audit: locked out after too many wrong tokens')
  } else refuse({ why, address, method, ...whose })
  return plain(...SAID[why])
}

async function turn(message: IngressMessage, { line, contract }: IngressDeps): Promise<Outcome> {
  const said = await line.take(message)
  if (said) return { status: 200, reply: contract.say(said.action, said.text, message), said }
  const isEnd = message.kind !== 'begin' && message.kind !== 'input'
  // There is no reply: the dialogue has moved on, or another of its turns is running.
  return isEnd ? { status: 200, reply: contract.noted } : plain(503, 'this dialogue is busy, or it has ended')
}

/** Without tokens: whether to refuse a caller, by the origin of the request and by what it is. */
function strangeness(request: IncomingMessage, { host, contract, refuse }: Server): Outcome | null {
  const asked = askedOf(request)
  // Outside loopback, callers have other addresses and names. Requests that no program sends are still refused.
  const why = isLoopback(host) ? notFromHere(asked) : fromForeignPage(asked) ? FOREIGN_PAGE : undefined
  const form = formOf(request)
  const isSpoken = form !== undefined && contract.speaks.includes(form)
  if (why === undefined && isSpoken) return null
  const word = why === undefined ? 'content-type' : why === FOREIGN_PAGE ? 'page' : 'not-here'
  refuse({ why: word, address: asked.address, method: asked.method })
  if (why === undefined) return plain(415, `content-type: ${contract.speaks.map((one) => TYPES[one]).join(' or ')}`)
  return plain(403, `refused: ${why}; set door.tokenFile, and let the caller or the proxy send the token`)
}

/** Null: too large. The rest is not read. */
async function bodyOf(request: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = []
  let octets = 0
  // Not destroyed yet: the caller must still get the reason.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    octets += (chunk as Buffer).length
    if (octets > BODY_OCTETS_MAX) return null
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks)
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
      ...(status === 503 || status === 429 ? { 'retry-after': '1' } : {}),
      ...(status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
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
