import assert from 'node:assert/strict'
import type { Knex } from 'knex'
import { CANCEL_SMS, smsBinding, WRITE_SMS, type NewSms } from '../../../src/sms/outbox/statements.ts'
import { statement } from '../../../src/base/sql.ts'
import { fakeClock } from '../../support/clock.ts'
import { describeBoth } from '../../support/postgres.ts'

const START = Date.parse('2025-05-01T09:00:00+10:00')
const HOUR = 3_600_000
const CONFIRMATION: NewSms = {
  kind: 'confirmation',
  text: 'Orait: "9 AM", é',
  dueMs: START,
  expiresMs: START + HOUR,
  quietZone: null,
}
const REMINDER: NewSms = {
  kind: 'reminder',
  text: 'Reminder',
  dueMs: START + 24 * HOUR,
  leavesMs: START + 22 * HOUR,
  expiresMs: START + 48 * HOUR,
  quietZone: 'Pacific/Port_Moresby',
}

describeBoth('the rows of the outbox', (database) => {
  let knex: Knex

  beforeEach(async () => {
    knex = database.db.knex
    await knex.raw('DELETE FROM sms_outbox')
  })

  /** Owners as an earlier part of a service's statement gives them. */
  const WRITE = statement(
    'test-write',
    `
    WITH owner AS (SELECT * FROM jsonb_to_recordset(CAST(:owners AS jsonb)) AS o(subject text, msisdn text, line text)) ${WRITE_SMS}`,
  )
  const CANCEL = statement('test-cancel', `WITH gone AS (SELECT CAST(:subject AS text) AS subject) ${CANCEL_SMS}`)
  const write = (sms: readonly NewSms[], subjects = ['dental:1'], now = new Date(START - HOUR)) =>
    WRITE(database.db.sql, {
      sms: smsBinding(sms, { owner: 'module:dental', hook: null }, fakeClock(START - HOUR)),
      now,
      owners: JSON.stringify(subjects.map((subject) => ({ subject, msisdn: '67570000001', line: 'digicel' }))),
    })
  const rows = () => knex('sms_outbox').orderBy(['subject', 'due_at']).select<Record<string, unknown>[]>('*')

  it('are written with all that an SMS is, for each owner', async () => {
    await write([CONFIRMATION, REMINDER], ['dental:1', 'dental:2'])
    const [first, second, ...more] = await rows()
    const written = {
      subject: 'dental:1',
      kind: 'confirmation',
      msisdn: '67570000001',
      line: 'digicel',
      text: 'Orait: "9 AM", é',
      quiet_zone: null,
      state: 'due',
      due_at: new Date(START),
      expires_at: new Date(START + HOUR),
      wake_at: new Date(START),
      created_at: new Date(START - HOUR),
      lease: null,
      attempts: 0,
      settled_at: null,
      recall_at: null,
    }
    assert.deepEqual(Object.fromEntries(Object.keys(written).map((column) => [column, first![column]])), written)
    assert.deepEqual(
      [second!.kind, second!.quiet_zone, second!.due_at, second!.wake_at],
      ['reminder', 'Pacific/Port_Moresby', new Date(START + 24 * HOUR), new Date(START + 22 * HOUR)],
    )
    assert.deepEqual(
      more.map(({ subject, kind }) => [subject, kind]),
      [
        ['dental:2', 'confirmation'],
        ['dental:2', 'reminder'],
      ],
    )
  })
  it('are written with whose they are, who is told of them, and the key of their subject if they have one', async () => {
    const sms = [{ ...CONFIRMATION, key: 'k1' }, REMINDER]
    const whose = { owner: 'module:other', hook: 'clinic' }
    await WRITE(database.db.sql, {
      sms: smsBinding(sms, whose, fakeClock(START - HOUR)),
      now: new Date(START),
      owners: JSON.stringify([{ subject: 'other:1', msisdn: '67570000001', line: '' }]),
    })
    const of = (await rows()).map(({ owner, hook, key }) => ({ owner, hook, key }))
    assert.deepEqual(of, [
      { ...whose, key: 'other:1/k1' },
      { ...whose, key: null },
    ])
    await write([CONFIRMATION], ['dental:1'])
    const [own] = (await rows()).filter(({ subject }) => subject === 'dental:1')
    assert.deepEqual([own!.owner, own!.hook], ['module:dental', null])
  })
  it('leave by the wall clock where the calendar is another', async () => {
    const clock = { ...fakeClock(START), today: () => START - 100 * HOUR }
    const binding = (sms: NewSms) => {
      const [one] = JSON.parse(smsBinding([sms], { owner: 'o', hook: null }, clock)) as Record<string, string>[]
      return [one!.due_at, one!.wake_at, one!.expires_at].map((at) => (Date.parse(at!) - START) / HOUR)
    }
    assert.deepEqual(binding(CONFIRMATION), [0, 100, 1])
    assert.deepEqual(binding(REMINDER), [24, 122, 48])
  })
  it('are put right where a daemon of the earlier release writes when they leave into due_at', async () => {
    const [now, leaves, asked] = [0, 20, 24].map((hours) => new Date(START + hours * HOUR))
    const own = {
      kind: 'reminder',
      msisdn: '67570000001',
      line: '',
      text: 'x',
      expires_at: new Date(START + 99 * HOUR),
    }
    const kept = async (row: object) => {
      await knex('sms_outbox').insert({ subject: 's', ...own, created_at: now, ...row })
      const [{ due_at, wake_at }] = (await rows()) as [{ due_at: Date; wake_at: Date }]
      await knex.raw('DELETE FROM sms_outbox')
      return [due_at, wake_at]
    }
    const old = { due_at: leaves, wake_at: now }
    assert.deepEqual(await kept({ ...old, asked: '[]', asked_at: asked }), [asked, leaves], 'under a key')
    assert.deepEqual(await kept(old), [leaves, leaves], 'of a module')
    assert.deepEqual(await kept({ due_at: asked, wake_at: leaves }), [asked, leaves], 'of a module of this one')
    assert.deepEqual(
      await kept({ due_at: asked, wake_at: now, asked: '[]' }),
      [asked, now],
      'of this one, to leave now',
    )
    assert.deepEqual(await kept({ due_at: now, wake_at: now }), [now, now])
  })
  it('are none where there is no owner, or no SMS', async () => {
    await write([CONFIRMATION], [])
    await write([])
    assert.deepEqual(await rows(), [])
  })
  it('are one for the same subject, kind and moment, as it was written first', async () => {
    await write([CONFIRMATION])
    await write([
      { ...CONFIRMATION, text: 'else' },
      { ...CONFIRMATION, dueMs: START + 1 },
    ])
    assert.deepEqual(
      (await rows()).map(({ text, due_at }) => [text, (due_at as Date).getTime() - START]),
      [
        [CONFIRMATION.text, 0],
        [CONFIRMATION.text, 1],
      ],
    )
  })

  it('are called off where they have not left, called back where the SMSC has them or may get them, and else let be', async () => {
    const now = new Date(START + 5)
    const settled = new Date(START)
    const off = { state: 'cancelled', lease: null, settled_at: now, recall_at: null }
    const recalled = (state: string) => ({ state, lease: 'L', settled_at: null, recall_at: now })
    const left = (state: string) => ({ state, lease: 'L', settled_at: settled, recall_at: null })
    const becomes: Record<string, object> = {
      due: off,
      ambiguous: off,
      accepted: recalled('accepted'),
      submitting: recalled('submitting'),
      delivered: left('delivered'),
      failed: left('failed'),
      expired: left('expired'),
      cancelled: left('cancelled'),
    }
    for (const [state, after] of Object.entries(becomes)) {
      await knex.raw('DELETE FROM sms_outbox')
      await write([REMINDER], ['dental:1', 'dental:2'])
      const isSettled = !['due', 'ambiguous', 'accepted', 'submitting'].includes(state)
      await knex('sms_outbox').update({ state, lease: 'L', settled_at: isSettled ? settled : null })
      await CANCEL(database.db.sql, { subject: 'dental:1', now })
      const [mine, other] = (await rows()).map(({ state: is, lease, settled_at, recall_at }) => ({
        state: is,
        lease,
        settled_at,
        recall_at,
      }))
      assert.deepEqual(mine, after, state)
      assert.deepEqual(
        other,
        { state, lease: 'L', settled_at: isSettled ? settled : null, recall_at: null },
        `${state}, of another subject`,
      )
    }
  })
})
