import assert from 'node:assert/strict'
import { smsRequests, type SmsAsker, type SmsRequest, type SmsRequests } from '../../src/sms/requests/requests.ts'
import { fakeClock, type FakeClock } from '../support/clock.ts'
import { describeBoth } from '../support/postgres.ts'
import { emptyOutbox } from './outbox/fixture.ts'

const JOHN = '67570000001'
const START = Date.parse('2025-05-01T09:00:00+10:00')
const LINE = { name: 'digicel', timers: { responseMs: 1_000 }, sms: { recipients: ['6757100'], manage: true } }
const BOOKED: SmsRequest = { text: 'Cleaning tomorrow', key: 'visit-17', before: { of: '2025-05-03T10:00', by: '24h' } }

describeBoth('SMS that are asked for under a key', (database) => {
  let clock: FakeClock
  let requests: SmsRequests
  let counted: string[]
  let lines: never[]
  const asker = (more: Partial<SmsAsker> = {}): SmsAsker => ({
    owner: 'backend:clinic',
    msisdn: JOHN,
    line: 'digicel',
    language: 'en',
    key: 'e:1:0',
    ...more,
  })
  const put = async (asked: Partial<SmsRequest> = {}, more: Partial<SmsAsker> = {}) =>
    (await requests.put(asker(more), { ...BOOKED, ...asked })).is
  const rows = () => database.db.knex('sms_outbox').orderBy('id')
  const set = (row: object) => database.db.knex('sms_outbox').update(row)

  beforeEach(async () => {
    await emptyOutbox(database.db.knex)
    clock = fakeClock(START)
    counted = []
    lines = [LINE as never, { name: 'silent', timers: { responseMs: 1 } } as never]
    requests = smsRequests({
      sql: database.db.sql,
      clock,
      settings: {
        lines: lines,
        reminders: { zone: 'Pacific/Port_Moresby', quietHours: { from: '21:00', to: '07:00' } },
      },
      atSmsc: { replace: async () => 'off', recall: async () => 'off' },
      hookOf: (owner) => (owner === 'token:shop' ? 'shop' : null),
      count: (owner, result) => void counted.push(`${owner} ${result}`),
    })
  })

  it('are owed once: the same request again, and again after they have left, is known', async () => {
    assert.equal(await put(), 'accepted')
    await clock.advance(60_000)
    assert.equal(await put(), 'known')
    await set({ state: 'delivered' })
    assert.equal(await put(), 'known')
    const [row, ...more] = await rows()
    assert.deepEqual(
      [row.owner, row.key, row.kind, row.msisdn, row.line, row.quiet_zone, row.due_at.toISOString(), more.length],
      [
        'backend:clinic',
        'visit-17',
        'reminder',
        JOHN,
        'digicel',
        'Pacific/Port_Moresby',
        '2025-05-02T00:00:00.000Z',
        0,
      ],
    )
    assert.deepEqual(counted, ['backend:clinic accepted', 'backend:clinic known', 'backend:clinic known'])
  })
  it('keep the template and the parameters that the request names; others under the same key are a change', async () => {
    const kept = async () =>
      (await rows()).map(({ template, tlvs }: { template: string; tlvs: string }) => [template, tlvs])
    assert.equal(await put({ template: '1107', tlvs: { '0x1402': '7' } }), 'accepted')
    assert.equal(await put({ template: '1107', tlvs: { '0x1402': '7' } }), 'known')
    assert.deepEqual(await kept(), [['1107', '{"0x1402":"7"}']])
    assert.equal(await put({ template: '1108' }), 'replaced')
    assert.deepEqual(await kept(), [['1108', null]])
    assert.equal(await put({}), 'replaced')
    assert.deepEqual(await kept(), [[null, null]])
  })

  it('are refused at once where no registered template of the line fits', async () => {
    const visit = { id: '1107', text: 'Cleaning {#var#}' }
    const templates = { tag: '0x1401', unmatched: 'fail', list: [visit] }
    lines.push({ ...LINE, name: 'regulated', sms: { ...LINE.sms, templates } } as never)
    const answer = (asked: Partial<SmsRequest>) => requests.put(asker({ line: 'regulated' }), { ...BOOKED, ...asked })
    assert.equal((await answer({ template: '1107' })).is, 'accepted')
    assert.deepEqual(await answer({ text: 'Hello' }), {
      is: 'wrong',
      what: "on line 'regulated' no registered template fits the text",
    })
    assert.equal((await answer({ template: '9' })).is, 'wrong')
  })

  it('without a moment, too: the repetition of a request comes later, and is the same', async () => {
    const now = { before: undefined, text: 'Your code is 1234', class: 'otp' } as const
    assert.equal(await put(now), 'accepted')
    await clock.advance(30_000)
    await set({ state: 'accepted' })
    assert.equal(await put(now), 'known')
  })
  it('know the web-hook of their owner', async () => {
    await put()
    await put({}, { owner: 'token:shop' })
    assert.deepEqual(
      (await rows()).map(({ hook }) => hook),
      [null, 'shop'],
    )
  })
  it('two requests at once make one', async () => {
    const said = await Promise.all(Array.from({ length: 8 }, () => put()))
    assert.equal((await rows()).length, 1)
    assert.ok(said.filter((is) => is === 'accepted').length >= 1)
    assert.ok(
      said.every((is) => ['accepted', 'known', 'replaced', 'busy'].includes(is)),
      said.join(' '),
    )
  })
  it('with another text, moment or number are replaced while they have not left, and else too late', async () => {
    await put()
    assert.equal(await put({ text: 'Cleaning moved' }), 'replaced')
    assert.equal(await put({ text: 'Cleaning moved', before: { of: '2025-05-05T10:00', by: '24h' } }), 'replaced')
    const [row] = await rows()
    assert.deepEqual([row.text, row.due_at.toISOString()], ['Cleaning moved', '2025-05-04T00:00:00.000Z'])
    for (const [state, is] of [
      ['submitting', 'busy'],
      ['accepted', 'too-late'],
      ['delivered', 'too-late'],
      ['failed', 'too-late'],
      ['ambiguous', 'too-late'],
      ['cancelled', 'accepted'],
    ] as const) {
      await set({ state })
      assert.equal(await put({ text: `after ${state}` }), is, state)
    }
    assert.equal((await rows())[0].state, 'due')
  })
  it('that a daemon has claimed are not replaced under it', async () => {
    await put()
    await set({ lease: 'a', wake_at: new Date(START + 30_000) })
    assert.equal(await put({ text: 'other' }), 'busy')
    await clock.advance(30_001)
    assert.equal(await put({ text: 'other' }), 'replaced', 'its lease is over')
  })
  it('nobody touches those of another owner', async () => {
    await put()
    assert.equal(await put({}, { owner: 'token:shop' }), 'accepted')
    assert.equal(await requests.cancel('flow:clinic', 'visit-17'), 'none')
    assert.equal(await requests.cancel('token:shop', 'visit-17'), 'cancelled')
    assert.deepEqual(
      (await rows()).map(({ owner, state }) => `${owner} ${state}`),
      ['backend:clinic due', 'token:shop cancelled'],
    )
  })
  it('are cancelled, recalled from the SMSC, or too late: never silence', async () => {
    const cancel = () => requests.cancel('backend:clinic', 'visit-17')
    assert.equal(await cancel(), 'none')
    await put()
    assert.deepEqual([await cancel(), await cancel()], ['cancelled', 'cancelled'])
    for (const [state, is] of [
      ['accepted', 'recalled'],
      ['submitting', 'recalled'],
      ['ambiguous', 'too-late'],
      ['delivered', 'too-late'],
      ['failed', 'too-late'],
    ] as const) {
      await set({ state, recall_at: null })
      assert.equal(await cancel(), is, state)
      assert.equal((await rows())[0].recall_at !== null, is === 'recalled', state)
    }
    await set({ state: 'accepted', sent_line: 'silent' })
    assert.equal(await cancel(), 'too-late', 'the SMSC of this line discards nothing')
  })
  it('may go to numbers that the line allows, and outside a dialogue to any', async () => {
    assert.equal(await put({ key: 'other', to: '+675 7100 0001' }), 'accepted')
    assert.equal(await put({ to: '67579990001' }), 'not-allowed')
    assert.equal(await put({ to: 'nobody' }), 'not-allowed')
    assert.equal(await put({ to: '67579990001' }, { msisdn: null }), 'accepted')
    assert.equal(await put({}, { msisdn: null }), 'not-allowed')
  })
  it('have the text of the language, a key of their own if none is given, and any line if theirs has no SMS', async () => {
    const text = { en: 'Hello', tpi: 'Gude' }
    await put({ text, key: undefined, before: undefined }, { language: 'tpi', line: 'silent' })
    await put({ text, key: 'fr', before: undefined }, { language: 'fr' })
    assert.deepEqual(
      (await rows()).map(({ text: said, key, line, kind }) => [said, key, line, kind]),
      [
        ['Gude', 'e:1:0', '', 'transactional'],
        ['Hello', 'fr', 'digicel', 'transactional'],
      ],
    )
  })
  it('whose moment is over are not owed', async () => {
    assert.equal(await put({ before: undefined, at: '2025-04-30T10:00' }), 'past')
    assert.deepEqual(await rows(), [])
  })
  it('that were owed and move into the past leave no more: what they say is no longer so', async () => {
    await put()
    assert.equal(await put({ before: { of: '2025-05-01T10:00', by: '24h' } }), 'past')
    assert.equal((await rows())[0].state, 'cancelled')
  })
})
