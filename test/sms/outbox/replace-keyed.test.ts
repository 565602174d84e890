/** A request under the key of an SMS that its SMSC has: what is asked of the SMSC, and what the owner is told. */
import assert from 'node:assert/strict'
import { smsRequests, type SmsRequest } from '../../../src/sms/requests/requests.ts'
import type { RecallOutcome, ReplaceOutcome } from '../../../src/sms/terms/types.ts'
import { fakeClock, type FakeClock } from '../../support/clock.ts'
import { describeBoth } from '../../support/postgres.ts'
import { emptyOutbox, HOUR, MSISDN, START } from './fixture.ts'

const LINE = { name: 'digicel', timers: { responseMs: 1_000 }, sms: { recipients: [], manage: true } }
const ASKER = { owner: 'token:clinic', msisdn: null, line: 'digicel', language: 'en', key: '-' }
const FIRST: SmsRequest = { to: MSISDN, text: 'At ten.', key: 'V17' }
const LATER = { in: '24h' } as const

describeBoth('an SMS that its SMSC has, asked for anew', (database) => {
  let clock: FakeClock
  let asked: string[]
  let replaces: ReplaceOutcome
  let recalls: RecallOutcome

  beforeEach(async () => {
    await emptyOutbox(database.db.knex)
    clock = fakeClock(START)
    asked = []
    replaces = 'replaced'
    recalls = 'gone'
  })

  const put = async (more: Partial<SmsRequest> = {}) => {
    const requests = smsRequests({
      sql: database.db.sql,
      clock,
      settings: { lines: [LINE as never], reminders: { zone: 'Pacific/Port_Moresby', quietHours: null } },
      atSmsc: {
        replace: async ({ messageId, before, text }) => (
          asked.push(`replace ${messageId} ${before} ${text}`),
          replaces
        ),
        recall: async ({ messageIds }) => (asked.push(`recall ${messageIds}`), recalls),
      },
      hookOf: () => 'clinic',
      count: () => undefined,
    })
    return (await requests.put(ASKER, { ...FIRST, ...more })).is
  }
  const rows = () => database.db.knex('sms_outbox').orderBy('id')
  const said = async () =>
    (await rows()).map(({ key, state, text, hook }) => [key, state, text, hook].filter((one) => one !== null).join(' '))
  async function taken(parts = 1, state = 'accepted'): Promise<void> {
    await put()
    const [{ id }] = await rows()
    const sent = { state, parts, sent_line: 'digicel', submitted_at: new Date(START) }
    await database.db.knex('sms_outbox').where({ id }).update(sent)
    for (let part = 1; part <= parts; part++)
      await database.db
        .knex('sms_part')
        .insert({ sms: id, part, line: 'digicel', message_id: `m${part}`, message_key: `m${part}` })
  }

  it('with another text for now is replaced in its place, and is known from then on', async () => {
    await taken()
    assert.equal(await put({ text: 'At two.' }), 'replaced')
    assert.deepEqual(asked, ['replace m1 At ten. At two.'])
    assert.deepEqual(await said(), ['V17 accepted At two. clinic'])
    assert.equal(await put({ text: 'At two.' }), 'known')
    assert.equal(asked.length, 1)
  })

  it('of several parts, or where the SMSC cannot replace, is taken back, and the new one is owed', async () => {
    for (const [parts, is] of [
      [2, 'replaced'],
      [1, 'unfit'],
      [1, 'refused'],
    ] as const) {
      await emptyOutbox(database.db.knex)
      replaces = is
      await taken(parts)
      assert.equal(await put({ text: 'At two.' }), 'replaced', is)
      assert.deepEqual(await said(), ['cancelled At ten.', 'V17 due At two. clinic'], is)
      assert.equal(await put({ text: 'At two.' }), 'known', is)
    }
    const events = await database.db.knex('sms_event').pluck<string[]>('event')
    assert.deepEqual(events, ['accepted'], 'nothing became of the one under the key')
  })

  it('for a later moment, or for another number, is taken back first', async () => {
    await taken()
    assert.equal(await put(LATER), 'replaced')
    const [, row] = await rows()
    assert.deepEqual([asked, row.due_at.getTime()], [['recall m1'], START + 24 * HOUR])
    await emptyOutbox(database.db.knex)
    await taken()
    assert.equal(await put({ to: '67570000002' }), 'replaced')
    assert.deepEqual(
      (await rows()).map(({ msisdn, state }) => `${msisdn} ${state}`),
      [`${MSISDN} cancelled`, '67570000002 due'],
    )
  })

  it('that the SMSC keeps, or has delivered, is too late, and stays as it is', async () => {
    await taken()
    replaces = 'refused'
    recalls = 'kept'
    assert.equal(await put({ text: 'At two.' }), 'too-late')
    recalls = replaces = 'off'
    assert.equal(await put({ text: 'At two.' }), 'too-late')
    assert.equal(await put(LATER), 'too-late')
    assert.deepEqual(await said(), ['V17 accepted At ten. clinic'])
    await database.db.knex('sms_outbox').update({ state: 'delivered' })
    asked = []
    assert.equal(await put({ text: 'At two.' }), 'too-late')
    assert.deepEqual(asked, [])
  })

  it('is to be asked for again while it is not known what the SMSC has', async () => {
    await taken()
    for (const is of ['unsent', 'unknown'] as const) {
      replaces = is
      assert.equal(await put({ text: 'At two.' }), 'busy', is)
    }
    recalls = 'unsent'
    assert.equal(await put(LATER), 'busy')
    assert.deepEqual(await said(), ['V17 accepted At ten. clinic'])
  })

  it('that the SMSC discarded earlier is owed anew', async () => {
    await taken(1, 'cancelled')
    assert.equal(await put({ text: 'At two.' }), 'accepted')
    assert.deepEqual([asked, await said()], [[], ['cancelled At ten.', 'V17 due At two. clinic']])
  })

  it('is delivered while it is asked for: too late', async () => {
    await taken()
    const [{ id }] = await rows()
    replaces = 'unfit'
    const asking = put({ text: 'At two.' })
    await database.db.knex('sms_outbox').where({ id }).update({ state: 'delivered' })
    assert.ok(['too-late', 'replaced'].includes(await asking))
    assert.equal((await rows()).filter(({ key }) => key === 'V17').length, 1)
  })

  it('by two requests at once becomes one', async () => {
    await taken()
    replaces = 'unfit'
    const answers = await Promise.all([put({ text: 'At two.' }), put({ text: 'At two.' })])
    assert.ok(answers.includes('replaced'), answers.join())
    assert.ok(
      answers.every((is) => ['replaced', 'known', 'accepted'].includes(is)),
      answers.join(),
    )
    assert.deepEqual(await said(), ['cancelled At ten.', 'V17 due At two. clinic'])
  })
})
