import assert from 'node:assert/strict'
import { httpBackend } from '../../src/backend/http.ts'
import type { Backend, CallResult } from '../../src/backend/types.ts'
import { startWallet, type WalletServer } from '../../samples/topup/server.ts'
import type { JsonObject } from '../../src/ussd/vocabulary.ts'
import { realClock } from '../support/clock.ts'

const JOHN = '67570000001'

describe('the sample wallet', () => {
  let server: WalletServer
  let backend: Backend
  let serial = 0

  beforeEach(async () => {
    server = await startWallet({ port: 0 })
    backend = httpBackend(
      'wallet',
      { url: `http://127.0.0.1:${server.port}` },
      { clock: realClock, chance: Math.random, counters: { count: () => undefined } },
    )
  })
  afterEach(async () => {
    await backend.close!()
    await server.stop()
  })

  const call = (
    operation: string,
    args: JsonObject = {},
    more: { msisdn?: string; intention?: string } = {},
  ): Promise<CallResult> =>
    backend.call(operation, args, {
      intention: `e:1:${++serial}`,
      epoch: 'e',
      msisdn: JOHN,
      language: 'en',
      line: 'digicel',
      todayMs: 0,
      signal: new AbortController().signal,
      ...more,
    })
  const bundles = async (msisdn = JOHN) => {
    const result = await call('bundles', {}, { msisdn })
    assert.ok(result.is === 'data')
    return (result.data as { rows: { id: string }[] }).rows.map((row) => row.id)
  }

  it('takes nothing from a page in a browser', async () => {
    const post = async (headers: Record<string, string>) =>
      (
        await fetch(`http://127.0.0.1:${server.port}/topup`, {
          method: 'POST',
          body: JSON.stringify({ msisdn: JOHN, args: { amount: 5 } }),
          headers: { 'content-type': 'text/plain', ...headers },
        })
      ).status
    assert.deepEqual(
      [await post({ origin: 'http://evil.example' }), await post({ 'sec-fetch-site': 'cross-site' })],
      [403, 403],
    )
    assert.deepEqual(await call('balance'), { is: 'data', data: { amount: 25, currency: 'PGK' } })
  })

  it('offers what the balance can pay for, cheapest first, and a promotion to those with more', async () => {
    assert.deepEqual(await call('balance'), { is: 'data', data: { amount: 25, currency: 'PGK' } })
    assert.deepEqual(await bundles(), ['day', 'week', 'bonus', 'month'])
    assert.deepEqual(await bundles('67570000002'), ['day'])
    assert.deepEqual(await bundles('67570000003'), ['day', 'week'])
  })

  it('takes the price off once for one intention, and changes the offers by it', async () => {
    const twice = { intention: 'e:9:1' }
    assert.deepEqual(await call('buy', { bundle: 'month' }, twice), { is: 'data', data: { balance: 5 } })
    assert.deepEqual(await call('buy', { bundle: 'month' }, twice), { is: 'data', data: { balance: 5 } })
    assert.deepEqual(await bundles(), ['day'])
  })

  it('refuses what the balance cannot pay, and what is not offered', async () => {
    assert.deepEqual(await call('topup', { amount: '20' }), { is: 'data', data: { balance: 5 } })
    assert.deepEqual(await call('topup', { amount: 5.01 }), { is: 'refused', refusal: 'insufficient' })
    assert.deepEqual(await call('buy', { bundle: 'moon' }), { is: 'refused', refusal: 'unknown-bundle' })
    for (const amount of ['x', -5, 0, null]) {
      const result = await call('topup', { amount })
      assert.ok(result.is === 'failed' && result.why === 'refused-call')
    }
    const unknown = await call('steal')
    assert.ok(unknown.is === 'failed' && unknown.why === 'refused-call')
  })

  it('changes its offers for everybody without a restart', async () => {
    const put = (body: string) => fetch(`http://127.0.0.1:${server.port}/bundles`, { method: 'PUT', body })
    assert.equal((await put(JSON.stringify([{ id: 'night', name: 'Night', price: 1 }]))).status, 200)
    assert.deepEqual(await bundles(), ['night'])
    assert.equal((await put('[{}]')).status, 400)
    assert.equal((await put('x'.repeat(20_000))).status, 400)
    assert.equal((await fetch(`http://127.0.0.1:${server.port}/balance`)).status, 400)
  })
})
