import assert from 'node:assert/strict'
import { prepareSql, statement, type Sql } from '../../../src/base/sql.ts'
import type { Postgres } from '../../../src/store/postgres/connection.ts'
import { describeBoth, freshServer } from '../../support/postgres.ts'
import { describeWith } from '../../support/services.ts'

describe('the text of a prepared statement', () => {
  const textOf = (sql: string) => prepareSql('test', sql).text

  it('has a number for each place of a :named value, and keeps their order', () => {
    const { name, text, parameters } = prepareSql('find', 'SELECT :b, :a FROM x WHERE a = :a AND B = :_c1')
    assert.equal(text, 'SELECT $1, $2 FROM x WHERE a = $3 AND B = $4')
    assert.deepEqual([name, parameters], ['find', ['b', 'a', 'a', '_c1']])
  })

  it('keeps casts, times, and what stands in texts, names and comments', () => {
    for (const kept of [
      `SELECT '12:a', 'it''s :a', "col:a", CAST('1' AS int)::text`,
      `SELECT 1 -- the subscriber's :a\n`,
      'SELECT 1 /* :a, ’ and ‘ */',
      'SELECT $$ :a $$, $tag$ :a $$ :b $tag$',
      'SELECT list[1:2]',
    ])
      assert.equal(textOf(kept), kept)
    assert.equal(textOf(`SELECT ':a', :a::int -- ' :a\n, :a`), `SELECT ':a', $1::int -- ' :a\n, $2`)
  })

  it('takes a sign with a backslash for the sign', () => {
    assert.equal(textOf(String.raw`SELECT data \? 'a\?b', list[1\:n], :a`), `SELECT data ? 'a?b', list[1:n], $1`)
  })
})

describeBoth('statements on the pool', (database) => {
  let sql: Sql
  const INSERT = statement('test-insert', 'INSERT INTO noted (id) VALUES (CAST(:id AS int))')
  const ALL = statement<{ id: number }>('test-all', 'SELECT id FROM noted ORDER BY id')
  const ids = async () => (await ALL(sql, {})).map(({ id }) => id)

  before(async () => {
    sql = database.db.sql
    await database.db.knex.schema.createTable('noted', (table) => table.integer('id').primary())
  })
  beforeEach(() => database.db.knex('noted').delete())

  it('are named, once a connection', async () => {
    await Promise.all([INSERT(sql, { id: 1 }), INSERT(sql, { id: 2 })])
    const [known] = await sql.transaction(async (trx) => {
      await ALL(trx, {})
      await ALL(trx, {})
      return NAMES(trx, { name: 'test-all' })
    })
    assert.deepEqual(known, { n: 1 })
  })

  it('refuse a value that is missing, which would be NULL', async () => {
    await assert.rejects(INSERT(sql, {}), new TypeError(`SQL statement 'test-insert': no value for :id`))
    await assert.rejects(INSERT(sql, { id: null }), { code: '23502' })
  })

  it('of a transaction stand together, and none where one of its steps fails', async () => {
    await sql.transaction(async (trx) => {
      await INSERT(trx, { id: 1 })
      await INSERT(trx, { id: 2 })
    })
    const twice = sql.transaction(async (trx) => {
      await INSERT(trx, { id: 3 })
      await INSERT(trx, { id: 1 })
    })
    await assert.rejects(twice, { code: '23505' })
    const thrown = sql.transaction(async (trx) => {
      await INSERT(trx, { id: 4 })
      throw new TypeError('a bug')
    })
    await assert.rejects(thrown, /a bug/)
    const atOnce = sql.transaction((() => {
      throw new TypeError('at once')
    }) as never)
    await assert.rejects(atOnce, /at once/)
    assert.deepEqual(await ids(), [1, 2])
  })

  it('says that nothing was committed where a failed statement was passed over', async () => {
    const passed = sql.transaction(async (trx) => {
      await INSERT(trx, { id: 1 })
      await INSERT(trx, { id: 1 }).catch(() => undefined)
    })
    await assert.rejects(passed, { code: '25P02', message: /nothing of it was committed/ })
    assert.deepEqual(await ids(), [])
  })

  it('of a transaction that is over are refused: its connection is another one’s', async () => {
    let kept: Parameters<typeof INSERT>[0] | undefined
    await sql.transaction(async (trx) => {
      kept = trx
    })
    await assert.rejects(INSERT(kept!, { id: 1 }), /'test-insert': its transaction is over/)
    if (kept!.copyIn)
      await assert.rejects(kept!.copyIn('test (id)', new Uint8Array()), /'COPY test \(id\)': its transaction is over/)
    assert.deepEqual(await ids(), [])
  })

  const NAMES = statement<{ n: number }>(
    'test-names',
    'SELECT CAST(count(*) AS integer) AS n FROM pg_prepared_statements WHERE name = :name',
  )
})

describeWith(['postgres'], 'a transaction whose connection breaks', () => {
  let db: Postgres
  before(async () => {
    db = await freshServer({ poolMax: 1, statementMs: 0, queryMs: 2_000 })
  })
  after(() => db?.close())

  const PID = statement<{ pid: number }>('test-pid', 'SELECT pg_backend_pid() AS pid')
  const SLEEP = statement('test-sleep', 'SELECT pg_sleep(30)')

  it('is given up with it: the next statement has a new one', async () => {
    const [before] = await PID(db.sql, {})
    await assert.rejects(
      db.sql.transaction((trx) => SLEEP(trx, {})),
      /Query read timeout/,
    )
    const [afterwards] = await PID(db.sql, {})
    assert.notEqual(afterwards!.pid, before!.pid)
    const killed = db.sql.transaction(async (trx) => {
      const [own] = await PID(trx, {})
      const other = await freshServer()
      await other.knex.raw('SELECT pg_terminate_backend(?)', [own!.pid])
      await other.close()
      await SLEEP(trx, {})
    })
    await assert.rejects(killed)
    assert.equal((await PID(db.sql, {})).length, 1)
  })
})
