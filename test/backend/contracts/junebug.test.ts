import assert from 'node:assert/strict'
import { appBackend } from '../../../src/backend/app.ts'
import { appReplies, type AppReplies } from '../../../src/backend/app-replies.ts'
import { loadContract } from '../../../src/backend/contracts/load.ts'
import type { Backend, CallResult } from '../../../src/backend/types.ts'
import { silentLog } from '../../../src/base/log/port.ts'
import { fakeClock, settle, type FakeClock } from '../../support/clock.ts'
import { until } from '../../support/services.ts'
import { stub, type Stub } from './stub.ts'

describe('an application that answers later (Junebug)', () => {
  let app: Stub
  let replies: AppReplies
  let backend: Backend
  let clock: FakeClock

  beforeEach(async () => {
    app = await stub()
    clock = fakeClock()
    replies = appReplies({
      host: '127.0.0.1',
      port: 0,
      field: 'reply_to',
      receipt: loadContract('junebug').later!.receipt,
    })
    await replies.open()
    const counters = { count: () => undefined }
    backend = appBackend(
      'app:vumi',
      loadContract('junebug'),
      { url: app.url },
      { clock, counters, log: silentLog, replies },
    )
  })
  afterEach(async () => {
    await backend.close!()
    await app.close()
  })

  const bring = async (body: unknown, headers: Record<string, string> = {}) => {
    const answer = await fetch(`http://127.0.0.1:${replies.port()}/channels/digicel/messages/`, {
      method: 'POST',
      body: typeof body === 'string' ? body : JSON.stringify(body),
      headers: { 'content-type': 'application/json', ...headers },
    })
    return answer.status
  }
  const call = (sequence = 1, input = ''): Promise<CallResult> =>
    backend.call(
      'answer',
      { serviceCode: '*384#', dialled: '*384#', text: input, input, sequence, state: {} },
      {
        intention: `e1:${sequence}:0`,
        epoch: 'e1',
        msisdn: '67570000001',
        language: 'en',
        line: 'digicel',
        todayMs: 0,
        signal: new AbortController().signal,
      },
    )

  it('is asked, and its reply taken when it brings it, even before its receipt', async () => {
    app.says((heard, response) => {
      const { message_id: id } = JSON.parse(heard.body) as { message_id: string }
      void bring({ reply_to: id, content: 'Hello', channel_data: { session_event: 'resume' } }).then((status) =>
        response.writeHead(status === 201 ? 200 : 500).end(),
      )
    })
    assert.deepEqual(await call(), { is: 'data', data: { text: 'Hello', end: false, state: {} } })
    assert.deepEqual(JSON.parse(app.heard[0]!.body), {
      channel_id: 'digicel',
      from: '+67570000001',
      to: '*384#',
      content: null,
      group: null,
      timestamp: '2025-04-30 23:00:00.000000',
      message_id: 'e1:1:0',
      reply_to: null,
      channel_data: { session_event: 'new', provider: 'digicel' },
    })
  })

  it('goes on where the reply says nothing of it, and ends where it says close', async () => {
    app.says({ status: 200, headers: {}, body: '{}' })
    const first = call(2, '1')
    await until(() => app.heard.length === 1, 'not asked')
    assert.equal(
      await bring({ reply_to: 'e1:2:0', content: 'Forged' }, { origin: 'http://evil.example' }),
      403,
      'a page in a browser is no application',
    )
    assert.equal(await bring({ reply_to: 'e1:2:0', content: 'More?' }), 201)
    assert.deepEqual(await first, { is: 'data', data: { text: 'More?', end: false, state: {} } })
    const second = call(3, '1')
    await until(() => app.heard.length === 2, 'not asked')
    assert.deepEqual(JSON.parse(app.heard[1]!.body).channel_data.session_event, 'resume')
    await bring({ reply_to: 'e1:3:0', content: 'Bye.', channel_data: { session_event: 'close' } })
    assert.deepEqual(await second, { is: 'data', data: { text: 'Bye.', end: true, state: {} } })
  })

  it('is told that nobody waits for its reply: late, twice, or never asked for', async () => {
    app.says({ status: 200, headers: {}, body: '{}' })
    const asked = call()
    await until(() => app.heard.length === 1, 'not asked')
    await settle()
    await clock.advance(7_000)
    assert.deepEqual(await asked, { is: 'failed', why: 'late', detail: 'answer: no answer in time' })
    assert.equal(await bring({ reply_to: 'e1:1:0', content: 'Hello' }), 404)
    assert.equal(await bring({ reply_to: 'other', content: 'Hello' }), 404)
    assert.equal(await bring({ content: 'Hello' }), 400)
    assert.equal(await bring('{'), 400)
    assert.equal(await bring('null'), 400)
    assert.equal(await bring({ reply_to: 'x', content: 'x'.repeat(70_000) }), 400)
  })

  it('is not waited for where it did not take the question', async () => {
    app.says({ status: 404, headers: {}, body: '' })
    assert.equal(((await call()) as { why: string }).why, 'nonsense')
    app.says({ status: 500, headers: {}, body: '' })
    assert.equal(((await call()) as { why: string }).why, 'down')
    assert.equal(await bring({ reply_to: 'e1:1:0', content: 'Hello' }), 404)
  })
})
