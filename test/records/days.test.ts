/** Days of `cdr` while the table is in use: several daemons, rows that come late or meanwhile, and a role without DDL. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { openPostgres, type Postgres } from '../../src/store/postgres/connection.ts'
import { migrate } from '../../src/store/postgres/migrate.ts'
import { keepDays } from '../../src/records/partitions.ts'
import { NO_FILE, writeRecords } from '../../src/records/rows.ts'
import { freshServer } from '../support/postgres.ts'
import { describeWith, services } from '../support/services.ts'
import { recordAt } from './record.ts'

const NOON = Date.parse('2026-11-30T12:00:00Z')
const DAY_MS = 86_400_000
const KEPT = { nowMs: NOON, days: 90 }
const toNone = () => NO_FILE

describeWith(['postgres'], 'days of call detail records in use', () => {
  let db: Postgres
  beforeEach(async () => {
    db = await freshServer({ lockMs: 100 })
    await migrate(db.knex)
  })
  afterEach(() => db.close())
  const write = (...daysAgo: number[]) =>
    writeRecords(
      db.sql,
      daysAgo.map((days) => recordAt(NOON - days * DAY_MS)),
      toNone,
    )
  const countIn = async (table: string) => (await db.knex(table)).length
  const days = async () => {
    const { rows } = await db.knex.raw<{ rows: { name: string }[] }>(`SELECT c.relname AS name FROM pg_inherits i
      JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = CAST('cdr' AS regclass) ORDER BY 1`)
    return rows.map(({ name }) => name).filter((name) => name !== 'cdr_default')
  }

  it('are made once by several daemons at once, and lose no row by it', async () => {
    await write(0, 2, 5)
    const all = await Promise.all([1, 2, 3, 4].map(() => keepDays(db.sql, KEPT)))
    // Who waited for another's lock for too long does the rest in its next round.
    assert.ok(all.every(({ failed }) => failed.every(({ code }) => /^(55P03|40P01)$/.test(code))))
    const again = await keepDays(db.sql, KEPT)
    assert.deepEqual(again.failed, [])
    assert.equal((await days()).length, 7)
    assert.deepEqual([await countIn('cdr'), await countIn('cdr_default')], [3, 0])
  })

  it('take a record that comes late: of a day that is there at once, of another one in the next round', async () => {
    await write(2)
    await keepDays(db.sql, KEPT)
    await write(2, 1, 40)
    assert.deepEqual(
      [await countIn('cdr_20261128'), await countIn('cdr_20261129'), await countIn('cdr_default')],
      [1, 1, 1],
      'the first was there already',
    )
    assert.equal((await keepDays(db.sql, KEPT)).moved, 1)
    assert.deepEqual([await countIn('cdr_20261021'), await countIn('cdr_default')], [1, 0])
  })

  it('do not come back with a record that is older than what is kept: it goes in the next round', async () => {
    await write(80)
    await keepDays(db.sql, KEPT)
    const later = { nowMs: NOON + 20 * DAY_MS, days: 90 }
    assert.equal((await keepDays(db.sql, later)).dropped, 1)
    await write(80)
    assert.equal(await countIn('cdr'), 1)
    const done = await keepDays(db.sql, later)
    assert.deepEqual([done.moved, done.failed], [0, []])
    assert.equal(await countIn('cdr'), 0)
  })

  it('wait while somebody writes into the same day, and lose neither its row nor the others', async () => {
    await write(3)
    const writing = await db.knex.transaction()
    const [row] = await db.knex('cdr')
    await writing('cdr').insert({ ...row, epoch: 'meanwhile' })
    const done = await keepDays(db.sql, KEPT)
    assert.deepEqual(done.failed.map(({ day }) => day).includes('2026-11-27'), true)
    assert.equal(await countIn('cdr'), 1)
    await writing.commit()
    const next = await keepDays(db.sql, KEPT)
    assert.deepEqual([next.failed, next.moved], [[], 1])
    assert.deepEqual([await countIn('cdr_20261127'), await countIn('cdr_default')], [2, 0])
  })

  it('are kept in one place by a role that may make no tables, and old ones are deleted there', async () => {
    const { rows } = await db.knex.raw<{ rows: { schema: string }[] }>('SELECT current_schema() AS schema')
    const [schema, role] = [rows[0]!.schema, `r_${randomBytes(6).toString('hex')}`]
    await db.knex.raw(`CREATE ROLE ${role} LOGIN; GRANT USAGE ON SCHEMA ${schema} TO ${role};
      GRANT ALL ON ALL TABLES IN SCHEMA ${schema} TO ${role}`)
    const url = new URL(services.postgresUrl!)
    url.username = role
    const weak = await openPostgres({ url: url.toString(), searchPath: [schema] })
    try {
      await write(0, 100)
      const done = await keepDays(weak.sql, KEPT)
      assert.deepEqual(
        [done.made, done.moved, new Set(done.failed.map(({ code }) => code))],
        [0, 0, new Set(['42501'])],
      )
      assert.deepEqual([await countIn('cdr_default'), await days()], [1, []])
    } finally {
      await weak.close()
      await db.knex.raw(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
    }
  })
})
