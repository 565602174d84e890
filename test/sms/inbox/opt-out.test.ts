/** What subscribers wish about the SMS of one service, and of all: what they then get. */
import assert from 'node:assert/strict'
import { optIn, optOut } from '../../../src/sms/inbox/opt-out.ts'
import { fakeClock, type FakeClock } from '../../support/clock.ts'
import { describeBoth } from '../../support/postgres.ts'
import { MSISDN, outboxFixture, START, type OutboxFixture } from '../outbox/fixture.ts'
import { down, up } from '../../../migrations/016_opt_out_service.ts'

const SERVICES = { 'token:clinic': 'clinic', 'module:dental': 'clinic', 'flow:shop': 'shop' }

describeBoth('opting out by service', (database) => {
  let clock: FakeClock
  let outbox: OutboxFixture
  const stop = (service: string) => optOut(database.db.sql, { msisdn: MSISDN, service }, START)
  const start = (service: string) => optIn(database.db.sql, { msisdn: MSISDN, service }, START)

  beforeEach(async () => {
    clock = fakeClock(START)
    outbox = await outboxFixture(database.db, clock)
  })

  /** Which of them reach the subscriber. */
  async function got(): Promise<string[]> {
    await database.db.knex('sms_outbox').delete()
    outbox.sent.length = 0
    const keyed = (owner: string, more: object = {}) =>
      outbox.owe({ owner, key: owner, subject: owner, text: owner, ...more })
    await keyed('token:clinic')
    await keyed('flow:shop', { kind: 'campaign' })
    await keyed('backend:bank')
    await outbox.owe({ subject: 'dental:17', text: 'module:dental' })
    await keyed('token:otp', { kind: 'otp' })
    const dispatcher = outbox.open(async (sms) => ({ is: 'accepted', messageIds: [sms.id] }), {
      settings: { services: SERVICES },
    })
    await dispatcher.tick()
    return outbox.sent.map(({ text }) => text).toSorted()
  }
  const ALL = ['backend:bank', 'flow:shop', 'module:dental', 'token:clinic', 'token:otp']

  it('stops the reminders and campaigns of that service, and nothing else', async () => {
    assert.deepEqual(await got(), ALL)
    assert.equal(await stop('clinic'), true)
    assert.deepEqual(await got(), ['backend:bank', 'flow:shop', 'token:otp'])
    assert.equal(await stop('clinic'), false, 'it was so before')
    assert.equal(await start('clinic'), true)
    assert.deepEqual(await got(), ALL)
    assert.equal(await start('clinic'), false)
  })

  it('of all stops each, whatever was wished before; one that is wanted again comes alone', async () => {
    await stop('shop')
    assert.equal(await stop(''), true)
    assert.deepEqual(await got(), ['token:otp'])
    assert.equal(await stop('shop'), false, 'all are stopped')
    assert.equal(await start('clinic'), true)
    assert.deepEqual(await got(), ['module:dental', 'token:clinic', 'token:otp'])
    assert.equal(await start('clinic'), false)
    assert.equal(await stop('clinic'), true)
    assert.deepEqual(await got(), ['token:otp'])
    assert.equal(await start('clinic'), true)
    assert.equal(await stop(''), true, 'that one is stopped, too')
    assert.deepEqual(await got(), ['token:otp'])
    assert.equal(await start(''), true)
    assert.deepEqual([await got(), await database.db.knex('sms_opt_out')], [ALL, []])
  })

  it('stays in force over an upgrade; after the way back nobody gets what was refused', async () => {
    const { knex } = database.db
    const who = async () =>
      (await knex('sms_opt_out').orderBy('msisdn').select<{ msisdn: string }[]>('msisdn')).map(({ msisdn }) => msisdn)
    await down(knex)
    await knex('sms_opt_out').insert({ msisdn: MSISDN, opted_out_at: new Date(START) })
    await up(knex)
    assert.deepEqual(await got(), ['token:otp'])
    await start('clinic')
    await optOut(database.db.sql, { msisdn: '67570000002', service: 'shop' }, START)
    await optOut(database.db.sql, { msisdn: '67570000002', service: 'clinic' }, START)
    await down(knex)
    assert.deepEqual(await who(), [MSISDN, '67570000002'])
    await up(knex)
    await knex('sms_opt_out').delete()
  })
})
