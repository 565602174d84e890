/** SMS that a flow, a back end or an application asks for, on an SMSC that is not ours. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tokenHash } from '../../../src/admin/access.ts'
import { stub, type Stub } from '../../backend/contracts/stub.ts'
import { FROZEN, leaveEarlier, stageDaemon, type Staged } from '../../support/daemon.ts'
import { foreignSmsc } from '../../support/foreign-smsc.ts'
import { describeWith, until } from '../../support/services.ts'

const JOHN = '67570000001'
const HOUR = 3_600_000
const FLOW = `
flow: visits
spec: 1
start: main
languages: [en, tpi]
screens:
  main:
    menu: { en: Visits, tpi: Visits }
    choices:
      - { label: { en: Book, tpi: Book }, to: book }
      - { label: { en: Remind me, tpi: Remind }, to: remind }
      - { label: { en: Forget it, tpi: Forget }, to: forget }
      - { label: { en: Read, tpi: Read }, to: read }
  book: { call: clinic.book, with: { slot: 7 }, once: true, expect: { id: text }, to: booked, failed: sorry }
  read: { call: clinic.read, to: seen, failed: sorry }
  remind:
    sms:
      - { text: { en: 'Tomorrow at 10, {msisdn}.', tpi: 'Tumora long 10.' }, key: visit-1, before: { of: '2025-05-03T10:00', by: 24h } }
      - { text: { en: 'Noted.', tpi: 'Orait.' }, key: note-1 }
    to: reminded
    failed: sorry
  forget: { cancel: [visit-1, note-1], as: it, to: forgotten, failed: sorry }
  booked: { end: { en: 'Booked {data.book.id}.', tpi: 'Booked {data.book.id}.' } }
  seen: { end: { en: Seen., tpi: Seen. } }
  reminded: { end: { en: We will tell you., tpi: Bai mipela tokim yu. } }
  forgotten: { end: { en: 'Second: {data.it.is}.', tpi: 'Second: {data.it.is}.' } }
  sorry: { end: { en: Not now., tpi: Nogat. } }
`
const TOKENS = {
  sms: 'a-token-of-an-application-1',
  other: 'a-token-of-another-one-2',
  read: 'a-token-that-may-read-3',
}

describeWith(['redis', 'postgres'], 'SMS that somebody asks for', () => {
  let smsc: Awaited<ReturnType<typeof foreignSmsc>>
  let clinic: Stub
  let staged: Staged
  let today = FROZEN
  let answer: unknown = { id: 'A1' }
  const dir = mkdtempSync(join(tmpdir(), 'ussd-asked-'))
  const rows = () => staged.knex('sms_outbox').orderBy('id')
  const texts = (msisdn: string) => smsc.sms.filter(({ to }) => to === msisdn).map(({ text }) => text)

  before(async () => {
    smsc = await foreignSmsc()
    clinic = await stub()
    clinic.says(
      (_heard, response) =>
        void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer)),
    )
    writeFileSync(join(dir, 'visits.yaml'), FLOW)
    staged = await stageDaemon({
      smscPort: smsc.port,
      today: () => today,
      change: (settings) => {
        settings.flows.dir = dir
        settings.services = [{ code: '*150#', flow: 'visits' }]
        settings.backends = {
          clinic: { http: { ...settings.backends.clinic, url: clinic.url, timeoutMs: 2_000 } },
        } as never
        settings.reminders.pollMs = 50
        settings.admin.smsPerSecond = 0.1
        settings.admin.tokensFile = join(dir, 'tokens')
        const line = (role: string, name: keyof typeof TOKENS) =>
          `${role}:${tokenHash(TOKENS[name]).toString('hex')} ${name}`
        writeFileSync(
          settings.admin.tokensFile,
          [line('sms', 'sms'), line('sms', 'other'), line('read', 'read')].join('\n'),
          { mode: 0o600 },
        )
      },
    })
  })
  after(async () => {
    await staged?.close()
    await clinic?.close()
    smsc?.stop()
    rmSync(dir, { recursive: true, force: true })
  })
  beforeEach(async () => {
    await staged.knex.raw('TRUNCATE sms_outbox CASCADE')
    smsc.sms.length = 0
    today = FROZEN
    answer = { id: 'A1' }
  })
  const moveOn = (ms: number) => {
    today = FROZEN + ms
    return leaveEarlier(staged.knex, ms)
  }
  const dial = async (msisdn: string, ...keys: string[]) => {
    const phone = smsc.phone(msisdn)
    let text = (await phone.dial('*150#')).text
    for (const key of keys) text = (await phone.answer(key)).text
    return text
  }

  describe('in a flow', () => {
    it('goes out now and before the event, in the language of the dialogue, once', async () => {
      assert.equal(await dial(JOHN, '2'), 'We will tell you.')
      await until(() => texts(JOHN).length === 1, 'the note')
      assert.equal(await dial(JOHN, '2'), 'We will tell you.')
      await moveOn(25 * HOUR)
      await until(() => texts(JOHN).length === 2, 'the reminder')
      assert.deepEqual(texts(JOHN), ['Noted.', `Tomorrow at 10, ${JOHN}.`])
      assert.deepEqual(
        (await rows()).map(({ owner, key, kind }) => [owner, key, kind]),
        [
          ['flow:visits', 'visit-1', 'reminder'],
          ['flow:visits', 'note-1', 'transactional'],
        ],
      )
    })
    it('is taken back, and the flow learns what became of it', async () => {
      await dial(JOHN, '2')
      await until(() => texts(JOHN).length === 1, 'the note')
      await until(async () => (await rows()).some(({ state }) => state === 'accepted'), 'its response')
      assert.equal(await dial(JOHN, '3'), 'Second: too-late.')
      await moveOn(25 * HOUR)
      assert.deepEqual(
        (await rows()).map(({ state }) => state),
        ['cancelled', 'accepted'],
      )
      assert.deepEqual(texts(JOHN), ['Noted.'])
    })
  })

  describe("in a back end's answer", () => {
    const booking = {
      id: 'A2',
      sms: [
        { text: { en: 'Confirmed.', tpi: 'Orait.' }, key: 'visit-2', class: 'transactional' },
        { text: 'In two hours.', key: 'visit-2-soon', before: { of: '2025-05-02T10:00+10:00', by: '2h' } },
        { text: '', key: 'wrong' },
      ],
    }
    it('goes out as it says; the flow sees the rest of the answer; what is wrong is logged', async () => {
      answer = booking
      assert.equal(await dial(JOHN, '1'), 'Booked A2.')
      await until(() => texts(JOHN).length === 1, 'the confirmation')
      await moveOn(23.5 * HOUR)
      await until(() => texts(JOHN).length === 2, 'the reminder')
      assert.deepEqual(texts(JOHN), ['Confirmed.', 'In two hours.'])
      const said = staged.logged().filter(({ msg }) => msg === 'an SMS that a back end asked for is not sent')
      assert.deepEqual(
        said.map(({ backend, operation }) => [backend, operation]),
        [['clinic', 'book']],
      )
      assert.match(String(said[0]!.why), /^text: /)
    })
    it('cancels what an earlier one asked for', async () => {
      answer = booking
      await dial(JOHN, '1')
      answer = { id: 'A3', cancel: ['visit-2-soon'] }
      assert.equal(await dial(JOHN, '1'), 'Booked A3.')
      assert.deepEqual(
        (await rows()).filter(({ key }) => key === 'visit-2-soon').map(({ state }) => state),
        ['cancelled'],
      )
    })
    it('of a call that changes nothing asks for nothing, and the number must be one that the line allows', async () => {
      answer = { id: 'A4', sms: [{ text: 'Never.' }] }
      assert.equal(await dial(JOHN, '4'), 'Seen.')
      assert.deepEqual(await rows(), [])
      answer = { id: 'A5', sms: [{ text: 'To another.', to: '67579999999' }] }
      assert.equal(await dial(JOHN, '1'), 'Booked A5.')
      assert.deepEqual(await rows(), [])
    })
    it('more than five are not taken', async () => {
      answer = {
        id: 'A6',
        sms: Array.from({ length: 9 }, (_, i) => ({ text: `n${i}`, at: '2025-05-02T12:00', key: `n${i}` })),
      }
      await dial(JOHN, '1')
      assert.equal((await rows()).length, 5)
      assert.equal(await staged.daemon.metrics.value('limits_total', { limit: 'backend_sms_max' }), 1)
    })
    it('waits with the dialogues while Postgres does not answer, and goes out once when it does', async () => {
      answer = { id: 'A7', sms: [{ text: 'After the outage.', key: 'late-1' }] }
      await staged.knex.raw('ALTER TABLE sms_outbox RENAME TO sms_outbox_gone')
      assert.equal(await dial(JOHN, '1'), 'Booked A7.')
      assert.equal(await staged.daemon.metrics.value('sms_owed_total', { what: 'kept' }), 1)
      await staged.knex.raw('ALTER TABLE sms_outbox_gone RENAME TO sms_outbox')
      await until(() => texts(JOHN).length === 1, 'the SMS after the outage', 10_000)
      assert.deepEqual(
        (await rows()).map(({ owner, key }) => [owner, key]),
        [['backend:clinic', 'late-1']],
      )
      assert.deepEqual(await staged.daemon.stores.owed.some(10), [])
    })
  })

  describe('from outside', () => {
    const call = async (
      method: string,
      query: string,
      token: keyof typeof TOKENS,
      body?: object,
      headers: object = {},
    ) => {
      const response = await fetch(`http://127.0.0.1:${staged.daemon.admin.port}/v1/sms${query}`, {
        method,
        headers: { authorization: `Bearer ${TOKENS[token]}`, ...headers },
        ...(body ? { body: JSON.stringify(body) } : {}),
      })
      const { error: _error, ...said } = (await response.json()) as Record<string, unknown>
      return [response.status, said] as const
    }
    const reminder = { to: JOHN, text: 'Pay by Friday.', key: 'bill-9', at: '2025-05-02T09:00' }

    it('is put, known, replaced, seen and cancelled under its key, and sent once', async () => {
      const dueAt = '2025-05-01T23:00:00.000Z'
      const first = await call('POST', '', 'sms', reminder)
      assert.deepEqual(first, [201, { is: 'accepted', key: 'bill-9', state: 'due', dueAt, wakeAt: dueAt }])
      assert.deepEqual((await call('POST', '', 'sms', reminder))[1].is, 'known')
      assert.deepEqual((await call('POST', '', 'sms', { ...reminder, text: 'Pay by Monday.' }))[1].is, 'replaced')
      const [status, seen] = await call('GET', '?key=bill-9', 'sms')
      const { state, class: of, dueAt: due, wakeAt } = seen
      assert.deepEqual([status, state, of, due, 'text' in seen], [200, 'due', 'reminder', dueAt, false])
      // On the wall, where the calendar of this test stands still.
      assert.ok(Math.abs(Date.parse(String(wakeAt)) - Date.now() - 24 * HOUR) < HOUR, String(wakeAt))
      await moveOn(25 * HOUR)
      await until(() => texts(JOHN).length === 1, 'the reminder')
      assert.deepEqual(texts(JOHN), ['Pay by Monday.'])
      await until(async () => (await rows())[0].state === 'accepted', 'its response')
      assert.deepEqual((await call('POST', '', 'sms', { ...reminder, text: 'Never mind.' }))[0], 422)
      assert.deepEqual(await call('DELETE', '?key=bill-9', 'sms'), [409, { is: 'too-late' }])
    })
    it('an Idempotency-Key is a key; quiet hours move it and it says so', async () => {
      const night = { to: JOHN, text: 'Campaign.', class: 'campaign', at: '2025-05-02T03:00' }
      const [status, said] = await call('POST', '', 'sms', night, { 'idempotency-key': 'k1' })
      const { key, moved, dueAt, wakeAt } = said
      const [asked, leaves] = ['2025-05-01T17:00:00.000Z', '2025-05-01T21:00:00.000Z']
      assert.deepEqual([status, key, moved, dueAt, wakeAt], [201, 'k1', 'later', asked, leaves])
      assert.equal((await call('POST', '', 'sms', night, { 'idempotency-key': 'k1' }))[1].is, 'known')
    })
    it('nobody sees or cancels that of another token, and the role sms may do nothing else', async () => {
      await call('POST', '', 'sms', reminder)
      assert.equal((await call('GET', '?key=bill-9', 'other'))[0], 404)
      assert.equal((await call('DELETE', '?key=bill-9', 'other'))[0], 404)
      assert.equal((await call('GET', `?msisdn=${JOHN}`, 'sms'))[0], 403)
      assert.equal((await call('POST', '/1/replace', 'sms', { text: 'x' }))[0], 403)
      assert.equal((await call('POST', '', 'read', reminder))[0], 403)
      for (const path of ['/metrics', '/ready', '/v1/lines'])
        assert.equal(
          (
            await fetch(`http://127.0.0.1:${staged.daemon.admin.port}${path}`, {
              headers: { authorization: `Bearer ${TOKENS.sms}` },
            })
          ).status,
          403,
          path,
        )
      assert.deepEqual(await call('DELETE', '?key=bill-9', 'sms'), [200, { is: 'cancelled' }])
    })
    it('what is wrong is said, and too many requests are turned away', async () => {
      for (const wrong of [
        {},
        { ...reminder, to: 'nobody' },
        { ...reminder, at: 'soon' },
        { ...reminder, line: 'none' },
      ])
        assert.equal((await call('POST', '', 'sms', wrong))[0], 400, JSON.stringify(wrong))
      assert.equal((await call('POST', '', 'sms', { ...reminder, at: '2025-04-01T09:00' }))[0], 422)
      assert.equal((await call('DELETE', '', 'sms'))[0], 400)
      const many = await Promise.all(Array.from({ length: 520 }, () => call('POST', '', 'other', {})))
      assert.ok(many.some(([status]) => status === 429))
      assert.ok((await staged.daemon.metrics.value('limits_total', { limit: 'sms_requests' })) > 0)
    })
  })
})
