/**
 * The sample HTTP back end of the top-up flow: a wallet. The daemon calls its operations `subscriber`,
 * `balance`, `bundles`, `topup` and `buy`. `PUT /bundles` with a list changes the offers for everybody at once.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { z } from 'zod'
import { askedOf, fromForeignPage, httpTimes } from '../../src/base/index.ts'
import { createWallet, type Done, type Wallet } from './wallet.ts'

export interface WalletServer {
  readonly port: number
  stop(): Promise<void>
}

export interface WalletSettings {
  /** 0: any free port. */
  port: number
  /** Default: loopback. */
  host?: string
}

interface Answer {
  status: number
  body: unknown
}

const BODY_OCTETS_MAX = 16_384
/** How many answers are remembered by their key: many times what a daemon repeats. */
const ANSWERS_MAX = 10_000

const callSchema = z.object({
  msisdn: z.string().regex(/^\d{5,15}$/),
  args: z.record(z.string(), z.unknown()).default({}),
})
const amountSchema = z.coerce.number().positive().max(10_000)
const offersSchema = z
  .array(
    z.object({
      id: z.string().min(1).max(40),
      name: z.string().min(1).max(60),
      price: z.number().positive(),
      balanceMin: z.number().optional(),
    }),
  )
  .max(100)

/** Listens, and resolves with the address. */
export async function startWallet({ port, host = '127.0.0.1' }: WalletSettings): Promise<WalletServer> {
  const wallet = createWallet()
  const answered = new Map<string, Answer>()
  const server = createServer(httpTimes(), (request, response) => {
    handle(request, wallet, answered)
      .catch((): Answer => ({ status: 500, body: { error: 'failed' } }))
      .then((answer) => write(response, answer))
      .catch(() => response.destroy())
  })
  await new Promise<void>((done, fail) => {
    server.once('error', fail)
    server.listen(port, host, done)
  })
  return {
    port: (server.address() as AddressInfo).port,
    stop: () =>
      new Promise((done) => {
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
}

async function handle(request: IncomingMessage, wallet: Wallet, answered: Map<string, Answer>): Promise<Answer> {
  if (fromForeignPage(askedOf(request))) return { status: 403, body: { error: 'pages in a browser are refused' } }
  const operation = new URL(request.url ?? '/', 'http://wallet').pathname.slice(1)
  const body = await readJson(request)
  if (body === undefined) return { status: 400, body: { error: 'send a JSON body of at most 16 kB' } }
  if (request.method === 'PUT' && operation === 'bundles') return offer(body, wallet)
  if (request.method !== 'POST') return { status: 405, body: { error: 'use POST' } }
  const call = callSchema.safeParse(body)
  if (!call.success) return { status: 400, body: { error: z.prettifyError(call.error) } }
  const key = request.headers['idempotency-key']
  const name = typeof key === 'string' ? `${call.data.msisdn} ${operation} ${key}` : undefined
  const before = name === undefined ? undefined : answered.get(name)
  if (before) return before
  const answer = perform(operation, call.data, wallet)
  if (name !== undefined && answer.status < 500) remember(answered, name, answer)
  return answer
}

function perform(operation: string, { msisdn, args }: z.infer<typeof callSchema>, wallet: Wallet): Answer {
  switch (operation) {
    case 'subscriber':
      return { status: 200, body: wallet.subscriber(msisdn) }
    case 'balance':
      return { status: 200, body: wallet.balance(msisdn) }
    case 'bundles':
      return { status: 200, body: wallet.bundles(msisdn) }
    case 'buy':
      return done(wallet.buy(msisdn, String(args.bundle)))
    case 'topup': {
      const amount = amountSchema.safeParse(args.amount)
      if (!amount.success) return { status: 400, body: { error: 'there is no such amount' } }
      return done(wallet.topup(msisdn, amount.data))
    }
    default:
      return { status: 404, body: { error: 'there is no such operation' } }
  }
}

function done(result: Done): Answer {
  return { status: 'refusal' in result ? 409 : 200, body: result }
}

function offer(body: unknown, wallet: Wallet): Answer {
  const offers = offersSchema.safeParse(body)
  if (!offers.success) return { status: 400, body: { error: z.prettifyError(offers.error) } }
  wallet.offer(offers.data)
  return { status: 200, body: { offered: offers.data.length } }
}

function remember(answered: Map<string, Answer>, name: string, answer: Answer): void {
  answered.set(name, answer)
  if (answered.size > ANSWERS_MAX) answered.delete(answered.keys().next().value!)
}

/** Undefined: too long, or not JSON. */
async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let octets = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    octets += chunk.length
    if (octets > BODY_OCTETS_MAX) return undefined
    chunks.push(chunk)
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown
  } catch {
    return undefined
  }
}

function write(response: ServerResponse, { status, body }: Answer): void {
  const octets = Buffer.from(JSON.stringify(body))
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': octets.length })
  response.end(octets)
}
