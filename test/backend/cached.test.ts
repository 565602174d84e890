import assert from 'node:assert/strict'
import { readCacheControl } from '../../src/backend/cache-control.ts'
import { cacheStore } from '../../src/backend/cache-store.ts'
import { cached, type CacheSettings, type ReadSettings } from '../../src/backend/cached.ts'
import { guard } from '../../src/backend/guard.ts'
import type { Backend, CallContext, CallResult } from '../../src/backend/types.ts'
import { parseSettings } from '../../src/config/load.ts'
import { silentLog } from '../../src/base/log/port.ts'
import { fakeClock, settle, type FakeClock } from '../support/clock.ts'

const DOWN: CallResult = { is: 'failed', why: 'down', detail: 'status 503' }
const READ: ReadSettings = { maxAgeSeconds: 30, staleIfErrorSeconds: 300, shared: false }

describe('reads that are cached', () => {
  let clock: FakeClock
  let counted: string[]
  let asked: { operation: string; args: unknown; context: CallContext }[]
  let says: () => Promise<CallResult>
  let backend: Backend

  beforeEach(() => {
    clock = fakeClock()
    counted = []
    asked = []
    let n = 0
    says = async () => ({ is: 'data', data: { n: ++n } })
    backend = open()
  })

  const counters = {
    count: (name: string, labels: Record<string, string> = {}, by = 1) =>
      void counted.push([name, ...Object.values(labels), ...(by === 1 ? [] : [by])].join(' ')),
  }
  const bare: Backend = {
    name: 'shop',
    call: async (operation, args, context) => (asked.push({ operation, args, context }), says()),
  }
  function open(more: Partial<CacheSettings> = {}, over: Backend = bare): Backend {
    const reads = { balance: READ, prices: { ...READ, shared: true } }
    return cached(over, { entries: 100, octets: 65_536, reads, ...more }, { clock, counters, timeoutMs: 2_000 })
  }
  const call = (operation: string, args = {}, more: Partial<CallContext> = {}) =>
    backend.call(operation, args, {
      intention: 'e1:1:0',
      epoch: 'e1',
      msisdn: '67570000001',
      language: 'en',
      line: 'digicel',
      todayMs: 0,
      signal: new AbortController().signal,
      ...more,
    })
  const n = async (result: Promise<CallResult>) => {
    const got = await result
    return got.is === 'data' ? (got.data as { n: number }).n : got.is === 'failed' ? got.why : got.refusal
  }
  const results = () => counted.filter((one) => one.startsWith('backend_cache')).map((one) => one.split(' ').at(-1))

  it('are kept as long as the flow says, where the settings say nothing, and for this subscriber alone', async () => {
    const cache = { maxAgeSeconds: 600, staleIfErrorSeconds: 60 }
    assert.equal(await n(call('plan', {}, { cache })), 1)
    await clock.advance(599_999)
    assert.equal(await n(call('plan', {}, { cache })), 1)
    assert.equal(await n(call('plan', {}, { cache, msisdn: '67570000002' })), 2)
    assert.equal(await n(call('plan')), 3, 'a call that does not say it is not answered from memory')
    assert.equal(await n(call('balance', {}, { cache })), 4)
    await clock.advance(30_000)
    assert.equal(await n(call('balance', {}, { cache })), 5, 'the settings go before the flow')
    says = async () => DOWN
    assert.equal(await n(call('plan', {}, { cache })), 1, 'late or down: the old answer, for a minute more')
    await clock.advance(30_001)
    assert.equal(await n(call('plan', {}, { cache })), 'down')
    assert.equal(results().filter((result) => result === 'stale').length, 1)
  })

  it('that a flow lets be kept are read again after a change, and are never those of a change or a secret', async () => {
    const cache = { maxAgeSeconds: 600, staleIfErrorSeconds: 0 }
    assert.equal(await n(call('plan', {}, { cache })), 1)
    await call('buy', {}, { once: true })
    assert.equal(await n(call('plan', {}, { cache })), 3)
    for (const more of [{ once: true }, { isSecret: true }, { settles: 'e1:1:0' }])
      assert.notEqual(await n(call('other', {}, { cache, ...more })), await n(call('other', {}, { cache, ...more })))
  })

  it('that a flow lets be kept have a bound of their own, which is counted', async () => {
    backend = open({ reads: {}, entries: 2 })
    const cache = { maxAgeSeconds: 600, staleIfErrorSeconds: 0 }
    for (const msisdn of ['1', '2', '3']) await call('plan', {}, { cache, msisdn })
    assert.ok(counted.includes('limits_total backend-cache'))
    assert.equal(asked.length, 3)
    await call('plan', {}, { cache, msisdn: '1' })
    assert.equal(asked.length, 4, 'the least used went')
    await call('plan', {}, { cache, msisdn: '3' })
    assert.equal(asked.length, 4)
  })

  it('that a slow back end does not answer in the time of the call come from memory', async () => {
    const cache = { maxAgeSeconds: 1, staleIfErrorSeconds: 600 }
    assert.equal(await n(call('plan', {}, { cache })), 1)
    await clock.advance(1_000)
    says = () => new Promise(() => undefined)
    const signal = new AbortController()
    const waiting = call('plan', {}, { cache, signal: signal.signal, timeoutMs: 300 })
    await settle()
    signal.abort()
    assert.equal(await n(waiting), 1)
  })

  it('are asked for once while the answer is fresh, and anew on the second that it is not', async () => {
    assert.equal(await n(call('balance')), 1)
    await clock.advance(29_999)
    assert.equal(await n(call('balance')), 1)
    assert.equal(asked.length, 1)
    await clock.advance(1)
    assert.equal(await n(call('balance')), 2)
    assert.deepEqual(
      counted,
      ['fetched', 'fresh', 'fetched'].map((result) => `backend_cache_total shop balance ${result}`),
    )
  })

  it('are as old as their request, not as their answer: a price that is changed meanwhile is seen within maxAge', async () => {
    says = async () => (await clock.advance(1_500), { is: 'data', data: { n: 7 } })
    await call('balance')
    await clock.advance(28_499)
    await call('balance')
    assert.equal(asked.length, 1)
    await clock.advance(1)
    await call('balance')
    assert.equal(asked.length, 2)
  })

  it('belong to one subscriber, language, line and set of arguments, in whatever order those are written', async () => {
    assert.equal(await n(call('balance', { a: 1, b: { c: 2, d: [1, 2] } })), 1)
    assert.equal(await n(call('balance', { b: { d: [1, 2], c: 2 }, a: 1 })), 1)
    const others: [object, Partial<CallContext>][] = [
      [{ a: 1, b: { c: 2, d: [2, 1] } }, {}],
      [{ a: '1', b: { c: 2, d: [1, 2] } }, {}],
      [{ a: 1, b: ['c', 2, 'd', [1, 2]] }, {}],
      [{}, {}],
      [{ a: 1, b: { c: 2, d: [1, 2] } }, { msisdn: '67570000002' }],
      [{}, { language: 'tpi' }],
      [{}, { line: 'other' }],
    ]
    for (const [i, [args, more]] of others.entries()) assert.equal(await n(call('balance', args, more)), i + 2)
    assert.equal(await n(call('other')), 9)
    assert.equal(await n(call('other')), 10, 'no read by the settings')
  })

  it('that are the same for everybody are asked for by nobody', async () => {
    assert.equal(await n(call('prices')), 1)
    assert.equal(await n(call('prices', {}, { msisdn: '67570000002', epoch: 'e2' })), 1)
    assert.equal(await n(call('prices', {}, { language: 'tpi' })), 2)
    assert.deepEqual(
      asked.map(({ context }) => [context.msisdn, context.epoch]),
      [
        ['', ''],
        ['', ''],
      ],
    )
  })

  it('are answered from what is old when the back end is late or down, and no longer than the settings say', async () => {
    await call('balance')
    for (const why of ['late', 'down'] as const) {
      says = async () => ({ is: 'failed', why, detail: 'x' })
      await clock.advance(30_000)
      assert.equal(await n(call('balance')), 1)
    }
    await clock.advance(269_999)
    assert.equal(await n(call('balance')), 1)
    await clock.advance(1)
    assert.equal(await n(call('balance')), 'down')
    assert.deepEqual(results(), ['fetched', 'stale', 'stale', 'stale', 'failed'])
  })

  it('are answered from what is old when the breaker is open, without a request', async () => {
    backend = open({}, guard(bare, { clock, counters, log: silentLog }))
    await call('balance')
    await clock.advance(30_000)
    says = async () => DOWN
    for (let i = 0; i < 12; i++) assert.equal(await n(call('balance')), 1)
    assert.equal(asked.length, 9)
    assert.ok(counted.includes('limits_total backend-breaker'))
  })

  it('are not answered from what is old when the back end refuses, or does not take the call; the old answer is gone', async () => {
    const stands: CallResult[] = [
      { is: 'refused', refusal: 'closed' },
      { is: 'failed', why: 'refused-call', detail: 'status 404' },
    ]
    for (const [i, answer] of stands.entries()) {
      says = async () => ({ is: 'data', data: { n: 1 } })
      await call('balance')
      await clock.advance(30_000)
      says = async () => answer
      assert.equal(await n(call('balance')), ['closed', 'refused-call'][i])
      assert.equal(await n(call('balance')), ['closed', 'refused-call'][i], 'kept')
      says = async () => DOWN
      assert.equal(await n(call('balance')), 'down')
    }
  })

  it('are not answered from what is old when the answer makes no sense', async () => {
    await call('balance')
    await clock.advance(30_000)
    says = async () => ({ is: 'failed', why: 'nonsense', detail: 'not JSON' })
    assert.equal(await n(call('balance')), 'nonsense')
  })

  it('are not held up by a slow back end where there is an old answer: no longer than the time-out', async () => {
    backend = cached(
      bare,
      { entries: 1, octets: 65_536, reads: { balance: READ } },
      { clock, counters, timeoutMs: 2_000, waitMs: 60_000 },
    )
    await call('balance')
    await clock.advance(30_000)
    let bring: (answer: CallResult) => void = () => undefined
    says = () =>
      new Promise((done) => {
        bring = done
      })
    let got: unknown
    void n(call('balance')).then((it) => {
      got = it
    })
    await clock.advance(1_999)
    assert.equal(got, undefined)
    await clock.advance(1)
    assert.equal(got, 1)
    bring({ is: 'data', data: { n: 9 } })
    await settle()
    assert.equal(await n(call('balance')), 9, 'what came late is kept')
    assert.equal(asked.length, 2)
  })

  it('are asked for once however many wait, and whoever of them gives up', async () => {
    let bring: (answer: CallResult) => void = () => undefined
    says = () =>
      new Promise((done) => {
        bring = done
      })
    const turn = new AbortController()
    const gone = n(call('prices', {}, { signal: turn.signal }))
    const waiting = Array.from({ length: 1_000 }, () => n(call('prices')))
    turn.abort()
    assert.equal(await gone, 'late')
    assert.equal(asked.length, 1)
    assert.equal(asked[0]!.context.signal.aborted, false)
    bring({ is: 'data', data: { n: 5 } })
    assert.ok((await Promise.all(waiting)).every((it) => it === 5))
    assert.equal(results().filter((it) => it === 'joined').length, 1_000)
  })

  it('fail for all who wait, and are asked for again by the next', async () => {
    says = async () => DOWN
    assert.deepEqual(await Promise.all([1, 2, 3].map(() => n(call('prices')))), ['down', 'down', 'down'])
    assert.equal(asked.length, 1)
    says = async () => ({ is: 'data', data: { n: 4 } })
    assert.equal(await n(call('prices')), 4)
  })

  it('are late when their time is over, without a timer left behind', async () => {
    says = () =>
      new Promise((done) =>
        asked.at(-1)!.context.signal.addEventListener('abort', () => done({ is: 'failed', why: 'late', detail: 'x' })),
      )
    const got = n(call('balance'))
    await clock.advance(2_000)
    assert.equal(await got, 'late')
  })

  it('are none where the call changes something or an argument is secret', async () => {
    for (const more of [{ once: true }, { isSecret: true }]) {
      const before = asked.length
      await call('balance', {}, more)
      await call('balance', {}, more)
      assert.equal(asked.length, before + 2)
    }
    assert.deepEqual(new Set(results()), new Set(['passed']))
    assert.equal(await n(call('balance')), 5, 'neither was kept')
  })

  it('are read anew by a subscriber who has just changed something, also one that was under way', async () => {
    assert.equal(await n(call('balance')), 1)
    assert.equal(await n(call('balance', {}, { msisdn: '67570000002' })), 2)
    assert.equal(await n(call('prices')), 3)
    await clock.advance(30_000)
    let bring: (answer: CallResult) => void = () => undefined
    says = () =>
      new Promise((done) => {
        bring = done
      })
    const before = n(call('balance'))
    says = async () => ({ is: 'data', data: { n: 100 } })
    await call('topup', {}, { once: true })
    bring({ is: 'data', data: { n: 1 } })
    assert.equal(await before, 1)
    says = async () => ({ is: 'data', data: { n: 101 } })
    assert.equal(await n(call('balance')), 101)
    says = async () => DOWN
    assert.equal(await n(call('balance', {}, { msisdn: '67570000002' })), 2, 'the other subscriber has lost nothing')
    assert.equal(await n(call('prices')), 3)
    await call('topup', {}, { once: true })
    assert.equal(await n(call('balance')), 'down', 'a failed change may have been one')
  })

  it('are read anew by all after a change that was refused: the price was no longer so', async () => {
    assert.equal(await n(call('prices')), 1)
    says = async () => ({ is: 'refused', refusal: 'changed' })
    await call('buy')
    assert.equal(await n(call('prices')), 1, 'a refused read says nothing')
    await call('buy', {}, { once: true })
    says = async () => DOWN
    assert.equal(await n(call('prices')), 1, 'what is old still stands in')
    says = async () => ({ is: 'data', data: { n: 2 } })
    assert.equal(await n(call('prices', {}, { msisdn: '67570000002' })), 2)
    assert.equal(await n(call('prices')), 2)
  })

  it('are kept no longer than Cache-Control says', async () => {
    const kept = async (keep: object, operation = 'balance') => {
      backend = open()
      asked.length = 0
      says = async () => ({ is: 'data', data: { n: 1 }, keep })
      await call(operation)
      const times: number[] = []
      says = async () => DOWN
      for (const ms of [9_999, 1, 20_000, 1]) {
        await clock.advance(ms)
        const got = await n(call(operation))
        times.push(got === 1 ? asked.length : -asked.length)
      }
      return times
    }
    assert.deepEqual(await kept({}), [1, 1, 2, 3])
    assert.deepEqual(await kept({ maxAgeMs: 10_000 }), [1, 2, 3, 4])
    assert.deepEqual(await kept({ maxAgeMs: 90_000 }), [1, 1, 2, 3], 'no longer than the settings say')
    assert.deepEqual(await kept({ maxAgeMs: 0, staleIfErrorMs: 0 }), [-2, -3, -4, -5])
    assert.deepEqual(await kept({ staleIfErrorMs: 0 }), [1, 1, -2, -3])
    assert.deepEqual(await kept({ isPrivate: true }), [1, 1, 2, 3])
    assert.deepEqual(await kept({ isPrivate: true }, 'prices'), [-2, -3, -4, -5], "nobody's but the subscriber's")
  })

  it('cannot be changed by who got them', async () => {
    await call('balance')
    const first = await call('balance')
    assert.ok(first.is === 'data')
    ;(first.data as { n: number }).n = 99
    assert.equal(await n(call('balance')), 1)
  })

  it('tell no figure of whose they are', async () => {
    await call('balance', { to: '67570000009' })
    await call('balance', { to: '67570000009' })
    assert.ok(
      counted.every((one) => !/\d{4,}/.test(one)),
      counted.join(),
    )
  })
})

describe('the store of cached reads', () => {
  const keeping = { asker: '', freshUntilMs: 100, staleUntilMs: 200 }

  it('throws out what was used least, by number and by octets', () => {
    const store = cacheStore({ entries: 3, octets: 100 })
    for (const key of ['a', 'b', 'c']) assert.equal(store.put(key, 'x', keeping, 0), 0)
    store.get('a', 0)
    assert.equal(store.put('d', 'x', keeping, 0), 1)
    assert.deepEqual(
      ['a', 'b', 'c', 'd'].map((key) => store.get(key, 0)?.data),
      ['x', undefined, 'x', 'x'],
    )
    assert.equal(store.put('e', 'é'.repeat(48), keeping, 0), 3, '99 octets with its key')
    assert.equal(store.put('f', 'x'.repeat(100), keeping, 0), 1, 'larger than all')
    assert.equal(store.get('e', 0)?.data, 'é'.repeat(48))
    assert.equal(store.get('f', 0), undefined)
  })

  it('counts octets rightly over ten thousand answers, old ones and repeated ones', () => {
    const store = cacheStore({ entries: 50, octets: 10_000 })
    for (let i = 0; i < 10_000; i++)
      store.put(`k${i % 70}`, 'x'.repeat(i % 300), { ...keeping, freshUntilMs: i + 500, staleUntilMs: i + 900 }, i)
    store.forget('')
    assert.equal(store.put('last', 'x'.repeat(9_900), keeping, 0), 0, 'there is room for all again')
    assert.equal(store.get('last', 0)?.isFresh, true)
  })

  it('gives back no answer that is too old for anything, and throws it out within a minute', () => {
    const store = cacheStore({ entries: 2, octets: 1_000 })
    store.put('a', 1, keeping, 0)
    assert.deepEqual(
      [store.get('a', 99), store.get('a', 100), store.get('a', 200)],
      [{ data: 1, isFresh: true }, { data: 1, isFresh: false }, undefined],
    )
    store.put('a', 1, keeping, 0)
    store.put('b', 1, { ...keeping, freshUntilMs: 90_000 }, 60_000)
    assert.equal(store.put('c', 1, { ...keeping, freshUntilMs: 90_000 }, 60_000), 0, 'nobody else had to go')
  })
})

describe('Cache-Control', () => {
  it('shortens, and never lengthens', () => {
    const cases: [string, unknown][] = [
      ['', undefined],
      [',', undefined],
      ['no-store', { maxAgeMs: 0, staleIfErrorMs: 0 }],
      ['No-Cache, max-age=60', { maxAgeMs: 0, staleIfErrorMs: 0 }],
      ['max-age=60', { maxAgeMs: 60_000 }],
      ['public, MAX-AGE = 60', { maxAgeMs: 60_000 }],
      ['max-age=soon', { maxAgeMs: 0 }],
      ['max-age="5"', { maxAgeMs: 5_000 }],
      ['private', { isPrivate: true }],
      ['private="set-cookie, no-store", max-age=5', { maxAgeMs: 5_000, isPrivate: true }],
      ['max-age=5, must-revalidate', { maxAgeMs: 5_000, staleIfErrorMs: 0 }],
      ['stale-if-error=60', { staleIfErrorMs: 60_000 }],
    ]
    for (const [header, keep] of cases) {
      const read = readCacheControl(header)
      // What asks for nothing of ours is as good as nothing.
      assert.deepEqual(read && Object.keys(read).length > 0 ? read : undefined, keep, header)
    }
    assert.deepEqual(readCacheControl('max-age=60', '50'), { maxAgeMs: 10_000 })
    assert.deepEqual(readCacheControl('max-age=60', '70'), { maxAgeMs: 0 })
  })
})

describe('the settings of cached reads', () => {
  const parse = (cache: string) =>
    parseSettings(
      `redis: embedded\npostgres: embedded\ndoor: {}\nservices: [{ code: "*1#", flow: x }]\nbackends:
  shop: { http: { url: "http://127.0.0.1:1/", cache: ${cache} } }\n`,
      'test',
      {},
    ).settings.backends.shop as { http: { cache?: unknown } }

  it('have defaults for all but the operations', () => {
    assert.deepEqual(parse('{ reads: { prices: {} } }').http.cache, {
      entries: 5_000,
      octets: 16_777_216,
      reads: { prices: { maxAgeSeconds: 30, staleIfErrorSeconds: 300, shared: false } },
    })
    assert.throws(() => parse('{ reads: { "a b": {} } }'), /reads\.a b/)
    assert.throws(() => parse('{ reads: { prices: { maxAge: 5 } } }'), /maxAge/)
    assert.throws(() => parse('{ }'), /reads/)
  })
})
