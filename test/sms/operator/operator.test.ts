import assert from 'node:assert/strict'
import type { Knex } from 'knex'
import { depthWatch } from '../../../src/sms/operator/depth.ts'
import { failedFor, LISTED_STATES, pageOfSms, type SmsAsked } from '../../../src/sms/operator/list.ts'
import { smsOperator, type SmsOperator } from '../../../src/sms/operator/operator.ts'
import { fakeClock, type FakeClock } from '../../support/clock.ts'
import { describeBoth } from '../../support/postgres.ts'
import { HOUR, MSISDN, outboxFixture, receipt, START, type OutboxFixture } from '../outbox/fixture.ts'

const ONCE = { mayBeTwice: false, forMs: null }

describeBoth('the outbox for an operator', (database) => {
  let knex: Knex
  let clock: FakeClock
  let scene: OutboxFixture
  let operator: SmsOperator
  let counted: string[]

  beforeEach(async () => {
    knex = database.db.knex
    clock = fakeClock(START)
    scene = await outboxFixture(database.db, clock)
    counted = []
    operator = smsOperator({
      sql: database.db.sql,
      clock,
      counters: { count: (name, labels = {}) => void counted.push([name, ...Object.values(labels)].join(' ')) },
      manages: (line) => line === 'managed',
      depth: () => null,
    })
  })

  const page = (asked: Partial<SmsAsked>) =>
    pageOfSms(database.db.sql, { state: 'failed', sinceMs: null, untilMs: null, after: null, limit: 50, ...asked })
  const at = (ms: number) => new Date(START + ms)
  let serial = 0
  const owe = (row: object) => scene.owe({ subject: `of:${serial++}`, ...row })

  describe('lists', () => {
    it('nothing where there is nothing', async () => {
      for (const state of LISTED_STATES) assert.deepEqual(await page({ state }), { sms: [], next: null })
    })

    it('what was given up, the newest first, page by page, and none twice where many have one moment', async () => {
      const same = await Promise.all(Array.from({ length: 5 }, () => owe({ state: 'failed', settled_at: at(10) })))
      const last = await owe({ state: 'failed', settled_at: at(20) })
      const first = await owe({ state: 'failed', settled_at: at(5) })
      await owe({ state: 'expired', settled_at: at(15) })
      const seen: string[] = []
      for (let after: SmsAsked['after'] | undefined = null; after !== undefined;) {
        const { sms, next } = await page({ after, limit: 2 })
        seen.push(...sms.map(({ id }) => id))
        after = next ?? undefined
      }
      assert.deepEqual(seen, [last, ...same.toSorted((a, b) => Number(b) - Number(a)), first])
      assert.deepEqual(
        (await page({ sinceMs: START + 20 })).sms.map(({ id }) => id),
        [last],
      )
      assert.equal((await page({ state: 'expired' })).sms.length, 1)
      assert.deepEqual(
        (await page({ untilMs: START + 10 })).sms.map(({ id }) => id),
        [first],
      )
    })

    it('why they failed, the most frequent reason first, within a time', async () => {
      assert.deepEqual(await failedFor(database.db.sql, { sinceMs: null, untilMs: null }), [])
      for (const ms of [1, 2, 3])
        await owe({ state: 'failed', settled_at: at(ms), last_error: 'refused', last_status: 11 })
      await owe({ state: 'failed', settled_at: at(4), last_error: 'no response, twice' })
      await owe({ state: 'expired', settled_at: at(4) })
      assert.deepEqual(await failedFor(database.db.sql, { sinceMs: null, untilMs: null }), [
        { status: 11, error: 'refused', n: 3 },
        { status: null, error: 'no response, twice', n: 1 },
      ])
      assert.deepEqual(await failedFor(database.db.sql, { sinceMs: START + 2, untilMs: START + 4 }), [
        { status: 11, error: 'refused', n: 2 },
      ])
    })

    it('what is due: that which leaves first, of every line and kind', async () => {
      const later = await owe({ kind: 'campaign', line: 'other', due_at: at(2), wake_at: at(2) })
      const now = await owe({ due_at: at(1), wake_at: at(1) })
      const next = await owe({ kind: 'otp', due_at: at(3), wake_at: at(3) })
      assert.deepEqual(
        (await page({ state: 'due' })).sms.map(({ id }) => id),
        [now, later, next],
      )
      const { sms, next: place } = await page({ state: 'due', limit: 1 })
      assert.deepEqual(
        sms.map(({ id }) => id),
        [now],
      )
      assert.deepEqual(
        (await page({ state: 'due', after: place })).sms.map(({ id }) => id),
        [later, next],
      )
      assert.deepEqual(
        (await page({ state: 'due', sinceMs: START + 3 })).sms.map(({ id }) => id),
        [next],
      )
    })

    it('those without a response, and not those that are being sent', async () => {
      const lost = await owe({ state: 'ambiguous', submitted_at: at(0) })
      await owe({ state: 'submitting', submitted_at: at(0) })
      assert.deepEqual(
        (await page({ state: 'ambiguous' })).sms.map(({ id }) => id),
        [lost],
      )
      assert.deepEqual((await page({ state: 'ambiguous', sinceMs: START + 1 })).sms, [])
      assert.deepEqual((await page({ state: 'ambiguous', untilMs: START })).sms, [])
      assert.equal((await page({ state: 'submitting' })).sms.length, 1)
    })

    it('by their indexes: of 4,000 SMS in each state, a page reads no more than itself', async function () {
      this.timeout(60_000)
      await knex.raw(
        `INSERT INTO sms_outbox (subject, kind, state, msisdn, text, due_at, expires_at, wake_at, created_at, submitted_at, settled_at)
        SELECT 'many:' || s || n, 'campaign', s, (67580000000 + n)::text, 'x', ?::timestamptz, ?::timestamptz,
          ?::timestamptz + n * interval '1 second', ?::timestamptz, ?::timestamptz, ?::timestamptz + n * interval '1 second'
        FROM unnest(ARRAY['failed', 'expired', 'due', 'delivered', 'ambiguous', 'submitting']) s, generate_series(1, 4000) n`,
        [at(0), at(HOUR), at(0), at(0), at(0), at(0)],
      )
      await knex.raw('ANALYZE sms_outbox')
      for (const state of LISTED_STATES) {
        const read = await tuplesRead(() => page({ state, limit: 20 }))
        assert.ok(read < 1_000, `${state}: ${read} rows and entries of 24,000`)
      }
      const depth = depthWatch({ sql: database.db.sql, clock })
      await depth.look()
      assert.deepEqual(
        depth.lately()!.lines.map(({ later }) => later),
        [4_000],
      )
    })

    /** On one connection: what a transaction has read is known within it. */
    async function tuplesRead(run: () => Promise<unknown>): Promise<number> {
      const count = async () => {
        const { rows } = await knex.raw(`SELECT sum(idx_tup_read) + sum(idx_tup_fetch) AS read FROM pg_stat_user_indexes
          WHERE relname = 'sms_outbox'`)
        const table = await knex.raw(
          `SELECT seq_tup_read AS read FROM pg_stat_user_tables WHERE relname = 'sms_outbox'`,
        )
        return Number(rows[0].read) + Number(table.rows[0].read)
      }
      const before = await settled(count)
      await run()
      return (await settled(count)) - before
    }

    /** Statistics of the server come a moment later. */
    async function settled(count: () => Promise<number>): Promise<number> {
      await knex.raw('SELECT pg_stat_force_next_flush()')
      return count()
    }
  })

  describe('sends again', () => {
    it('one that failed for good: tries begin anew, and its end is no longer told', async () => {
      const id = await owe({ state: 'failed', attempts: 20, last_error: 'refused', last_status: 11, settled_at: at(1) })
      assert.equal((await operator.retry(id, ONCE)).is, 'due')
      const row = (await scene.row(id))!
      assert.deepEqual([row.state, row.attempts, row.settled_at], ['due', 0, null])
      const outbox = scene.open(() => ({ is: 'accepted', messageIds: ['A'] }))
      assert.equal(await outbox.tick(), 1)
      assert.equal((await scene.row(id))!.state, 'accepted')
      assert.deepEqual(counted, ['sms_operator_total retry due'])
    })

    it('only the parts that the network gave up', async () => {
      const id = await owe({
        state: 'failed',
        parts: 3,
        sent_line: 'digicel',
        last_error: 'receipt: expired',
        settled_at: at(1),
      })
      const part = (n: number, state: string) => ({
        sms: id,
        part: n,
        line: 'digicel',
        message_id: `P${n}`,
        message_key: `p${n}`,
        state,
      })
      await knex('sms_part').insert([part(1, 'delivered'), part(2, 'failed'), part(3, 'accepted')])
      await operator.retry(id, ONCE)
      const outbox = scene.open(() => ({ is: 'accepted', messageIds: [null, 'N2', null] }))
      await outbox.tick()
      assert.deepEqual(scene.sent[0]!.taken, [1, 3])
      await outbox.applyReceipt(receipt('N2'))
      await outbox.applyReceipt(receipt('P3'))
      assert.equal((await scene.row(id))!.state, 'delivered')
    })

    it('and does not take a receipt that comes again for that of an unknown SMS', async () => {
      const id = await owe({ state: 'failed', sent_line: 'digicel', last_error: 'receipt: expired', settled_at: at(1) })
      await knex('sms_part').insert({
        sms: id,
        part: 1,
        line: 'digicel',
        message_id: 'OLD',
        message_key: 'old',
        state: 'failed',
      })
      await operator.retry(id, ONCE)
      const outbox = scene.open(() => ({ is: 'accepted', messageIds: ['NEW'] }))
      assert.equal(await outbox.applyReceipt(receipt('OLD', { state: 'expired' })), 'repeat', 'while it is due')
      await outbox.tick()
      assert.equal(await outbox.applyReceipt(receipt('OLD', { state: 'expired' })), 'repeat')
      assert.equal(
        await outbox.applyReceipt(receipt('OLD', { state: 'expired', from: '67570000009' })),
        'early',
        'of another',
      )
      assert.equal(await outbox.applyReceipt(receipt('NEW')), 'matched')
      assert.equal((await scene.row(id))!.state, 'delivered')
      assert.equal((await knex('sms_receipt_orphan')).length, 1)
      assert.deepEqual(
        (await knex('sms_part').where({ sms: id })).map(({ told_at }) => told_at instanceof Date),
        [true],
      )
    })

    it('one that the handset may have already: only if that is accepted; and then once more, not twice', async () => {
      const lost = await owe({ state: 'ambiguous', losses: 1, submitted_at: at(0), wake_at: at(HOUR) })
      const twice = await owe({ state: 'failed', losses: 2, last_error: 'no response, twice', settled_at: at(0) })
      for (const id of [lost, twice]) {
        assert.deepEqual(await operator.retry(id, ONCE), {
          is: 'twice',
          state: (await scene.row(id))!.state,
          msisdn: MSISDN,
        })
        assert.notEqual((await scene.row(id))!.state, 'due')
        assert.equal((await operator.retry(id, { ...ONCE, mayBeTwice: true })).is, 'due')
      }
      const outbox = scene.open(() => ({ is: 'ambiguous' }))
      await outbox.tick()
      await clock.advance(2 * HOUR)
      await outbox.tick()
      assert.deepEqual([(await scene.row(twice))!.state, (await scene.row(twice))!.losses], ['failed', 3])
    })

    it('one whose time is over only with another time; others not at all, each with its reason', async () => {
      const old = await owe({ state: 'expired', expires_at: at(-1), settled_at: at(0) })
      assert.equal((await operator.retry(old, ONCE)).is, 'past')
      assert.equal((await operator.retry(old, { ...ONCE, forMs: HOUR })).is, 'due')
      assert.deepEqual((await scene.row(old))!.expires_at, at(HOUR))
      for (const [state, is] of [
        ['due', 'due-already'],
        ['submitting', 'due-already'],
        ['accepted', 'too-late'],
        ['delivered', 'too-late'],
        ['cancelled', 'too-late'],
      ])
        assert.equal((await operator.retry(await owe({ state }), ONCE)).is, is, state)
      assert.deepEqual(await operator.retry('999999', ONCE), { is: 'none' })
    })

    it('once, where two operators ask at the same moment', async () => {
      const id = await owe({ state: 'failed', last_error: 'refused', settled_at: at(1) })
      const said = await Promise.all([operator.retry(id, ONCE), operator.retry(id, ONCE)])
      assert.deepEqual(said.map(({ is }) => is).toSorted(), ['due', 'due-already'])
    })
  })

  it('takes back what has not left, asks the SMSC for what it has, and says what it cannot', async () => {
    for (const [row, is] of [
      [{}, 'cancelled'],
      [{ state: 'accepted', sent_line: 'managed' }, 'recalled'],
      [{ state: 'accepted', sent_line: 'digicel' }, 'too-late'],
      [{ state: 'ambiguous', sent_line: 'managed' }, 'too-late'],
      [{ state: 'delivered' }, 'too-late'],
      [{ state: 'cancelled' }, 'cancelled'],
    ] as const)
      assert.deepEqual(await operator.cancel(await owe(row)), { is, msisdn: MSISDN }, JSON.stringify(row))
    assert.deepEqual(await operator.cancel('999999'), { is: 'none' })
  })

  it('says how deep it is and for how long the oldest waits, of each line, without what is to come', async () => {
    const depth = depthWatch({ sql: database.db.sql, clock })
    assert.equal(depth.lately(), null)
    await depth.look()
    assert.deepEqual(depth.lately(), { atMs: START, lines: [], ambiguous: 0, submitting: 0 })
    await owe({ due_at: at(-5_000) })
    await owe({ kind: 'otp', due_at: at(-7_000) })
    await owe({ due_at: at(HOUR) })
    await owe({ line: '', due_at: at(HOUR) })
    await owe({ state: 'ambiguous', submitted_at: at(0) })
    await owe({ state: 'submitting', submitted_at: at(0) })
    await owe({ state: 'submitting', submitted_at: at(0) })
    await depth.look()
    const { lines, ambiguous, submitting } = depth.lately()!
    assert.deepEqual(
      lines.toSorted((a, b) => a.line.localeCompare(b.line)),
      [
        { line: '', due: 0, later: 1, oldestMs: null },
        { line: 'digicel', due: 2, later: 1, oldestMs: START - 7_000 },
      ],
    )
    assert.deepEqual([ambiguous, submitting], [1, 2])
  })
})
