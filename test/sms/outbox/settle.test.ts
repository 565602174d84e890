import assert from 'node:assert/strict'
import type { Knex } from 'knex'
import type { SmsOutcome } from '../../../src/sms/terms/types.ts'
import { fakeClock, settle, type FakeClock } from '../../support/clock.ts'
import { describeBoth } from '../../support/postgres.ts'
import { HOUR, MSISDN, outboxFixture, START, type OutboxFixture } from './fixture.ts'
import type { Sql } from '../../../src/base/sql.ts'
import { aroundSql } from '../../support/sql.ts'

const PARTLY = { messageIds: ['P1', null], line: 'vodafone' }

describeBoth('what became of an SMS', (database) => {
  let knex: Knex
  let clock: FakeClock
  let scene: OutboxFixture

  beforeEach(async () => {
    knex = database.db.knex
    clock = fakeClock(START)
    scene = await outboxFixture(database.db, clock)
  })

  /** Milliseconds from START until the row may be looked at again. */
  const wakes = (row: Record<string, unknown>) => (row.wake_at as Date).getTime() - START
  const look = async (outcome: SmsOutcome, row: object = {}) => {
    const id = await scene.owe(row)
    const handed = await scene.open(() => outcome).tick()
    return { handed, id, row: (await scene.row(id))! }
  }
  const accepted = { state: 'accepted', attempts: 1, losses: 0, last_status: null, last_error: null, settled_at: null }
  const cases: [what: string, SmsOutcome, after: object, wakeMs: number, counted: string][] = [
    [
      'is taken',
      { is: 'accepted', messageIds: ['M1'] },
      { ...accepted, sent_line: 'digicel', parts: 1 },
      0,
      'accepted',
    ],
    [
      'is taken by another line, in two parts',
      { is: 'accepted', messageIds: ['M1', 'M2'], line: 'vodafone' },
      { ...accepted, sent_line: 'vodafone', parts: 2 },
      0,
      'accepted',
    ],
    [
      'is refused for good',
      { is: 'failed', status: 0x0b },
      {
        ...accepted,
        state: 'failed',
        last_status: 0x0b,
        last_error: 'refused',
        settled_at: new Date(START),
        sent_line: 'digicel',
        parts: 1,
      },
      0,
      'failed',
    ],
    [
      'is put off',
      { is: 'later', status: 0x58, pause: false },
      {
        ...accepted,
        state: 'due',
        last_status: 0x58,
        last_error: 'the SMSC asked us to wait',
        sent_line: 'digicel',
        parts: 1,
      },
      1_500,
      'later',
    ],
    [
      'is put off after its first part',
      { is: 'later', status: 0x58, pause: false, partly: PARTLY },
      {
        ...accepted,
        state: 'due',
        last_status: 0x58,
        last_error: 'the SMSC asked us to wait',
        sent_line: 'vodafone',
        parts: 2,
      },
      1_500,
      'later',
    ],
    [
      'gets no response',
      { is: 'ambiguous' },
      { ...accepted, state: 'ambiguous', losses: 1, last_error: 'no response', sent_line: 'digicel', parts: 1 },
      90_000,
      'ambiguous',
    ],
    [
      'was not written',
      { is: 'unsent' },
      { ...accepted, state: 'due', attempts: 0, sent_line: 'digicel', parts: 1 },
      3_000,
      'unsent',
    ],
  ]
  for (const [what, outcome, after, wakeMs, counted] of cases) {
    it(`that ${what} stands in its row, and is counted`, async () => {
      const { handed, row } = await look(outcome)
      assert.deepEqual(Object.fromEntries(Object.keys(after).map((column) => [column, row[column]])), after)
      assert.equal(wakes(row), wakeMs)
      assert.deepEqual(scene.counted, { [`sms_total reminder ${counted}`]: 1 })
      assert.equal(handed, outcome.is === 'unsent' ? 0 : 1)
    })
  }

  it('names no line where any will do and none took it', async () => {
    assert.equal((await look({ is: 'ambiguous' }, { line: '' })).row.sent_line, null)
    assert.equal(
      (await look({ is: 'accepted', messageIds: ['M'], line: 'vodafone' }, { line: '', kind: 'b' })).row.sent_line,
      'vodafone',
    )
  })
  it('sends what is missing of an SMS whose first part was taken, and says what was', async () => {
    const { id } = await look({ is: 'later', status: 0x58, pause: false, partly: PARTLY })
    await clock.advance(1_500)
    await scene.open(() => ({ is: 'accepted', messageIds: [null, 'P2'], line: 'vodafone' })).tick()
    assert.deepEqual(
      scene.sent.map(({ taken, line }) => [taken, line]),
      [
        [undefined, 'digicel'],
        [[1], 'vodafone'],
      ],
    )
    assert.deepEqual(await knex('sms_part').where({ sms: id }).orderBy('part').pluck('message_id'), ['P1', 'P2'])
  })
  it('has its lease again, and what was taken of it written down, before each part that leaves', async () => {
    const id = await scene.owe()
    let before: Record<string, unknown> | undefined
    await scene
      .open(async (_sms, beforePart) => {
        await clock.advance(20_000)
        await beforePart!({ messageIds: ['P1', null], line: 'vodafone' })
        before = { ...(await scene.row(id)), taken: await knex('sms_part').where({ sms: id }).pluck('message_id') }
        return { is: 'accepted', messageIds: ['P1', 'P2'], line: 'vodafone' }
      })
      .tick()
    const { state, parts, sent_line, taken } = before!
    assert.deepEqual(
      { state, parts, sent_line, taken },
      { state: 'submitting', parts: 2, sent_line: 'vodafone', taken: ['P1'] },
    )
    assert.equal(wakes(before!), 50_000)
  })
  it("writes down no part of an SMS that is another daemon's by now", async () => {
    const id = await scene.owe()
    await scene
      .open(async (_sms, beforePart) => {
        await knex('sms_outbox').update({ lease: 'another' })
        await beforePart!({ messageIds: ['P1', null], line: 'vodafone' })
        return { is: 'ambiguous' }
      })
      .tick()
    assert.deepEqual([(await scene.row(id))!.state, await knex('sms_part').where({ sms: id })], ['submitting', []])
  })
  it('keeps from a subscriber whose queue is full what else is due to it, and from nobody else', async () => {
    const full: SmsOutcome = { is: 'later', status: 0x14, pause: false, destination: true }
    const [second, other] = [
      await scene.owe({ kind: 'b', due_at: new Date(START + 1_000) }),
      await scene.owe({ msisdn: '2', due_at: new Date(START + 1_000) }),
    ]
    const { row } = await look(full)
    assert.deepEqual(
      [wakes(row), wakes((await scene.row(second))!), wakes((await scene.row(other))!)],
      [105_000, 105_000, 1_000],
    )
  })
  it('keeps back nothing of a subscriber where the SMSC puts one SMS off, and nothing of the line', async () => {
    const second = await scene.owe({ kind: 'b', due_at: new Date(START + 1) })
    const { row } = await look({ is: 'later', status: 0x58, pause: false })
    assert.deepEqual([wakes(row), wakes((await scene.row(second))!)], [1_500, 1])
    await clock.advance(1)
    assert.equal(await scene.open(() => ({ is: 'accepted', messageIds: ['M'] })).tick(), 1)
  })
  it('rests a line for a second where its SMSC asks for it', async () => {
    await scene.owe()
    const daemon = scene.open(() =>
      scene.sent.length === 1 ? { is: 'later', status: 0x58, pause: true } : { is: 'accepted', messageIds: ['M'] },
    )
    await daemon.tick()
    await scene.owe({ kind: 'b' })
    await clock.advance(999)
    assert.equal(await daemon.tick(), 0)
    await clock.advance(1)
    assert.equal(await daemon.tick(), 1)
  })
  it('is not counted twice where a receipt was quicker than the response', async () => {
    const id = await scene.owe()
    const daemon = scene.open(async () => {
      await knex('sms_outbox').where({ id }).update({ state: 'delivered' })
      return { is: 'accepted', messageIds: ['M'] }
    })
    await daemon.tick()
    assert.equal((await scene.row(id))!.state, 'delivered')
    assert.equal((await knex('sms_part').where({ sms: id })).length, 0)
  })

  it('counts what was lost, tried again, given up, expired, quiet or called off, each once', async () => {
    const ambiguous = scene.open(() => ({ is: 'ambiguous' }))
    const id = await scene.owe()
    await ambiguous.tick()
    await ambiguous.tick()
    const counted = (of: string) => scene.counted[`sms_total ${of}`]
    assert.deepEqual(scene.counted, { 'sms_total reminder ambiguous': 1 })
    await clock.advance(90_000)
    await ambiguous.tick()
    assert.deepEqual([counted('reminder ambiguous'), counted('reminder retried')], [2, 1])
    await clock.advance(90_000)
    await ambiguous.tick()
    assert.deepEqual([(await scene.row(id))!.state, counted('reminder failed')], ['failed', 1])

    const hung = await scene.owe({ kind: 'hung' })
    void scene.open(() => new Promise(() => undefined)).tick()
    while ((await scene.row(hung))!.state !== 'submitting') await settle()
    await clock.advance(30_000)
    await scene.owe({ kind: 'late', expires_at: new Date(START + 1) })
    await scene.owe({ kind: 'night', quiet_zone: 'America/New_York', due_at: new Date(clock.now()) })
    await knex('sms_opt_out')
      .insert({ msisdn: '3', opted_out_at: new Date(START) })
      .onConflict()
      .ignore()
    await scene.owe({ kind: 'unwanted', msisdn: '3' })
    await scene
      .open(() => ({ is: 'accepted', messageIds: ['M'] }), { settings: { quietHours: { from: '18:00', to: '20:00' } } })
      .tick()
    assert.deepEqual(['hung ambiguous', 'late expired', 'night quiet', 'unwanted cancelled'].map(counted), [1, 1, 1, 1])
    assert.equal(((await scene.row(hung))!.wake_at as Date).getTime(), clock.now() + 90_000)
    await knex('sms_opt_out').delete()
  })
  it('sends to those who opted out what they asked for a moment ago, and nothing else', async () => {
    await knex('sms_opt_out').insert({ msisdn: MSISDN, opted_out_at: new Date(START) })
    await scene.owe({ kind: 'answer' })
    await scene.owe({ kind: 'reminder' })
    await scene.open(() => ({ is: 'accepted', messageIds: ['M'] })).tick()
    await knex('sms_opt_out').delete()
    assert.deepEqual(
      scene.sent.map(({ kind }) => kind),
      ['answer'],
    )
  })
  it('wakes at the end of the quiet hours, on the clock on the wall where the calendar is another', async () => {
    const wall = { ...clock, now: () => clock.now() + 1000 * HOUR }
    await scene.owe({ quiet_zone: 'Pacific/Port_Moresby', wake_at: new Date(START) })
    const settings = { quietHours: { from: '08:00', to: '11:00' } }
    assert.equal(await scene.open(() => ({ is: 'accepted', messageIds: ['M'] }), { clock: wall, settings }).tick(), 0)
    const [row] = await knex('sms_outbox')
    assert.deepEqual([wakes(row), row.lease, row.state], [1002 * HOUR, null, 'due'])
  })

  it('hands out at most as many at once as may be in flight', async () => {
    for (let i = 0; i < 5; i++) await scene.owe({ kind: `k${i}` })
    let [inFlight, most] = [0, 0]
    const answers: (() => void)[] = []
    const daemon = scene.open(
      async () => {
        most = Math.max(most, ++inFlight)
        await new Promise<void>((done) => answers.push(done))
        inFlight--
        return { is: 'accepted', messageIds: ['M'] }
      },
      { settings: { inFlightMax: 2 } },
    )
    const ticking = daemon.tick()
    for (let n = 0; n < 5; n++) {
      while (answers.length < Math.min(2, 5 - n)) await settle()
      answers.shift()!()
    }
    assert.deepEqual([await ticking, most], [5, 2])
  })
  it('is taken by one daemon, which takes no more than it has room for', async () => {
    const [first, second] = [await scene.owe(), await scene.owe({ kind: 'b' })]
    const slow = scene.open(() => new Promise(() => undefined), { settings: { inFlightMax: 1 } })
    void slow.tick()
    while (!scene.sent.length) await settle()
    const other = scene.open(() => ({ is: 'accepted', messageIds: ['M'] }))
    assert.equal(await other.tick(), 1)
    assert.equal(await other.tick(), 0)
    assert.deepEqual(
      scene.sent.map(({ id }) => id),
      [first, second],
    )
  })
  it('hands out the longest due first, and of those due at the same moment the one that was owed first', async () => {
    for (let i = 0; i < 5; i++) await scene.owe({ kind: `k${i}`, due_at: new Date(START - i) })
    for (const kind of ['k5', 'k6']) await scene.owe({ kind, due_at: new Date(START - 4) })
    // An UPDATE gives its rows in no order that it promises.
    const shuffled = aroundSql(database.db.sql, async (_, ask) => (await ask()).toReversed())
    await scene.open(() => ({ is: 'accepted', messageIds: ['M'] }), { sql: shuffled }).tick()
    assert.deepEqual(
      scene.sent.map(({ kind }) => kind),
      ['k4', 'k5', 'k6', 'k3', 'k2', 'k1', 'k0'],
    )
  })
  it('settles the others, and then says so, where one of a batch cannot be settled', async () => {
    const [bad, good] = [await scene.owe(), await scene.owe({ kind: 'b' })]
    let answer: () => void = () => undefined
    const { sql } = database.db
    const broken: Sql = {
      ...sql,
      transaction: async (work) => {
        if (!isBroken) return sql.transaction(work)
        isBroken = false
        setImmediate(answer)
        throw new TypeError('mine')
      },
    }
    let isBroken = true
    const daemon = scene.open(
      async ({ kind }) => {
        if (kind === 'b')
          await new Promise<void>((done) => {
            answer = done
          })
        else while (scene.sent.length < 2) await settle()
        return { is: 'accepted', messageIds: ['M'] }
      },
      { sql: broken },
    )
    await assert.rejects(daemon.tick(), /mine/)
    assert.deepEqual([(await scene.row(bad))!.state, (await scene.row(good))!.state], ['submitting', 'accepted'])
  })
})
