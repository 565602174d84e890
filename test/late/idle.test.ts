/** What promised answers cost while there are none: statements, counted. */
import assert from 'node:assert/strict'
import type { Knex } from 'knex'
import { createDeferredAnswers, type DeferredDeps } from '../../src/deferred/deferred.ts'
import { sqlOn } from '../../src/store/postgres/sql.ts'
import { silentLog } from '../../src/base/log/port.ts'
import type { Clock } from '../../src/ussd/vocabulary.ts'
import type { Sql } from '../../src/base/sql.ts'
import { settle } from '../support/clock.ts'
import { newStage, stageTables } from '../support/daemon.ts'
import { aroundSql } from '../support/sql.ts'
import { describeWith } from '../support/services.ts'

describeWith(['postgres'], 'promised answers, while there are none', () => {
  const stage = newStage()
  let knex: Knex
  let sql: Sql
  before(async () => {
    knex = await stageTables(stage)
    sql = sqlOn(knex, { named: true })
  })
  after(async () => {
    await knex?.raw(`DROP SCHEMA IF EXISTS "${stage.schema}" CASCADE`)
    await knex?.destroy()
  })

  /** The names of the statements of `waits` looks, and how long each waits. */
  async function looks(
    waits: number,
    leaseMs: number,
    mayRun = () => true,
  ): Promise<{ names: string[]; pauses: number[] }> {
    const names: string[] = []
    const counting = aroundSql(sql, ({ name }, ask) => {
      names.push(name)
      return ask()
    })
    let nowMs = Date.parse('2025-05-01T09:00:00+10:00')
    const waiting: { ms: number; run: () => void }[] = []
    const clock: Clock = {
      now: () => nowMs,
      today: () => nowMs,
      after(ms, run) {
        waiting.push({ ms, run })
        return () => void waiting.splice(0)
      },
    }
    const parts = { sql: counting, clock, log: silentLog, instance: 'me', metrics: { count: () => undefined } }
    const settings = { pushMs: 500, busyMs: 0, leaseMs, waitingMax: 10 }
    const late = createDeferredAnswers({ ...parts, settings, mayRun } as unknown as DeferredDeps)
    const pauses: number[] = []
    late.start()
    for (let n = 0; n < waits; n++) {
      while (!waiting.length) await settle()
      const [wait] = waiting.splice(0)
      pauses.push(wait!.ms)
      nowMs += wait!.ms
      wait!.run()
    }
    while (!waiting.length) await settle()
    await late.stop()
    assert.equal(names.pop(), 'late-let-go')
    return { names, pauses }
  }

  it('asks nothing while the clock of this machine is wrong: by it, the lease of every other daemon is over', async () => {
    let isRight = false
    assert.deepEqual((await looks(4, 60_000, () => isRight)).names, [])
    isRight = true
    assert.ok((await looks(4, 60_000, () => isRight)).names.includes('late-take-over'))
  })

  it('asks once in two seconds, soon after the start for the first time, and gives up once a minute', async () => {
    const { names, pauses } = await looks(31, 30_000)
    assert.deepEqual(pauses, [500, ...Array(30).fill(2_000)])
    assert.deepEqual(names.filter((name) => name === 'late-give-up').length, 2)
    assert.deepEqual(
      names.filter((name) => name !== 'late-give-up'),
      Array(31).fill('late-take-over'),
    )
  })

  it('asks four times within a lease, however short that is', async () => {
    assert.deepEqual((await looks(3, 4_000)).pauses, [500, 1_000, 1_000])
    assert.deepEqual((await looks(3, 1_000)).pauses, [500, 500, 500])
  })
})
