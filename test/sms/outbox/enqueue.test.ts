import assert from 'node:assert/strict'
import { enqueueSms } from '../../../src/sms/outbox/enqueue.ts'
import { fakeClock } from '../../support/clock.ts'
import { describeBoth } from '../../support/postgres.ts'

describeBoth('an SMS that is owed at once', (database) => {
  it('is one SMS for one id, also where a turn is played again a minute later', async () => {
    const { sql, knex } = database.db
    const clock = fakeClock(Date.parse('2025-05-01T09:00:00+10:00'))
    const sms = { id: 'e:1:0', kind: 'flow', msisdn: '67570000001', line: '', text: 'Once' }
    await enqueueSms(sql, sms, clock)
    await clock.advance(60_000)
    await enqueueSms(sql, sms, clock)
    await enqueueSms(sql, { ...sms, id: 'e:2:0' }, clock)
    const rows = await knex('sms_outbox').orderBy('id').select<{ subject: string }[]>('subject')
    assert.deepEqual(
      rows.map(({ subject }) => subject),
      ['flow:e:1:0', 'flow:e:2:0'],
    )
  })
})
