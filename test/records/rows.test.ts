import assert from 'node:assert/strict'
import type { TurnTexts } from '../../src/dialogue/exact-texts.ts'
import { keepDays } from '../../src/records/partitions.ts'
import { NO_FILE, recordSms, writeRecords } from '../../src/records/rows.ts'
import { describeBoth, freshServer } from '../support/postgres.ts'
import { describeWith } from '../support/services.ts'
import { recordAt } from './record.ts'

const NOON = Date.parse('2026-11-30T12:00:00Z')
const DAY_MS = 86_400_000
const toNone = () => NO_FILE
const toFile = () => null

describeBoth('rows of call detail records', (database) => {
  const rows = () =>
    database.db.knex('cdr').select('*', database.db.knex.raw('CAST(day AS text) AS day')).orderBy('epoch')
  beforeEach(() => database.db.knex('cdr').delete())

  it('have all that the record says', async () => {
    const record = recordAt(NOON)
    assert.deepEqual(await writeRecords(database.db.sql, [record], toNone), [record])
    const [row] = await rows()
    const { written_at: _at, ...stored } = row as Record<string, unknown>
    const { openedMs, endedMs, waitMs: _wait, backendMs: _back, ...same } = record
    assert.deepEqual(stored, {
      ...same,
      day: '2026-11-30',
      opened_at: new Date(openedMs),
      ended_at: new Date(endedMs),
      total_ms: '18250',
      wait_ms: '15000',
      backend_ms: '250',
      calls: null,
      parts: 0,
      file: '0',
    })
  })

  it('are one where a record is written twice, here or by another daemon, and two for two kinds', async () => {
    const record = recordAt(NOON)
    await Promise.all([1, 2].map(() => writeRecords(database.db.sql, [record], toNone)))
    const deferred = recordAt(NOON, { kind: 'deferred' })
    assert.deepEqual(await writeRecords(database.db.sql, [record, deferred, deferred], toFile), [deferred])
    assert.deepEqual((await rows()).map(({ kind, file }) => [kind, file]).toSorted(), [
      ['deferred', null],
      ['dialogue', '0'],
    ])
  })

  for (const [what, texts] of [
    ['without exact texts', undefined],
    ['with exact texts', [[1, null, 'Welcome']] as TurnTexts[]],
  ] as const)
    it(`are written in the order of their key, ${what}: two daemons never wait in a circle`, async () => {
      const times = [5, 3, 9, 1, 7].map((n) => NOON - DAY_MS * (n % 3) + n)
      const given = times.flatMap((ms) => [
        recordAt(ms, { kind: 'refused', ...(texts && { texts }) }),
        recordAt(ms, { kind: 'deferred' }),
      ])
      const { sql, knex } = database.db
      await writeRecords(sql, given, toNone, (record) => record.texts && 'sealed')
      const all = (await knex.raw(
        `SELECT tableoid, CAST(day AS text) || ' ' || epoch || ' ' || kind AS key FROM cdr ORDER BY tableoid, ctid`,
      )) as { rows: { tableoid: number; key: string }[] }
      assert.equal(all.rows.length, given.length)
      for (const id of new Set(all.rows.map(({ tableoid }) => tableoid))) {
        const keys = all.rows.filter(({ tableoid }) => tableoid === id).map(({ key }) => key)
        assert.deepEqual(keys, keys.toSorted(), 'as they lie in the table')
      }
      assert.equal((await knex('cdr_text')).length, texts ? times.length : 0)
      await knex('cdr_text').delete()
    })

  it('go to the day of the epoch, however late they come and whatever the record says of its begin', async () => {
    const late = recordAt(NOON - 3 * DAY_MS)
    await writeRecords(
      database.db.sql,
      [{ ...late, openedMs: NOON }, recordAt(Date.parse('2026-11-30T23:59:59.999Z'))],
      toNone,
    )
    assert.deepEqual((await rows()).map(({ day }) => day).toSorted(), ['2026-11-27', '2026-11-30'])
  })

  it('of SMS come from the outbox: settled ones once, taken ones when no receipt came in time', async () => {
    const { knex, sql } = database.db
    const at = (ms: number) => new Date(NOON + ms)
    const sms = (state: string, n: number, more: object) => ({
      subject: `dental:${n}`,
      kind: 'reminder',
      msisdn: '67570000001',
      line: 'a',
      text: 'x',
      state,
      due_at: at(n),
      expires_at: at(DAY_MS),
      wake_at: at(0),
      created_at: at(0),
      attempts: 1,
      parts: 2,
      ...more,
    })
    await knex('sms_outbox').insert([
      sms('delivered', 1, { settled_at: at(5_000), submitted_at: at(1_000), owner: 'module:dental', key: 'k1' }),
      sms('failed', 2, { settled_at: at(6_000), last_error: 'refused', sent_line: 'b' }),
      sms('accepted', 3, { submitted_at: at(1_000) }),
      sms('accepted', 4, { submitted_at: at(9_000) }),
      sms('due', 5, {}),
    ])
    const recorded = { instance: 'd1', file: NO_FILE, limit: 10, beforeMs: NOON + 5_000 }
    assert.deepEqual(await recordSms(sql, recorded), { written: 3, isMore: false })
    assert.deepEqual(await recordSms(sql, recorded), { written: 0, isMore: false })
    const all = await knex('cdr').orderBy('reason')
    assert.deepEqual(
      all.map(({ reason, line, flow, detail, parts, total_ms, kind, screen }) => [
        reason,
        line,
        flow,
        detail,
        parts,
        Number(total_ms),
        kind,
        screen,
      ]),
      [
        ['accepted', 'a', 'dental', '', 2, 1_000, 'sms', 'reminder'],
        ['delivered', 'a', 'module:dental', '', 2, 5_000, 'sms', 'reminder'],
        ['failed', 'b', 'dental', 'refused', 2, 6_000, 'sms', 'reminder'],
      ],
    )
    await knex('sms_outbox')
      .where({ subject: 'dental:1' })
      .update({ recorded: false, settled_at: at(7_000) })
    assert.equal((await recordSms(sql, recorded)).written, 1, 'asked for again under its key, and delivered again')
    assert.equal((await knex('cdr')).length, 4)
    await knex('sms_outbox').delete()
  })

  it('have days: made ahead, filled with what came before them, dropped when they are old', async () => {
    const { knex, sql } = database.db
    const names = async () => {
      const { rows: found } = await knex.raw(`SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c
        ON c.oid = i.inhrelid WHERE i.inhparent = CAST('cdr' AS regclass) ORDER BY 1`)
      return (found as { name: string }[]).map(({ name }) => name)
    }
    await writeRecords(sql, [recordAt(NOON), recordAt(NOON - 2 * DAY_MS), recordAt(NOON - 100 * DAY_MS)], toNone)
    const done = await keepDays(sql, { nowMs: NOON, days: 90 })
    assert.deepEqual(done, { made: 4, moved: 2, dropped: 0, failed: [] })
    assert.deepEqual(await names(), [
      'cdr_20261128',
      'cdr_20261129',
      'cdr_20261130',
      'cdr_20261201',
      'cdr_20261202',
      'cdr_20261203',
      'cdr_default',
    ])
    assert.equal((await knex('cdr_20261128')).length, 1)
    assert.equal((await knex('cdr_default')).length, 0, 'what is older than the retention is gone')
    assert.deepEqual(await keepDays(sql, { nowMs: NOON, days: 90 }), { made: 0, moved: 0, dropped: 0, failed: [] })
    const later = await keepDays(sql, { nowMs: NOON + 91 * DAY_MS, days: 90 })
    assert.deepEqual([later.dropped, later.made, later.failed], [3, 5, []])
    assert.equal((await knex('cdr')).length, 0)
  })
})

describeWith(['postgres'], 'days of call detail records on a busy table', () => {
  it('wait for the next round where a lock is not given in time', async () => {
    const db = await freshServer({ lockMs: 50 })
    try {
      const { migrate } = await import('../../src/store/postgres/migrate.ts')
      await migrate(db.knex)
      await keepDays(db.sql, { nowMs: NOON, days: 90 })
      const later = { nowMs: NOON + 95 * DAY_MS, days: 90 }
      const held = await db.knex.transaction()
      await held('cdr').select('epoch')
      const done = await keepDays(db.sql, later)
      assert.equal(done.dropped, 0)
      assert.ok(done.failed.length > 0 && done.failed.every(({ code }) => code === '55P03'), JSON.stringify(done))
      await held.rollback()
      assert.equal((await keepDays(db.sql, later)).dropped, 5)
    } finally {
      await db.close()
    }
  })
})
