/** Alarms of several daemons on a real database: each told once, over restarts, whichever store is down. */
import assert from 'node:assert/strict'
import type { Sql } from '../../src/base/sql.ts'
import { silentLog } from '../../src/base/log/port.ts'
import { createAlarmBook, type AlarmBook } from '../../src/watch/alarm-book.ts'
import type { AlarmTold } from '../../src/watch/alarms.ts'
import { stub, type Stub } from '../backend/contracts/stub.ts'
import { realClock } from '../support/clock.ts'
import { describeBoth } from '../support/postgres.ts'
import { until } from '../support/services.ts'

const STORE: AlarmTold = {
  is: 'raised',
  alarm: 'store-down',
  subject: 'redis',
  severity: 'critical',
  since: '2026-12-01T03:00:00.000Z',
  at: '2026-12-01T03:01:00.000Z',
  why: 'ECONNREFUSED',
  remedy: 'is redis running?',
}
const LINE: AlarmTold = { ...STORE, alarm: 'line-down', subject: 'north/0', line: 'north' }
const over = (told: AlarmTold): AlarmTold => ({ ...told, is: 'over' })

describeBoth('alarms of a fleet', (database) => {
  let hook: Stub
  let status: number
  let books: AlarmBook[]
  let isAway: boolean
  let isRedisAway: boolean
  let claimed: Set<string>

  beforeEach(async () => {
    for (const table of ['alarm_held', 'alarm_told', 'instance']) await database.db.knex(table).delete()
    hook = await stub()
    status = 204
    hook.says((_, response) => void response.writeHead(status).end())
    ;[books, isAway, isRedisAway, claimed] = [[], false, false, new Set()]
  })
  afterEach(async () => {
    for (const book of books) await book.stop()
    await hook.close()
  })

  async function lives(name: string, secondsAgo = 0): Promise<void> {
    const seen = database.db.knex.raw(`now() - ? * interval '1 second'`, [secondsAgo])
    const row = { name, run: name, version: '1', node: '20', admin: 'x', started_at: new Date(), state: '{}' }
    await database.db.knex('instance').insert({ ...row, seen_at: seen })
  }
  async function join(name: string, isLiving = true): Promise<AlarmBook> {
    const sql: Sql = {
      ...database.db.sql,
      run: (statement, bindings) =>
        isAway ? Promise.reject(new Error('connect ECONNREFUSED')) : database.db.sql.run(statement, bindings),
    }
    const book = createAlarmBook({
      settings: { url: hook.url, key: 'gie4aiPh8Ohx3eeWoo9e', timeoutMs: 5_000, giveUpMs: 600_000 },
      sql,
      // The looks of a test come quicker; everything else is as it is.
      clock: { ...realClock, after: (ms, run) => realClock.after(ms === 2_000 ? 50 : ms, run) },
      log: silentLog,
      counters: { count: () => undefined },
      name,
      instance: `run-${name}`,
      async first(what) {
        if (isRedisAway) throw new Error('ECONNREFUSED')
        if (claimed.has(what)) return false
        claimed.add(what)
        return true
      },
    })
    if (isLiving) await lives(name)
    book.start()
    books.push(book)
    return book
  }
  const told = () =>
    hook.heard.map(({ body }) => {
      const { is, alarm, instance } = JSON.parse(body) as Record<string, string>
      return `${instance} ${alarm} ${is}`
    })
  /** What has been told some looks later. */
  const settled = async () => {
    await new Promise((done) => setTimeout(done, 400))
    return told()
  }

  it('tell once what all see, and its end when the last of them no longer sees it', async () => {
    const [a, b] = [await join('a'), await join('b')]
    a.tell(STORE)
    await until(() => told().length === 1, 'not told')
    b.tell(STORE)
    const holders = async () => ((await database.db.knex('alarm_held').first()) as { holders: string[] }).holders
    await until(async () => (await holders()).length === 2, 'b does not see it')
    a.tell(over(STORE))
    assert.deepEqual(await settled(), ['a store-down raised'])
    b.tell(over(STORE))
    await until(() => told().length === 2, 'its end is not told')
    assert.deepEqual(await settled(), ['a store-down raised', 'b store-down over'])
    assert.equal((await database.db.knex('alarm_told')).length, 0)
  })

  it('are of each daemon where each has its own', async () => {
    const [a, b] = [await join('a'), await join('b')]
    a.tell(LINE)
    b.tell(LINE)
    await until(() => told().length === 2, 'not told')
    a.tell(over(LINE))
    assert.deepEqual((await settled()).toSorted(), ['a line-down over', 'a line-down raised', 'b line-down raised'])
  })

  it('wait in Postgres for a web-hook that takes none, and another daemon tells them, in order', async () => {
    status = 500
    const a = await join('a')
    a.tell(LINE)
    a.tell(over(LINE))
    await until(() => told().length > 0, 'not tried')
    await a.stop()
    const tried = told().length
    status = 204
    await database.db.knex('alarm_told').update({ wake_at: new Date(0), lease: null })
    await join('b')
    await until(() => told().length === tried + 2, 'not told')
    assert.deepEqual(told().slice(tried), ['a line-down raised', 'a line-down over'])
  })

  it('are raised still after a restart, so that they are not told twice, and their end is', async () => {
    const before = await join('a')
    before.tell(LINE)
    await until(() => told().length === 1, 'not told')
    await before.stop()
    const after = await join('a', false)
    const held = await after.held()
    const { is: _, since, at: __, ...condition } = LINE
    assert.deepEqual(held, [{ condition, since }])
    after.tell(over(LINE))
    await until(() => told().length === 2, 'its end is not told')
    assert.deepEqual(await after.held(), [])
  })

  it('that a daemon took with it into its end hide no later one', async () => {
    const [a, b] = [await join('a'), await join('b')]
    a.tell(STORE)
    await until(() => told().length === 1, 'not told')
    await a.stop()
    await database.db
      .knex('instance')
      .where({ name: 'a' })
      .update({ seen_at: new Date(0) })
    b.tell(STORE)
    await until(() => told().length === 2, 'hidden')
  })

  it('are told once while Postgres is what is down, and by each if Redis is, too: never by none', async () => {
    const [a, b] = [await join('a'), await join('b')]
    const postgres = { ...STORE, subject: 'postgres' }
    isAway = true
    a.tell(postgres)
    b.tell(postgres)
    assert.equal((await settled()).length, 1)
    isAway = false
    a.tell(over(postgres))
    b.tell(over(postgres))
    await until(() => told().length === 2, 'its end is not told')
    assert.equal((await settled()).length, 2)
    ;[isAway, isRedisAway] = [true, true]
    a.tell(postgres)
    b.tell(postgres)
    assert.equal((await settled()).length, 4)
  })
})
