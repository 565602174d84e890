import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { isAllowed } from '../../src/base/http/addresses.ts'
import type { Resolve } from '../../src/backend/address.ts'
import { httpBackend, type HttpSettings } from '../../src/backend/http.ts'
import type { Backend, CallContext, CallResult } from '../../src/backend/types.ts'
import { freePort } from '../support/services.ts'
import { fakeClock, realClock, type FakeClock } from '../support/clock.ts'

type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void

describe('an HTTP back end', () => {
  let server: Server
  let port: number
  let handler: Handler
  let calls: { url: string; headers: IncomingMessage['headers']; body: unknown }[]
  let made: Backend[]

  beforeEach(async () => {
    calls = []
    made = []
    server = createServer(async (request, response) => {
      let body = ''
      for await (const chunk of request) body += chunk
      calls.push({ url: request.url!, headers: request.headers, body: JSON.parse(body) })
      handler(request, response, body)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    port = (server.address() as { port: number }).port
  })
  afterEach(async () => {
    await Promise.all(made.map((backend) => backend.close!()))
    server.closeAllConnections()
    server.close()
  })

  const json =
    (status: number, body: unknown, headers: Record<string, string> = {}): Handler =>
    (_request, response) =>
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))

  function open(settings: Partial<HttpSettings> = {}, parts: { clock?: FakeClock; resolve?: Resolve } = {}): Backend {
    const backend = httpBackend(
      'wallet',
      { url: `http://127.0.0.1:${port}/api/`, ...settings },
      {
        clock: realClock,
        chance: Math.random,
        counters: { count: () => undefined },
        ...parts,
      },
    )
    made.push(backend)
    return backend
  }
  const context = (more: Partial<CallContext> = {}): CallContext => ({
    intention: 'e1:2:1',
    epoch: 'e1',
    msisdn: '67570000001',
    language: 'en',
    line: 'digicel',
    todayMs: 0,
    signal: new AbortController().signal,
    ...more,
  })
  const call = (backend = open(), more: Partial<CallContext> = {}) => backend.call('balance', { x: 1 }, context(more))
  const failed = (result: CallResult, why: string, detail: RegExp = /./) => {
    assert.ok(result.is === 'failed', JSON.stringify(result))
    assert.equal(result.why, why)
    assert.match(result.detail, detail)
    assert.ok(!result.detail.includes('67570000001'))
  }

  it('tells of the end of a dialogue if it is asked to, with the true reason', async () => {
    handler = json(200, {})
    const about = { msisdn: '67570000001', line: 'digicel', turns: 3, openedMs: 1, endedMs: 2, snapshot: null }
    assert.equal(open().ended, undefined, 'not asked to')
    await open({ ended: true }).ended!('e1', 'subscriber-abort', about)
    assert.equal(calls[0]!.url, '/api/ended')
    assert.equal(calls[0]!.headers['idempotency-key'], 'e1')
    assert.deepEqual(calls[0]!.body, {
      msisdn: '67570000001',
      language: 'en',
      line: 'digicel',
      epoch: 'e1',
      args: { reason: 'subscriber-abort', turns: 3 },
    })
    handler = json(503, {})
    await assert.rejects(open({ ended: true }).ended!('e1', 'exit', about), /ended: down/)
  })

  it('posts the call with its key and takes the answer', async () => {
    handler = json(200, { amount: 12, currency: 'PGK' })
    const backend = open({ headers: { 'x-tenant': 'png' }, token: 'secret' })
    assert.deepEqual(await call(backend), { is: 'data', data: { amount: 12, currency: 'PGK' } })
    const [seen] = calls
    assert.equal(seen!.url, '/api/balance')
    assert.deepEqual(seen!.body, {
      msisdn: '67570000001',
      language: 'en',
      line: 'digicel',
      epoch: 'e1',
      args: { x: 1 },
    })
    assert.equal(seen!.headers['idempotency-key'], 'e1:2:1')
    assert.equal(seen!.headers.authorization, 'Bearer secret')
    assert.equal(seen!.headers['x-tenant'], 'png')
  })

  it('sends the key where and how the back end wants it, and the key of the call that it settles', async () => {
    handler = json(200, {})
    const headers = async (settings: Partial<HttpSettings>, more: Partial<CallContext> = {}) => {
      await call(open(settings), more)
      return calls.at(-1)!.headers
    }
    const asUuid = { idempotency: { header: 'X-Reference-Id', form: 'uuid' as const } }
    const first = await headers(asUuid)
    const key = String(first['x-reference-id'])
    assert.match(key, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    assert.equal(first['idempotency-key'], undefined)
    assert.equal((await headers(asUuid))['x-reference-id'], key, 'the same on another daemon')
    assert.notEqual((await headers(asUuid, { intention: 'e1:2:2' }))['x-reference-id'], key)
    const settling = await headers(asUuid, { intention: 'e1:2:2', settles: 'e1:2:1' })
    assert.equal(settling['settles-key'], key, 'in the form in which it was sent')
    assert.equal((await headers({}, { settles: 'e1:2:1' }))['settles-key'], 'e1:2:1')
    assert.equal((await headers({}))['settles-key'], undefined)
  })

  it('says what the answer may be kept for, as it was told', async () => {
    handler = json(200, { amount: 12 }, { 'cache-control': 'private, max-age=60', age: '50' })
    assert.deepEqual(await call(), { is: 'data', data: { amount: 12 }, keep: { maxAgeMs: 10_000, isPrivate: true } })
    handler = json(409, { refusal: 'closed' }, { 'cache-control': 'max-age=60' })
    assert.deepEqual(await call(), { is: 'refused', refusal: 'closed' })
  })

  it('names nobody in a read that is the same for everybody', async () => {
    handler = json(200, {})
    await call(open(), { msisdn: '', epoch: '' })
    assert.deepEqual(calls[0]!.body, { language: 'en', line: 'digicel', args: { x: 1 } })
    assert.equal(calls[0]!.headers['idempotency-key'], undefined)
  })

  it('takes 409 and a name for a refusal', async () => {
    handler = json(409, { refusal: 'insufficient', data: { balance: 3 } })
    assert.deepEqual(await call(), { is: 'refused', refusal: 'insufficient', data: { balance: 3 } })
    handler = json(409, { refusal: 'insufficient' })
    assert.deepEqual(await call(), { is: 'refused', refusal: 'insufficient' })
    for (const body of [{}, [], null, { refusal: 7 }, { refusal: ' not a name' }]) {
      handler = json(409, body)
      failed(await call(), 'nonsense', /409/)
    }
  })

  it("tells the back end's trouble from a call that it will never take", async () => {
    for (const status of [500, 502, 503, 429, 408]) {
      handler = json(status, { error: 'x' })
      failed(await call(open({ retries: 0 })), 'down', new RegExp(String(status)))
    }
    for (const status of [400, 401, 404, 422]) {
      handler = json(status, {})
      failed(await call(), 'refused-call', new RegExp(String(status)))
    }
    assert.equal(calls.length, 9)
  })

  it('follows no redirect', async () => {
    const elsewhere = createServer(() => assert.fail('followed'))
    elsewhere.listen(0, '127.0.0.1')
    await once(elsewhere, 'listening')
    const { port: trap } = elsewhere.address() as { port: number }
    for (const status of [301, 302, 303, 307, 308]) {
      handler = json(status, {}, { location: `http://127.0.0.1:${trap}/balance` })
      failed(await call(), 'nonsense', new RegExp(String(status)))
    }
    elsewhere.close()
  })

  it('takes nothing for an answer but JSON that says so', async () => {
    handler = (_request, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>')
    failed(await call(), 'nonsense', /content type is text\/html/)
    handler = (_request, response) => response.end('{}')
    failed(await call(), 'nonsense', /content type is missing/)
    handler = (_request, response) => response.writeHead(200, { 'content-type': 'text/pin-4711' }).end('4711')
    failed(await call(), 'nonsense', /content type is \(another one\)/)
    handler = (_request, response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{"a":')
    failed(await call(), 'nonsense', /not JSON/)
    handler = (_request, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end('['.repeat(100_000))
    failed(await call(), 'nonsense', /not JSON/)
    handler = (_request, response) =>
      response.writeHead(200, { 'content-type': 'application/vnd.x+json; charset=utf-8' }).end('[1]')
    assert.deepEqual(await call(), { is: 'data', data: [1] })
  })

  it('lets no answer reach a prototype', async () => {
    handler = (_request, response) =>
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end('{"a":{"__proto__":{"admin":true}},"\\u005f_proto__":{"admin":true},"b":1}')
    const result = await call()
    assert.ok(result.is === 'data')
    assert.equal(JSON.stringify(result.data), '{"a":{},"b":1}')
    assert.equal((Object.assign({}, result.data) as { admin?: boolean }).admin, undefined)
  })

  it('cuts an answer that is too long, sent plainly, in chunks, or packed', async () => {
    const long = JSON.stringify({ text: 'x'.repeat(300_000) })
    handler = (_request, response) => response.writeHead(200, { 'content-type': 'application/json' }).end(long)
    failed(await call(), 'nonsense', /more than 262144 octets/)
    handler = (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      const drip = () => response.writable && response.write('x'.repeat(65_536), () => setImmediate(drip))
      drip()
    }
    failed(await call(), 'nonsense', /more than 262144 octets/)
    const bomb = gzipSync(Buffer.alloc(20_000_000, 0x20))
    handler = (_request, response) =>
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(bomb)
    failed(await call(), 'nonsense', /more than 262144 octets/)
  })

  it('unpacks an answer although it asked for none packed, and knows what it cannot unpack', async () => {
    const packed =
      (coding: string, octets: Buffer): Handler =>
      (_request, response) =>
        response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': coding }).end(octets)
    handler = packed('gzip', gzipSync('{"a":1}'))
    assert.deepEqual(await call(), { is: 'data', data: { a: 1 } })
    assert.equal(calls[0]!.headers['accept-encoding'], 'identity')
    handler = packed('gzip', Buffer.from('no gzip at all'))
    failed(await call(), 'nonsense', /content coding/)
    handler = packed('zstd', Buffer.from('x'))
    failed(await call(), 'nonsense', /content coding zstd/)
  })

  it('is late at its own time-out and at the deadline of the turn, also when the body drips', async () => {
    const clock = fakeClock()
    let seen: () => void = () => undefined
    handler = (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).write('{')
      seen()
    }
    const arrived = () =>
      new Promise<void>((done) => {
        seen = done
      })
    const backend = open({ timeoutMs: 1500 }, { clock })
    let waiting = arrived()
    const slow = call(backend)
    await waiting
    await clock.advance(1500)
    failed(await slow, 'late')
    waiting = arrived()
    const turn = new AbortController()
    const cut = call(backend, { signal: turn.signal })
    await waiting
    turn.abort()
    failed(await cut, 'late')
    failed(await call(backend, { signal: AbortSignal.abort() }), 'late')
  })

  it('is down when nobody listens or the name is not known', async () => {
    failed(await call(open({ url: `http://127.0.0.1:${await freePort()}` })), 'down', /ECONNREFUSED/)
    const unknown: Resolve = (_host, _options, done) => done(Object.assign(new Error('no'), { code: 'ENOTFOUND' }), [])
    failed(await call(open({ url: 'http://wallet.example' }, { resolve: unknown })), 'down', /ENOTFOUND/)
  })

  describe('asks who answers for its name', () => {
    const leadsTo =
      (...addresses: string[]): Resolve =>
      (_host, _options, done) =>
        done(
          null,
          addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
        )
    const at = (host: string, resolve: Resolve, privateNetwork = false) =>
      call(open({ url: `http://${host}:${port}`, privateNetwork }, { resolve }))

    it('and refuses this machine, link-local and private addresses behind a public name', async () => {
      handler = json(200, {})
      for (const address of [
        '127.0.0.1',
        '::1',
        '::ffff:127.0.0.1',
        '169.254.169.254',
        '::ffff:a9fe:a9fe',
        '10.1.2.3',
        '0.0.0.0',
        'fd00::1',
        'fe80::1',
        '64:ff9b::7f00:1',
        '2002:7f00:1::',
        '100.64.0.1',
        '192.168.1.1',
        '172.31.0.1',
        '224.0.0.1',
      ]) {
        failed(await at('wallet.example', leadsTo(address)), 'down', /ADDRESS_REFUSED/)
      }
      assert.equal(calls.length, 0)
    })

    it('but takes localhost, and an address as it stands in the settings', async () => {
      handler = json(200, {})
      assert.equal((await at('localhost', leadsTo('127.0.0.1'))).is, 'data')
      assert.equal((await at('127.0.0.1', leadsTo('8.8.8.8'))).is, 'data')
      failed(await at('localhost', leadsTo('10.0.0.1')), 'down', /ADDRESS_REFUSED/)
    })

    it('and lets a name lead into a private network only where the setting says so, never to metadata', () => {
      assert.deepEqual(
        ['10.1.2.3', 'fd00::1', '8.8.8.8', '127.0.0.1', '169.254.169.254', 'nonsense'].map((one) =>
          isAllowed(one, true),
        ),
        [true, true, true, false, false, false],
      )
      assert.deepEqual(
        ['10.1.2.3', '8.8.8.8', '2606:4700::1111'].map((one) => isAllowed(one, false)),
        [false, true, true],
      )
    })
  })
})
