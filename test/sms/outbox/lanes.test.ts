import assert from 'node:assert/strict'
import type { Knex } from 'knex'
import type { Sql } from '../../../src/base/sql.ts'
import { FROM_THE_START, forgetOld, forgetSome } from '../../../src/sms/outbox/forget.ts'
import { CLAIM, PUT_BEHIND, SETTLE_SMS, TAKE_PARTS } from '../../../src/sms/outbox/rows.ts'
import { SETTLE_SINGLES } from '../../../src/sms/receipts/rows.ts'
import type { OutboxDeps } from '../../../src/sms/outbox/settings.ts'
import type { Receipt, SmsOutcome } from '../../../src/sms/terms/types.ts'
import { fakeClock, settle, type FakeClock } from '../../support/clock.ts'
import { describeBoth } from '../../support/postgres.ts'
import { aroundSql } from '../../support/sql.ts'
import { HOUR, MSISDN, outboxFixture, START, type OutboxFixture, receipt } from './fixture.ts'

describeBoth('the lanes of the outbox', (database) => {
  const accepted = ({ id }: { id: string }): SmsOutcome => ({ is: 'accepted', messageIds: [`M${id}`] })
  let knex: Knex
  let clock: FakeClock
  let scene: OutboxFixture

  beforeEach(async () => {
    knex = database.db.knex
    clock = fakeClock(START)
    scene = await outboxFixture(database.db, clock)
  })

  async function owe(n: number, row: object = {}): Promise<string[]> {
    const ids: string[] = []
    for (let i = 0; i < n; i++) ids.push(await scene.owe({ subject: `s:${ids.length}:${i}`, ...row }))
    return ids
  }
  const states = async (ids: string[]) => {
    const rows = await knex('sms_outbox').whereIn('id', ids).select('state', 'lease')
    return [...new Set(rows.map(({ state, lease }) => `${state}${lease === null ? '' : ' leased'}`))].toSorted()
  }
  const room = (rooms: Record<string, number>): Pick<OutboxDeps, 'route' | 'smsLines'> => ({
    route: (line) => ({ line: line || Object.keys(rooms)[0]!, room: rooms[line || Object.keys(rooms)[0]!]! }),
    smsLines: () => Object.keys(rooms),
  })
  const named = (names: string[]): Sql =>
    aroundSql(database.db.sql, ({ name }, ask) => {
      names.push(name)
      return ask()
    })

  it('have no more rows in doubt than the line has room for, also of rows for any line', async () => {
    await owe(8)
    await owe(8, { line: '', kind: 'any' })
    let most = 0
    const daemon = scene.open(
      async (sms) => {
        const [{ count }] = (await knex('sms_outbox').where({ state: 'submitting' }).count()) as [{ count: string }]
        most = Math.max(most, Number(count))
        return accepted(sms)
      },
      { ...room({ digicel: 3 }), settings: { inFlightMax: Infinity } },
    )
    assert.equal(await daemon.tick(), 16)
    assert.equal(most, 3)
  })
  it('write many down in one statement, and what became of them in one transaction', async () => {
    await owe(40)
    const names: string[] = []
    await scene.open(accepted, { sql: named(names), settings: { inFlightMax: 50 } }).tick()
    assert.deepEqual(names.slice(names.indexOf('sms-claim')), ['sms-claim', 'sms-settle', 'receipt-early-of'])
  })
  it('write down the parts of many long ones in one statement, each before its next part leaves', async () => {
    const ids = await owe(20)
    const names: string[] = []
    await scene
      .open(
        async ({ id }, beforePart) => {
          for (const messageIds of [
            [null, null],
            [`A${id}`, null],
          ])
            await beforePart!({ messageIds, line: 'digicel' })
          return { is: 'accepted', messageIds: [`A${id}`, `B${id}`], line: 'digicel' }
        },
        { sql: named(names), settings: { inFlightMax: 50 } },
      )
      .tick()
    assert.deepEqual(names.slice(names.indexOf('sms-claim')), [
      'sms-claim',
      'sms-take-parts',
      'sms-take-parts',
      'receipt-early-of',
      'sms-settle',
      'receipt-early-of',
    ])
    const parts = await knex('sms_part').orderBy(['sms', 'part']).select('sms', 'message_id')
    assert.deepEqual(
      parts.map(({ sms, message_id: id }) => [String(sms), id]),
      ids.flatMap((id) => ['A', 'B'].map((part) => [id, `${part}${id}`])),
    )
  })
  it('give each kind its share, so that many of one do not hold up another', async () => {
    await owe(30, { kind: 'campaign', due_at: new Date(START - HOUR), wake_at: new Date(START - HOUR) })
    await owe(2, { kind: 'answer' })
    await scene.open(accepted, { settings: { inFlightMax: 6 } }).tick()
    const kinds = scene.sent.map(({ kind }) => kind)
    assert.deepEqual([kinds.length, kinds.slice(0, 5).filter((kind) => kind === 'answer').length], [32, 2])
  })
  it('begin a claim behind the last, and see what has become due before it within a fifth of a second', async () => {
    for (let n = 0; n < 40; n++) await owe(1, { subject: `c:${n}`, kind: 'campaign', msisdn: String(67570000100 + n) })
    const heads: unknown[] = []
    const sql = aroundSql(database.db.sql, ({ name }, ask, bindings) => {
      if (name === 'sms-claim') heads.push(bindings.heads === null ? null : JSON.parse(String(bindings.heads)).length)
      return ask()
    })
    let isOwed = false
    const daemon = scene.open(
      async (sms) => {
        if (!isOwed && scene.sent.length === 10) {
          isOwed = true
          await owe(1, { kind: 'otp', due_at: new Date(START - HOUR) })
          await clock.advance(200)
        }
        return accepted(sms)
      },
      { sql, settings: { inFlightMax: 1 } },
    )
    assert.equal(await daemon.tick(), 41)
    const otp = scene.sent.findIndex(({ kind }) => kind === 'otp')
    assert.equal(otp, 10)
    assert.deepEqual([heads[0], heads[1], heads.filter((one) => one === null).length >= 2], [null, 1, true])
  })
  describe('with a subscriber who has thousands due', () => {
    const crowd = (n: number) =>
      knex.raw(
        `INSERT INTO sms_outbox (subject, kind, msisdn, line, text, due_at, expires_at, wake_at, created_at)
        SELECT 'crowd:' || n, 'reminder', '67570000009', 'digicel', 'x', at, at + interval '1 day', at, at
        FROM generate_series(1, CAST(? AS int)) n, (SELECT CAST(? AS timestamptz) AS at) moment`,
        [n, new Date(START - HOUR)],
      )
    const others = () => scene.sent.filter(({ msisdn }) => msisdn === MSISDN).length

    it('put those behind the others of that kind, and send all in the end', async () => {
      // More than one statement puts behind.
      await crowd(2_500)
      await owe(3)
      const daemon = scene.open(accepted)
      daemon.start()
      while (others() < 3) await settle()
      assert.ok(scene.sent.length < 60, `${scene.sent.length} before the others`)
      assert.ok(scene.counted['limits_total sms_crowd']! > 0)
      await daemon.stop()
      await clock.advance(1_000)
      await scene.open(accepted).tick()
      assert.equal(new Set(scene.sent.map(({ id }) => id)).size, 2_503)
    })
    it('leave those where they are if nobody waits behind them', async () => {
      await crowd(100)
      assert.equal(await scene.open(accepted).tick(), 100)
      assert.equal(scene.counted['limits_total sms_crowd'], undefined)
    })
  })
  it('leave a few SMS of one subscriber in their place', async () => {
    for (let n = 0; n < 30; n++)
      for (const i of [1, 2])
        await owe(1, { subject: `c:${n}:${i}`, kind: 'campaign', msisdn: String(67570000100 + n) })
    await scene.open(accepted, { settings: { inFlightMax: 4 } }).tick()
    assert.deepEqual([scene.sent.length, scene.counted['limits_total sms_crowd']], [60, undefined])
  })
  it('send what is most urgent first, whatever was due before', async () => {
    const kinds = ['campaign', 'notice', 'reminder', 'answer', 'transactional', 'otp']
    for (const kind of kinds) await owe(2, { kind, due_at: new Date(START - HOUR), wake_at: new Date(START - HOUR) })
    // As many as are claimed at once.
    await scene.open(accepted, { settings: { inFlightMax: 2, gatherMs: 0 } }).tick()
    const sent = scene.sent.map(({ kind }) => kind)
    assert.deepEqual(sent.slice(0, 2), ['otp', 'otp'])
    assert.deepEqual(sent.slice(2, 6).toSorted(), ['answer', 'answer', 'transactional', 'transactional'])
    assert.deepEqual(sent.slice(6, 10).toSorted(), ['notice', 'notice', 'reminder', 'reminder'])
    assert.deepEqual(sent.slice(10), ['campaign', 'campaign'])
  })
  it('claim what is urgent before all that was due before, once there is a slot', async () => {
    await owe(100, { kind: 'campaign' })
    let answer: (outcome: SmsOutcome) => void = () => undefined
    const daemon = scene.open(() => new Promise((done) => (answer = done)), {
      settings: { inFlightMax: 1, batchMax: 20, pollMs: 1_000 },
    })
    daemon.start()
    while (!scene.sent.length) await settle()
    await scene.owe({ kind: 'otp' })
    await clock.advance(1_000)
    answer({ is: 'accepted', messageIds: ['M1'] })
    while (scene.sent.length < 2) await clock.advance(1)
    assert.deepEqual(
      scene.sent.map(({ kind }) => kind),
      ['campaign', 'otp'],
    )
    const stopping = daemon.stop()
    answer({ is: 'accepted', messageIds: ['M2'] })
    await stopping
  })
  it('leave alone what no line takes now, and send what another line takes', async () => {
    const stuck = await owe(30, { line: 'vodafone', due_at: new Date(START - HOUR) })
    const others = await owe(2)
    const { route, smsLines } = room({ digicel: 2, vodafone: 0 })
    const daemon = scene.open(accepted, {
      route: (line) => (line === 'vodafone' ? null : route!(line)),
      smsLines: smsLines!,
      settings: { batchMax: 4 },
    })
    assert.equal(await daemon.tick(), 2)
    assert.deepEqual([await states(stuck), await states(others)], [['due'], ['accepted leased']])
  })
  it('do not wait for each other: one that gets no answers does not hold up another', async () => {
    await owe(30, { line: 'vodafone' })
    const daemon = scene.open(
      (sms) => (sms.line === 'vodafone' ? new Promise(() => undefined) : accepted(sms)),
      room({ digicel: 2, vodafone: 2 }),
    )
    daemon.start()
    while (scene.sent.length < 2) await settle()
    const ids = await owe(3, { kind: 'b' })
    while ((await states(ids)).join() !== 'accepted leased') await clock.advance(1_000)
    assert.equal(scene.sent.filter(({ line }) => line === 'vodafone').length, 2)
  })
  it('are filled again before they are empty, without a wait, as long as more is due', async () => {
    for (let n = 0; n < 60; n++) await owe(1, { subject: `m:${n}`, msisdn: String(67570000100 + n) })
    const daemon = scene.open(accepted, { settings: { batchMax: 4, inFlightMax: 2, pollMs: HOUR } })
    daemon.start()
    // No time passes but for what is due at once.
    while (scene.sent.length < 60) await clock.advance(0)
    await daemon.stop()
  })
  it('take nothing more when they stop, and leave the rest in its place', async () => {
    const ids = await owe(5)
    const later = await scene.owe({ kind: 'later' })
    let answer: (outcome: SmsOutcome) => void = () => undefined
    const daemon = scene.open(() => new Promise((done) => (answer = done)), { settings: { inFlightMax: 1 } })
    daemon.start()
    while (!scene.sent.length) await settle()
    const stopping = daemon.stop()
    answer({ is: 'accepted', messageIds: ['M'] })
    await stopping
    assert.deepEqual(await states([...ids.slice(1), later]), ['due'])
    assert.equal(await scene.open(accepted).tick(), 5)
  })
  it('do not send what has become useless while it waited for a slot', async () => {
    const ids = await owe(2, { expires_at: new Date(START + HOUR) })
    const daemon = scene.open(
      async (sms) => {
        if (sms.id === ids[0]) await clock.advance(HOUR)
        return accepted(sms)
      },
      { settings: { inFlightMax: 1 } },
    )
    assert.equal(await daemon.tick(), 1)
    assert.deepEqual([(await scene.row(ids[1]!))!.state, scene.counted['sms_total reminder expired']], ['expired', 1])
  })
  it('keep back what is due to the subscriber whose queue was found full', async () => {
    const [first, second, other] = [...(await owe(2)), ...(await owe(1, { kind: 'b', msisdn: '2' }))]
    const daemon = scene.open(
      (sms) => (sms.id === first ? { is: 'later', status: 0x14, pause: false, destination: true } : accepted(sms)),
      { settings: { inFlightMax: 1 } },
    )
    assert.equal(await daemon.tick(), 2)
    const [mine, its] = [(await scene.row(second!))!, (await scene.row(other!))!]
    assert.deepEqual([mine.state, (mine.wake_at as Date).getTime() - START, its.state], ['due', 105_000, 'accepted'])
  })
  it('get nothing while their line pauses as its SMSC asked, and go on after it', async () => {
    const ids = await owe(6)
    const daemon = scene.open(
      (sms) => (scene.sent.length === 1 ? { is: 'later', status: 0x58, pause: true } : accepted(sms)),
      { settings: { inFlightMax: 1 } },
    )
    assert.equal(await daemon.tick(), 1)
    assert.deepEqual(await states(ids.slice(1)), ['due'])
    await clock.advance(2_000)
    assert.equal(await daemon.tick(), 6)
  })

  it('store receipts that come together in one statement, and each as it is', async () => {
    const ids = await owe(20)
    const names: string[] = []
    const daemon = scene.open(accepted, { sql: named(names) })
    await daemon.tick()
    names.splice(0)
    const applied = (id: string, state: Receipt['state'] = 'delivered') =>
      daemon.applyReceipt(receipt(`M${id}`, { state }))
    const [last, ...rest] = ids.toReversed()
    const results = await Promise.all([
      ...rest.map((id) => applied(id)),
      applied(last!, 'undeliverable'),
      applied(last!, 'delivered'),
      applied('unknown'),
    ])
    assert.deepEqual(results, [...rest.map(() => 'matched'), 'matched', 'repeat', 'early'])
    assert.equal(names.filter((name) => name === 'receipt-singles').length, 1)
    assert.deepEqual([await states(rest), await states([last!])], [['delivered leased'], ['failed leased']])
  })
  it('store a receipt after the response that came right before it', async () => {
    const [id] = await owe(1)
    const names: string[] = []
    let told: Promise<unknown> = Promise.resolve()
    const sql = aroundSql(database.db.sql, ({ name }, ask) => {
      names.push(name)
      if (name === 'sms-settle')
        told = daemon.applyReceipt({
          line: 'digicel',
          messageId: `M${id}`,
          state: 'delivered',
          error: '0',
          from: MSISDN,
          doneMs: null,
          reference: null,
        })
      return ask()
    })
    const daemon = scene.open(accepted, { sql })
    await daemon.tick()
    assert.equal(await told, 'matched')
    assert.deepEqual([names.at(-1), names.includes('receipt-keep')], ['receipt-singles', false])
  })

  it('forget more than one page of what is old, and read nothing of what is young', async () => {
    await fill(2_500, 'accepted', `interval '40 days'`)
    await fill(1_500, 'due', `interval '40 days'`)
    await fill(2_500, 'accepted', `interval '1 day'`)
    const { rows, next } = await forgetSome(database.db.sql, {
      nowMs: Date.now(),
      keepMs: 30 * 24 * HOUR,
      after: FROM_THE_START,
    })
    assert.deepEqual([rows, next === null], [2_500, false])
    assert.equal(await forgetOld(database.db.sql, Date.now(), 30 * 24 * HOUR), 0)
    const [{ count }] = (await knex('sms_outbox').count()) as [{ count: string }]
    assert.equal(Number(count), 4_000)
  })

  describe('among 100,000 rows that are done', () => {
    it('look each row up by an index', async function () {
      this.timeout(120_000)
      for (let n = 0; n < 20; n++) await fill(5_000, 'delivered', `interval '1 day'`)
      for (let n = 0; n < 20; n++)
        await knex.raw(`INSERT INTO sms_part (sms, part, line, message_id, message_key)
          SELECT id, 1, 'digicel', 'M' || id, 'M' || id FROM sms_outbox WHERE id % 20 = ${n}`)
      await fill(2_000, 'due', `interval '1 hour'`)
      await knex.raw('ANALYZE sms_outbox')
      await knex.raw('ANALYZE sms_part')
      const now = new Date()
      const at = { now, today: now, until: now }
      const own = { lease: 'L', wants: '{}', other: 100, heads: null, quiet: '{}', services: '{}' }
      const some = { rows: '[]', ids: '[]', keys: '[]' }
      const plans = {
        claim: await planOf((sql) => CLAIM(sql, { ...at, ...own })),
        behind: await planOf((sql) => CLAIM(sql, { ...at, ...own, heads: '[]' })),
        crowds: await planOf((sql) => PUT_BEHIND(sql, { now, until: now, crowds: '[]', each: 100 })),
        parts: await planOf((sql) => TAKE_PARTS(sql, { until: now, taken: '{1,2,3}', ...some })),
        settle: await planOf((sql) => SETTLE_SMS(sql, { now, settled: '{1,2,3}', ...some })),
        receipts: await planOf((sql) => SETTLE_SINGLES(sql, { now, receipts: '[]' })),
      }
      assert.match(plans.claim, /Index (Only )?Scan using sms_outbox_ready/)
      for (const [name, plan] of Object.entries(plans)) {
        assert.doesNotMatch(plan, /Seq Scan on (sms_outbox|sms_part)/, `${name}:\n${plan}`)
      }
    })
  })

  async function planOf(ask: (sql: Sql) => Promise<unknown>): Promise<string> {
    let plan = ''
    await ask({
      ...database.db.sql,
      async run({ name, text, parameters }, bindings) {
        const explained = { name: `plan-${name}`, text: `EXPLAIN ${text}`, parameters, mayShare: false }
        const rows = (await database.db.sql.run(explained, bindings)) as { 'QUERY PLAN': string }[]
        plan = rows.map((row) => row['QUERY PLAN']).join('\n')
        return []
      },
    })
    return plan
  }

  /** So many rows, `ago` old. */
  async function fill(n: number, state: string, ago: string): Promise<void> {
    await knex.raw(
      `INSERT INTO sms_outbox (subject, kind, msisdn, line, text, state, due_at, expires_at, wake_at, created_at)
      SELECT gen_random_uuid(), 'reminder', (67570000000 + n)::text, 'digicel', 'Reminder', '${state}',
        now() - ${ago}, now() - ${ago} + interval '1 hour', now() - ${ago}, now() - ${ago}
      FROM generate_series(1, ${n}) n`,
    )
  }
})
