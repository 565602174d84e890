import assert from 'node:assert/strict'
import { NoConnection, prepareSql, type Sql } from '../../../src/base/sql.ts'
import { createMetrics } from '../../../src/base/metrics.ts'
import { withConnections } from '../../../src/daemon/backends/connections.ts'
import { fakeClock, settle } from '../../support/clock.ts'

const SHORT = prepareSql('short', 'SELECT 1', { mayShare: true })
const LONG = prepareSql('long', 'SELECT 2')

describe('the connections of a module', () => {
  function database(shares = true) {
    const clock = fakeClock()
    const metrics = createMetrics({ process: false })
    const sent: string[] = []
    const answers: (() => void)[] = []
    const answered = (name: string) =>
      new Promise<object[]>((done) => {
        sent.push(name)
        answers.push(() => done([]))
      })
    const sql: Sql = {
      run: ({ name }) => answered(name),
      transaction: async (run) => {
        await answered('BEGIN')
        return run(sql)
      },
    }
    return {
      clock,
      metrics,
      sent,
      answer: (n: number) => answers[n]!(),
      sql: withConnections(sql, { max: 2, shares, waitMs: 1_000, clock, counters: metrics }),
    }
  }

  it('are at most so many, in the order of asking, also for transactions', async () => {
    const { sql, sent, answer } = database()
    const all = [
      sql.run(LONG, {}),
      sql.transaction(async () => 'done'),
      sql.run(LONG, {}),
      sql.transaction(async () => 'last'),
    ]
    await settle()
    assert.deepEqual(sent, ['long', 'BEGIN'])
    answer(1)
    assert.equal(await all[1], 'done')
    await settle()
    assert.deepEqual(sent, ['long', 'BEGIN', 'long'])
    answer(0)
    await settle()
    answer(3)
    answer(2)
    assert.equal(await all[3], 'last')
  })

  it('are not counted for what shares one, unless a pooler stands between', async () => {
    const all = Array.from({ length: 20 })
    const direct = database()
    for (const _ of all) void direct.sql.run(SHORT, {})
    await settle()
    assert.equal(direct.sent.length, 20)
    const pooled = database(false)
    for (const _ of all) void pooled.sql.run(SHORT, {})
    await settle()
    assert.equal(pooled.sent.length, 2)
  })

  it('are free again after an error', async () => {
    const { sql, sent, answer } = database()
    const failed = [0, 1].map((n) =>
      sql.transaction(async () => {
        throw new Error(`no ${n}`)
      }),
    )
    const outcome = Promise.allSettled(failed)
    await settle()
    answer(0)
    answer(1)
    assert.deepEqual(
      (await outcome).map(({ status }) => status),
      ['rejected', 'rejected'],
    )
    void sql.run(LONG, {})
    await settle()
    assert.deepEqual(sent, ['BEGIN', 'BEGIN', 'long'])
  })

  it('are not waited for longer than a turn: nothing is sent, it says why, and it is counted', async () => {
    const { sql, sent, answer, clock, metrics } = database()
    for (let n = 0; n < 2; n++) void sql.run(LONG, {})
    const waiting = sql.run(LONG, {}).catch((error: unknown) => error)
    await clock.advance(999)
    const next = sql.run(LONG, {})
    await clock.advance(1)
    const error = await waiting
    assert.ok(error instanceof NoConnection)
    assert.match(error.message, /^no free connection within 1000 ms: .* all 2 \(postgres\.poolMax\)$/)
    assert.equal(await metrics.value('limits_total', { limit: 'module-connections' }), 1)
    answer(0)
    await settle()
    assert.equal(sent.length, 3)
    answer(2)
    await next
  })
})
