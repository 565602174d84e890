/** What one token may push, counted in a real database. */
import assert from 'node:assert/strict'
import { createPushLimits, type PushLimitSettings } from '../../src/push/limits.ts'
import { fitsTemplate } from '../../src/sms/settings/templates.ts'
import { fakeClock, type FakeClock } from '../support/clock.ts'
import { describeBoth } from '../support/postgres.ts'

/** 23:00 in Port Moresby. */
const START = Date.parse('2026-12-01T13:00:00Z')

describeBoth('the limits of pushes', (database) => {
  let clock: FakeClock
  let counted: string[]
  beforeEach(async () => {
    await database.db.knex('push_day').delete()
    clock = fakeClock(START)
    counted = []
  })
  const limits = (more: Partial<PushLimitSettings> = {}) =>
    createPushLimits({
      settings: { perSecond: 1, perDay: 1_000, freeText: false, templates: ['Paid {#var#}.'], ...more },
      zone: 'Pacific/Port_Moresby',
      sql: database.db.sql,
      clock,
      fits: fitsTemplate,
      counters: { count: (_, labels) => void counted.push(labels!.limit!) },
    })
  const push = { token: 'shop', flow: 'bill', texts: [] }

  it('are a rate of one token and flow: ten at once, then as many a second as the settings say', async () => {
    const { take } = limits()
    for (let i = 0; i < 10; i++) assert.equal(await take(push), undefined)
    assert.deepEqual(await take(push), {
      status: 429,
      error: 'push.perSecond: more than 1 pushes a second of token shop and flow bill',
      retryAfter: 1,
    })
    assert.equal(await take({ ...push, flow: 'other' }), undefined)
    assert.equal(await take({ ...push, token: 'other' }), undefined)
    await clock.advance(1_000)
    assert.equal(await take(push), undefined)
    assert.equal((await take(push))?.status, 429)
    assert.deepEqual(counted, ['push_rate', 'push_rate'])
  })

  it('are a count a day, over all daemons and restarts, until midnight of the zone', async () => {
    const [one, other] = [limits({ perDay: 3 }), limits({ perDay: 3 })]
    const both = await Promise.all([one, other, one, other, one].map(({ take }) => take(push)))
    assert.equal(both.filter((refusal) => refusal === undefined).length, 3)
    const refused = (await limits({ perDay: 3 }).take(push))!
    assert.deepEqual([refused.status, refused.retryAfter], [429, 3_600])
    assert.match(refused.error, /^push\.perDay: 3 pushes of token shop and flow bill on 2026-12-01 /)
    await clock.advance(3_600_000)
    assert.equal(await one.take(push), undefined)
    await clock.advance(8 * 86_400_000)
    assert.equal(await one.take(push), undefined)
    const days = (await database.db.knex('push_day').select('day')) as { day: string }[]
    assert.deepEqual(days, [{ day: '2026-12-10' }], 'old days are forgotten')
    assert.equal((await limits({ perDay: 0 }).take({ ...push, flow: 'none' }))?.status, 429)
  })

  it('are words: those of templates, in the screen and in the SMS; all only where the settings say so', async () => {
    const words = (...texts: string[]) => limits().take({ token: 'shop', texts })
    assert.equal(await words('Paid 5 PGK.'), undefined)
    assert.equal((await words('Paid 5 PGK.', 'You have won'))?.status, 403)
    assert.deepEqual(counted, ['push_words'])
    assert.equal(await limits({ freeText: true }).take({ token: 'shop', texts: ['You have won'] }), undefined)
  })
})
