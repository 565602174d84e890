/** A promised answer that daemon after daemon loses: counted in its row, and given up with an SMS. */
import assert from 'node:assert/strict'
import type { Knex } from 'knex'
import { createDeferredAnswers, type DeferredAnswers, type DeferredDeps } from '../../src/deferred/deferred.ts'
import { LET_GO, LIVED, insertDeferred, TAKE_OVER, type DeferredRow } from '../../src/deferred/rows.ts'
import { silentLog } from '../../src/base/log/port.ts'
import { fakeClock } from '../support/clock.ts'
import { newStage, stageTables } from '../support/daemon.ts'
import { describeWith, until } from '../support/services.ts'
import type { Sql } from '../../src/base/sql.ts'
import { sqlOn } from '../../src/store/postgres/sql.ts'

const START = Date.parse('2025-05-01T09:00:00+10:00')
const at = (ms: number) => new Date(START + ms)
const ROW: DeferredRow = {
  epoch: 'e1',
  msisdn: '67570000001',
  line: 'akiba',
  line_group: 'main',
  code: '*125#',
  turn: 2,
  call: 0,
  revision: 'loan@1',
  opened_at: at(0),
  snapshot: '{"value":"limit","context":{}}',
  until_at: at(60_000),
  offer: null,
  takeovers: 0,
}

describeWith(['postgres'], 'a promised answer that daemons die of', () => {
  const stage = newStage()
  let knex: Knex
  let sql: Sql
  before(async () => {
    knex = await stageTables(stage)
    sql = sqlOn(knex, { named: true })
  })
  beforeEach(() => knex('ussd_late').delete())
  after(async () => {
    await knex?.raw(`DROP SCHEMA IF EXISTS "${stage.schema}" CASCADE`)
    await knex?.destroy()
  })

  const takeOver = async (ms: number, lease: string) =>
    (await TAKE_OVER(sql, { now: at(ms), until: at(ms + 10), lease, limit: 9 }))[0]?.takeovers

  it('counts daemons that lost it, and none that let go of it', async () => {
    await insertDeferred(sql, ROW, 'a', at(10))
    assert.deepEqual([await takeOver(10, 'b'), await takeOver(20, 'c')], [1, 2])
    await LET_GO(sql, { lease: 'c', now: at(25) })
    assert.equal(await takeOver(25, 'd'), 2)
    await LIVED(sql, { epoch: ROW.epoch, lease: 'd' })
    assert.equal(await takeOver(35, 'd'), 2)
    await insertDeferred(sql, ROW, 'a', at(10))
    await LET_GO(sql, { lease: 'a', now: at(0) })
    assert.equal(await takeOver(0, 'b'), 0)
  })

  for (const [takeovers, isGivenUp] of [
    [1, false],
    [2, true],
  ] as const) {
    it(`that was lost ${takeovers + 1} times is ${isGivenUp ? 'asked for no more, and the subscriber is told' : 'asked for again'}`, async () => {
      await insertDeferred(sql, { ...ROW, takeovers }, 'dead', at(0))
      const clock = fakeClock(START)
      const [owed, counted, called]: [string[], string[], string[]] = [[], [], []]
      const parts = {
        sql,
        clock,
        log: silentLog,
        instance: 'me',
        metrics: {
          count: (name: string, labels: Record<string, string>) =>
            void counted.push([name, ...Object.values(labels)].join(' ')),
        },
        dialogues: { find: async () => null },
        backend: () => undefined,
        lines: { get: () => undefined },
        flows: {
          pinned: async () => {
            called.push('flow')
            return {
              name: 'loan',
              revision: 'loan@1',
              text: (key: string) => key,
              want: () => ({ do: 'end', text: 'played', reason: 'completed', screen: 's' }),
            }
          },
        },
        push: { offer: async () => ({ is: 'unsent' }) },
        enqueueSms: async (_trx: unknown, { text }: { text: string }) => void owed.push(text),
        release: () => undefined,
        seal: (_key: unknown, text: string) => text,
        open: (_key: unknown, text: string) => text,
        mint: { epoch: () => 'e2' },
        services: [],
        limits: { turnMs: 8_000, takeoversMax: 2, language: 'en' },
        settings: { pushMs: 500, busyMs: 0, leaseMs: 10_000, waitingMax: 10 },
      } as unknown as DeferredDeps
      const late: DeferredAnswers = createDeferredAnswers(parts)
      late.start()
      await clock.advance(500)
      await until(async () => (await knex('ussd_late')).length === 0, 'the row stays')
      await late.stop()
      assert.deepEqual(owed, [isGivenUp ? 'busy' : 'played'])
      assert.equal(counted.includes('limits_total late_takeovers_max'), isGivenUp)
    })
  }
})
