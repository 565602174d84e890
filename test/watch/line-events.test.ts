/** The history of lines in a real database: what is written, when, and what becomes of it while Postgres is away. */
import assert from 'node:assert/strict'
import type { Sql } from '../../src/base/sql.ts'
import type { OutageTold } from '../../src/smpp/index.ts'
import { createLineEvents, type LineEvents } from '../../src/watch/line-events.ts'
import { fakeClock, settle, type FakeClock } from '../support/clock.ts'
import { describeBoth } from '../support/postgres.ts'
import { until } from '../support/services.ts'

const START = Date.parse('2026-12-01T03:00:00Z')
const DOWN: OutageTold = {
  bind: 'north/0',
  is: 'down',
  peer: '10.0.0.5:2775',
  why: 'connection-refused',
  detail: 'ECONNREFUSED',
  sinceMs: START - 60_000,
  tries: 1,
}

describeBoth('the history of lines', (database) => {
  let clock: FakeClock
  let events: LineEvents
  let logged: string[]
  let dropped: number
  /** Statements that are let through; the others fail. */
  let isAway: boolean
  let isAnswerLost: boolean
  let tries: number

  beforeEach(async () => {
    await database.db.knex('line_event').delete()
    clock = fakeClock(START)
    logged = []
    ;[dropped, tries] = [0, 0]
    isAway = isAnswerLost = false
    events = make('run1')
  })
  afterEach(() => events.stop())

  function make(instance: string): LineEvents {
    const told = (_: object, message: string) => void logged.push(message)
    const sql: Sql = {
      ...database.db.sql,
      async run(statement, bindings) {
        tries++
        if (isAway) throw new Error('connect ECONNREFUSED')
        const rows = await database.db.sql.run(statement, bindings)
        if (isAnswerLost) throw new Error('Connection terminated unexpectedly')
        return rows
      },
    }
    return createLineEvents({
      sql,
      clock,
      log: { debug: told, info: told, warn: told, error: told },
      counters: { count: (name, labels) => void (name === 'limits_total' && labels?.limit && dropped++) },
      name: 'host-a:8123',
      instance,
    })
  }
  const count = async () => Number((await database.db.knex('line_event').count().first())!.count)
  const tick = async (ms: number) => {
    const before = tries
    await clock.advance(ms)
    await until(() => tries > before, 'nothing tried')
    await settle()
  }

  it('is written a moment later, not where it happens', async () => {
    events.outage('north', DOWN)
    events.change('north', 'stopped')
    await settle()
    assert.equal(tries, 0)
    await tick(1_000)
    await until(async () => (await count()) === 2, 'not written')
    const [stopped, down] = await events.of('north', 10)
    const { at, since, ...row } = down!
    assert.deepEqual(row, {
      instance: 'host-a:8123',
      line: 'north',
      bind: 'north/0',
      event: 'down',
      peer: '10.0.0.5:2775',
      why: 'connection-refused',
      detail: 'ECONNREFUSED',
      tries: 1,
    })
    assert.deepEqual([at.getTime(), since!.getTime()], [START, START - 60_000])
    assert.deepEqual([stopped!.bind, stopped!.event], [null, 'stopped'])
    assert.deepEqual(await events.of('south', 10), [])
  })

  it('waits while Postgres is away, with one warning, and comes whole', async () => {
    isAway = true
    for (let n = 0; n < 1_200; n++) events.outage('north', DOWN)
    await tick(1_000)
    await tick(5_000)
    await tick(5_000)
    assert.deepEqual(logged, ['the history of lines waits for Postgres'])
    isAway = false
    await tick(5_000)
    await until(async () => {
      await clock.advance(1)
      return (await count()) === 1_200
    }, 'not all written')
  })

  it('is written once when the answer was lost', async () => {
    isAnswerLost = true
    events.outage('north', DOWN)
    await tick(1_000)
    await until(() => logged.length === 1, 'the lost answer was not noticed')
    await settle()
    isAnswerLost = false
    await tick(5_000)
    assert.equal(await count(), 1)
  })

  it('grows to a limit and no further: the oldest go, counted', async () => {
    isAway = true
    for (let n = 0; n < 10_007; n++) events.outage('north', { ...DOWN, tries: n })
    assert.equal(dropped, 7)
  })

  it('is written when the daemon stops', async () => {
    events.change('north', 'stopped')
    await events.stop()
    assert.equal(await count(), 1)
    // Another run has ids of its own.
    events = make('run2')
    events.change('north', 'started')
    await events.stop()
    assert.equal(await count(), 2)
  })
})
