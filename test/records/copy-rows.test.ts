import assert from 'node:assert/strict'
import { type SqlRunner, statement } from '../../src/base/sql.ts'
import type { CallRecord } from '../../src/dialogue/cdr.ts'
import { NO_FILE, writeCounted } from '../../src/records/rows.ts'
import { describeBoth } from '../support/postgres.ts'
import { recordAt } from './record.ts'

const NOON = Date.parse('2026-11-30T12:00:00Z')
const DAY_MS = 86_400_000

describeBoth('call detail records by COPY', (database) => {
  const rows = () => database.db.knex('cdr').select('*', database.db.knex.raw('CAST(day AS text) AS day'))
  const stored = async () =>
    (await rows())
      .map(({ written_at: _at, ...row }: Record<string, unknown>) => row)
      .toSorted((a, b) => String(a.epoch).localeCompare(String(b.epoch)))
  const sums = async () => {
    const all = await database.db.knex('flow_funnel').where({ span: 300, screen: '' }).select('reached')
    return all.map(({ reached }) => Number(reached))
  }
  const write = (records: readonly CallRecord[], areNew: boolean) =>
    writeCounted(database.db.sql, records, { fileOf: ({ kind }) => (kind === 'deferred' ? null : NO_FILE), areNew })

  beforeEach(async () => {
    await database.db.knex('cdr').delete()
    await database.db.knex('flow_funnel').delete()
  })

  const odd = () => [
    recordAt(NOON, { calls: '3.0!wallet.topup=data/240@4310', detail: 'ünïcode ✓ 🦷\t\\N\n"' }),
    recordAt(NOON + 1, { kind: 'deferred', waitMs: 2 ** 41 + 5, backendMs: 0, turns: 2_000_000_000, path: '' }),
    recordAt(NOON - 3 * DAY_MS, { language: '', screen: '', flow: '' }),
    recordAt(Date.parse('2026-11-30T23:59:59.999Z'), { endedMs: Date.parse('2026-12-01T00:00:00.001Z') }),
    recordAt(Date.parse('1999-12-31T23:59:59.001Z'), { path: 'x'.repeat(100_000) }),
  ]

  it('are the same rows as those of the statement, whatever they have', async () => {
    await write(odd(), false)
    const wanted = await stored()
    await database.db.knex('cdr').delete()
    const { fresh } = await write(odd(), true)
    assert.deepEqual(await stored(), wanted)
    assert.deepEqual(new Set(fresh.map(({ epoch }) => epoch)), new Set(odd().map(({ epoch }) => epoch)))
  })

  it('are counted once where another daemon wrote some of them, and where they come twice', async () => {
    const all = [1, 2, 3].map((n) => recordAt(NOON + n))
    await write(all.slice(1, 2), true)
    const { fresh } = await write(all, true)
    assert.deepEqual(fresh, [all[0], all[2]])
    assert.deepEqual((await write(all, true)).fresh, [])
    assert.deepEqual((await write([recordAt(NOON + 4), recordAt(NOON + 4)], true)).fresh.length, 1)
    assert.deepEqual([(await stored()).length, await sums()], [4, [4]])
  })

  it('are one each where two daemons write the same at once', async () => {
    const all = Array.from({ length: 50 }, (_, n) => recordAt(NOON + n))
    const both = await Promise.all([write(all, true), write(all.toReversed(), true)])
    assert.equal(both.flatMap(({ fresh }) => fresh).length, 50)
    assert.deepEqual([(await stored()).length, await sums()], [50, [50]])
  })

  it('with a zero octet, which no text of Postgres has, are written with ? in its place', async () => {
    await write([recordAt(NOON, { detail: 'a\0b' }), recordAt(NOON + 1)], true)
    assert.deepEqual(
      (await stored()).map(({ detail }) => detail),
      ['a?b', ''],
    )
  })

  it('are none, with their sums, where what is written with them fails', async () => {
    const alsoIn = () => Promise.reject(new Error('the outbox is away'))
    const counting = { fileOf: () => NO_FILE, areNew: true, alsoIn }
    await assert.rejects(writeCounted(database.db.sql, [recordAt(NOON)], counting), /outbox/)
    assert.deepEqual([await stored(), await sums()], [[], []])
    assert.equal((await write([recordAt(NOON)], true)).fresh.length, 1)
  })

  it('are written by the next try where the connection is lost before the COMMIT', async function () {
    if (database.kind !== 'server') this.skip()
    const cut = statement<object>('', 'SELECT pg_terminate_backend(pg_backend_pid())')
    const alsoIn = async (trx: SqlRunner) => void (await cut(trx, {}))
    const all = [1, 2].map((n) => recordAt(NOON + n))
    await assert.rejects(writeCounted(database.db.sql, all, { fileOf: () => NO_FILE, areNew: true, alsoIn }))
    assert.deepEqual(await stored(), [])
    assert.equal((await write(all, false)).fresh.length, 2)
    assert.deepEqual([(await stored()).length, await sums()], [2, [2]])
  })

  it('are nothing where there are none, and thousands at once', async () => {
    assert.deepEqual((await write([], true)).fresh, [])
    assert.equal(
      (
        await write(
          Array.from({ length: 3_000 }, (_, n) => recordAt(NOON + n)),
          true,
        )
      ).fresh.length,
      3_000,
    )
    assert.equal((await stored()).length, 3_000)
  })
})
