import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { httpBackend, type HttpSettings } from '../../src/backend/http.ts'
import { pauseMs, retryAfterMs, httpTroubleOf } from '../../src/backend/retry.ts'
import type { Backend, CallContext, CallResult } from '../../src/backend/types.ts'
import type { Clock } from '../../src/ussd/vocabulary.ts'
import { settle } from '../support/clock.ts'

const START = Date.parse('2025-05-01T09:00:00Z')
const TIMEOUT_MS = 2_000

describe('a call over HTTP that is made again', () => {
  let server: Server
  let url: string
  let says: (n: number, response: ServerResponse) => void
  let keys: (string | undefined)[]
  let made: Backend[]
  let now: number
  let paused: number[]
  let hold: boolean
  let limitMs: number
  let counted: string[]

  // Time passes in pauses only, and at once; the deadline of a call is a timer that never fires.
  const clock: Clock = {
    now: () => now,
    today: () => now,
    after(ms, run) {
      if (ms === limitMs) return () => undefined
      paused.push(ms)
      if (hold) return () => undefined
      now += ms
      const soon = setImmediate(run)
      return () => clearImmediate(soon)
    },
  }

  beforeEach(async () => {
    keys = []
    made = []
    paused = []
    counted = []
    hold = false
    now = START
    limitMs = TIMEOUT_MS
    server = createServer((request, response) => {
      request.resume()
      keys.push(request.headers['idempotency-key'] as string)
      says(keys.length, response)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    url = `http://127.0.0.1:${(server.address() as { port: number }).port}`
  })
  afterEach(async () => {
    await Promise.all(made.map((backend) => backend.close!()))
    server.closeAllConnections()
    server.close()
  })

  const answer = (response: ServerResponse, status: number, headers: Record<string, string> = {}) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end('{"refusal":"poor"}')
  const first = (status: number, headers: Record<string, string> = {}) => {
    says = (n, response) => (n === 1 ? answer(response, status, headers) : answer(response, 200))
  }
  const call = (settings: Partial<HttpSettings> = {}, more: Partial<CallContext> = {}): Promise<CallResult> => {
    const counters = {
      count: (name: string, labels: Record<string, string> = {}) =>
        void counted.push([name, ...Object.values(labels)].join(' ')),
    }
    const backend = httpBackend(
      'wallet',
      { url, timeoutMs: TIMEOUT_MS, ...settings },
      { clock, chance: () => 0.5, counters },
    )
    made.push(backend)
    return backend.call(
      'topup',
      {},
      {
        intention: 'e1:2:1',
        epoch: 'e1',
        msisdn: '67570000001',
        language: 'en',
        line: 'digicel',
        todayMs: 0,
        signal: new AbortController().signal,
        ...more,
      },
    )
  }

  it('was answered "not now": once more, with the same key, after a pause by lot', async () => {
    for (const status of [429, 502, 503, 504]) {
      keys = []
      paused = []
      counted = []
      first(status)
      assert.equal((await call()).is, 'data')
      assert.deepEqual(keys, ['e1:2:1', 'e1:2:1'])
      assert.deepEqual(paused, [50])
      assert.deepEqual(counted, [`backend_retries_total wallet topup ${status}`])
    }
  })

  it('lost its connection: the same', async () => {
    says = (n, response) => (n === 1 ? void response.socket!.resetAndDestroy() : answer(response, 200))
    assert.equal((await call()).is, 'data')
    assert.deepEqual(keys, ['e1:2:1', 'e1:2:1'])
    assert.deepEqual(counted, ['backend_retries_total wallet topup connection'])
  })

  it('is no call that was answered, refused or not understood', async () => {
    for (const status of [200, 409, 500, 501, 505, 400, 401, 403, 404, 408, 422, 425, 302]) {
      keys = []
      says = (_n, response) => answer(response, status, { 'retry-after': '0' })
      await call()
      assert.equal(keys.length, 1, String(status))
    }
    assert.deepEqual(counted, [])
  })

  it('is made as often as the settings say, each pause twice as long', async () => {
    says = (_n, response) => answer(response, 503)
    assert.deepEqual(await call({ retries: 3 }), { is: 'failed', why: 'down', detail: 'status 503' })
    assert.deepEqual([keys.length, paused], [4, [50, 100, 200]])
    keys = []
    assert.equal((await call({ retries: 0 })).is, 'failed')
    assert.equal(keys.length, 1)
  })

  it('waits as long as Retry-After asks, in seconds or until a date', async () => {
    first(503, { 'retry-after': '1' })
    assert.equal((await call()).is, 'data')
    assert.deepEqual(paused, [1_050])
    keys = []
    paused = []
    now = START
    first(429, { 'retry-after': new Date(START + 1_000).toUTCString() })
    assert.equal((await call()).is, 'data')
    assert.deepEqual(paused, [1_050])
  })

  it('is given up at once where that would be too late: for its own time-out, or for the turn', async () => {
    const down = { is: 'failed', why: 'down', detail: 'status 503' }
    first(503, { 'retry-after': '2' })
    assert.deepEqual(await call(), down)
    keys = []
    first(503, { 'retry-after': '1' })
    assert.deepEqual(await call({}, { deadlineMs: START + 1_050 }), down)
    assert.deepEqual([keys.length, paused], [1, []])
    assert.deepEqual(counted, ['limits_total backend-retry-late', 'limits_total backend-retry-late'])
    keys = []
    first(503, { 'retry-after': '4' })
    limitMs = 5_000
    assert.equal(
      (await call({}, { timeoutMs: limitMs, deadlineMs: START + 8_000 })).is,
      'data',
      'the flow gives it longer',
    )
    assert.deepEqual(paused, [4_050])
  })

  it('is late when the turn ends during the pause', async () => {
    says = (_n, response) => answer(response, 503)
    hold = true
    const turn = new AbortController()
    const waiting = call({}, { signal: turn.signal })
    while (paused.length === 0) await settle()
    turn.abort()
    assert.deepEqual(await waiting, { is: 'failed', why: 'late', detail: 'topup: no answer in time' })
    assert.equal(keys.length, 1)
  })
})

describe('Retry-After', () => {
  it('is seconds or an HTTP date; anything else says nothing', () => {
    const read = (header: string) => retryAfterMs(header, START)
    assert.deepEqual(
      [read('0'), read(' 120 '), read('Thu, 01 May 2025 09:00:07 GMT'), read('Thu, 01 May 2025 08:00:00 GMT')],
      [0, 120_000, 7_000, 0],
    )
    for (const header of [
      '',
      '-1',
      '1.5',
      '1e3',
      'soon',
      '2025-05-01T09:00:07Z',
      'Thu, 99 Foo 2025 09:00:07 GMT',
      '9'.repeat(400),
    ]) {
      assert.equal(read(header), undefined, header)
    }
  })

  it('is taken up by those who wait at different moments', () => {
    const trouble = httpTroubleOf(503, '1', START)!
    assert.deepEqual(
      [0, 0.25, 0.999].map((drawn) => pauseMs(trouble, 1, () => drawn)),
      [1_000, 1_025, 1_099],
    )
  })
})
