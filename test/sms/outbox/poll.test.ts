import assert from 'node:assert/strict'
import { CLAIM, DUE, EXPIRE } from '../../../src/sms/outbox/rows.ts'
import type { SmsOutcome } from '../../../src/sms/terms/types.ts'
import type { Clock } from '../../../src/ussd/vocabulary.ts'
import { settle } from '../../support/clock.ts'
import { describeBoth } from '../../support/postgres.ts'
import { HOUR, outboxFixture, START, type OutboxFixture } from './fixture.ts'
import type { Sql, SqlRunner } from '../../../src/base/sql.ts'
import { aroundSql } from '../../support/sql.ts'

describeBoth('the outbox, looked at again and again', (database) => {
  const accepted = (): SmsOutcome => ({ is: 'accepted', messageIds: ['M'] })
  let scene: OutboxFixture
  let nowMs: number
  let waits: { ms: number; run: () => void }[]
  /** Names of the statements that were run, since last asked. */
  let run: string[]
  let isDown: boolean
  /** Statements and transactions that are not answered yet. */
  let open: Set<object>
  let sql: Sql

  /** Moves only when a test says which wait is over. */
  const clock: Clock = {
    now: () => nowMs,
    today: () => nowMs,
    after(ms, then) {
      const wait = { ms, run: then }
      waits.push(wait)
      return () => void waits.splice(waits.indexOf(wait), 1)
    },
  }

  beforeEach(async () => {
    nowMs = START
    waits = []
    run = []
    isDown = false
    open = new Set()
    scene = await outboxFixture(database.db, clock)
    const during = <T>(ask: () => Promise<T>): Promise<T> => {
      const one = {}
      open.add(one)
      return ask().finally(() => open.delete(one))
    }
    const named = aroundSql(database.db.sql, async ({ name }, ask) => {
      if (isDown) throw new Error('away')
      run.push(name)
      return during(ask)
    })
    sql = { ...named, transaction: (work) => during(() => named.transaction(work)) }
  })

  /** Until the daemon waits and nothing of it is under way; for how long. */
  async function waiting(): Promise<number> {
    for (let quiet = 0; quiet < 3; quiet = waits.length && !open.size ? quiet + 1 : 0) await settle()
    assert.equal(waits.length, 1)
    return waits[0]!.ms
  }
  /** The wait is over; until the next one. */
  async function next(): Promise<number> {
    await waiting()
    const [wait] = waits.splice(0)
    nowMs += wait!.ms
    wait!.run()
    return waiting()
  }
  const runs = (statement: string) => run.splice(0).filter((name) => name === statement).length
  const asked = () => runs('sms-due')
  const owe = async (n: number, row: object = {}) => {
    for (let i = 0; i < n; i++) await scene.owe({ subject: `dental:${i}`, ...row })
  }

  it('follows batch with batch while much is due, and asks once a second what there is', async () => {
    await owe(5)
    const daemon = scene.open(accepted, { sql, settings: { batchMax: 2 } })
    daemon.start()
    assert.deepEqual([await waiting(), scene.sent.length], [1_000, 5])
    assert.deepEqual([run.filter((name) => name === 'sms-claim').length, asked()], [4, 1])
    assert.deepEqual([await next(), scene.sent.length, asked()], [1_000, 5, 1])
    await daemon.stop()
  })
  it('goes on asking when the clock is set back by an hour', async () => {
    const daemon = scene.open(accepted, { sql })
    daemon.start()
    assert.deepEqual([await waiting(), asked()], [1_000, 1])
    nowMs -= HOUR
    const seen: number[] = []
    for (let i = 0; i < 3; i++) seen.push((await next(), asked()))
    assert.equal(seen.filter((count) => count > 0).length >= 2, true, seen.join())
    await daemon.stop()
  })
  it('waits a second between batches where no line takes them', async () => {
    await owe(4)
    const daemon = scene.open(() => ({ is: 'unsent' }), { sql, settings: { batchMax: 2 } })
    daemon.start()
    assert.deepEqual([await waiting(), scene.sent.length], [1_000, 2])
    assert.deepEqual([await next(), scene.sent.length], [1_000, 4])
    await daemon.stop()
  })
  it('forgets what was settled long ago when it starts, and every hour from then on', async () => {
    const settled = { state: 'accepted', created_at: new Date(START - 50 * HOUR) }
    const old = { ...settled, due_at: new Date(START - 30 * HOUR), expires_at: new Date(START - 24 * HOUR - 1) }
    const daemon = scene.open(accepted, { sql, settings: { pollMs: HOUR / 2, keepMs: 24 * HOUR } })
    const [first, young] = [await scene.owe(old), await scene.owe({ ...settled, expires_at: new Date(START - HOUR) })]
    daemon.start()
    await waiting()
    assert.deepEqual([await scene.row(first), (await scene.row(young))?.state], [undefined, 'accepted'])
    const second = await scene.owe(old)
    await next()
    assert.equal((await scene.row(second))?.state, 'accepted')
    await next()
    assert.equal(await scene.row(second), undefined)
    const third = await scene.owe(old)
    await next()
    assert.equal((await scene.row(third))?.state, 'accepted')
    await daemon.stop()
  })
  it('goes on after an outage of the database, a second later', async () => {
    await owe(1)
    const daemon = scene.open(accepted, { sql, settings: { batchMax: 1 } })
    isDown = true
    daemon.start()
    assert.equal(await waiting(), 1_000)
    assert.equal(await next(), 1_000)
    isDown = false
    await next()
    assert.equal(scene.sent.length, 1)
    await daemon.stop()
  })
  it('is looked at by nobody before it is started, by one who starts twice, and by nobody once it has stopped', async () => {
    const daemon = scene.open(accepted, { sql })
    await settle()
    assert.deepEqual([waits, run], [[], []])
    daemon.start()
    daemon.start()
    await waiting()
    assert.equal(asked(), 1)
    await daemon.stop()
    assert.deepEqual(waits, [])
    daemon.start()
    assert.equal(await waiting(), 1_000)
    await daemon.stop()
  })
  it('stops when what was handed out is settled, and looks no further', async () => {
    await owe(1)
    let answer: (outcome: SmsOutcome) => void = () => undefined
    const daemon = scene.open(
      () =>
        new Promise((done) => {
          answer = done
        }),
      { sql },
    )
    daemon.start()
    while (!scene.sent.length) await settle()
    let isStopped = false
    const stopping = daemon.stop().then(() => {
      isStopped = true
    })
    await settle()
    assert.equal(isStopped, false)
    answer(accepted())
    await stopping
    assert.equal((await database.db.knex('sms_outbox').first<{ state: string }>('state')).state, 'accepted')
    while (open.size || !run.includes('forget-sms')) await settle()
    await settle()
    assert.deepEqual(waits, [])
  })
  it('stops also while the database is away', async () => {
    await owe(1)
    let answer: (outcome: SmsOutcome) => void = () => undefined
    const daemon = scene.open(
      () =>
        new Promise((done) => {
          answer = done
        }),
      {
        sql: {
          ...sql,
          transaction: (work) => (isDown ? Promise.reject(new TypeError('away')) : sql.transaction(work)),
        },
      },
    )
    daemon.start()
    while (!scene.sent.length) await settle()
    const stopping = daemon.stop()
    isDown = true
    answer(accepted())
    await stopping
  })
  it('is looked at once where two ask at once, and both are told', async () => {
    await owe(2)
    const daemon = scene.open(accepted, { sql })
    assert.deepEqual(await Promise.all([daemon.tick(), daemon.tick()]), [2, 2])
    assert.equal(runs('sms-expire'), 1)
    assert.equal(await daemon.tick(), 0)
    assert.equal(runs('sms-expire'), 1)
  })

  describe('with nothing to do', () => {
    /** The statements of so many waits. */
    const during = async (waits: number): Promise<string[]> => {
      run.splice(0)
      for (let n = 0; n < waits; n++) await next()
      return run.splice(0)
    }

    it('asks one question a second, also with thousands that are due tomorrow or that wait', async () => {
      await oweThousands()
      const daemon = scene.open(accepted, { sql })
      daemon.start()
      await waiting()
      assert.deepEqual(await during(30), Array(30).fill('sms-due'))
      assert.equal(scene.sent.length, 0)
      await daemon.stop()
    })
    it('finds none of those thousands to say so', async () => {
      await oweThousands()
      await database.db.knex.raw('ANALYZE sms_outbox')
      const bindings = { now: new Date(nowMs), today: new Date(nowMs) }
      // One for each line and kind, to know that there is such a group.
      assert.equal(await rowsRead((on) => DUE(on, bindings)), 1)
      const rest = { lease: 'L', wants: '{}', other: 50, heads: null, quiet: '{}', services: '{}' }
      const claim = { ...bindings, ...rest, until: new Date(nowMs + 1) }
      // The join may begin with a row of its other side.
      assert.ok((await rowsRead((on) => CLAIM(on, claim))) <= 2)
      assert.equal(await rowsRead((on) => EXPIRE(on, { ...bindings, limit: 10 })), 0)
    })
    it('asks nothing where no line has SMS, but once an hour what became of earlier ones', async () => {
      await owe(3, { expires_at: new Date(START + HOUR / 2) })
      const daemon = scene.open(accepted, { sql, canSend: () => 'never' })
      daemon.start()
      await waiting()
      assert.deepEqual(await during(60), [])
      nowMs = START + HOUR
      const names = await during(1)
      assert.deepEqual([names.includes('sms-expire'), names.includes('sms-claim')], [true, false])
      assert.deepEqual(await database.db.knex('sms_outbox').distinct('state'), [{ state: 'expired' }])
      await daemon.stop()
    })
    it('claims nothing while no line is bound, and a second after one is', async () => {
      await owe(2)
      let can: 'now' | 'not-now' = 'not-now'
      const daemon = scene.open(accepted, { sql, canSend: () => can })
      daemon.start()
      await waiting()
      assert.deepEqual(await during(5), Array(5).fill('sms-due'))
      can = 'now'
      await next()
      assert.equal(scene.sent.length, 2)
      await daemon.stop()
    })
    it('sends within a second what another daemon has owed meanwhile', async () => {
      const daemon = scene.open(accepted, { sql })
      daemon.start()
      await waiting()
      await during(100)
      await owe(1, { due_at: new Date(nowMs), wake_at: new Date(nowMs) })
      await next()
      assert.equal(scene.sent.length, 1)
      await daemon.stop()
    })

    /** Due tomorrow; due, but put off until the quiet hours end. */
    async function oweThousands(): Promise<void> {
      await database.db.knex.raw(
        `
        INSERT INTO sms_outbox (subject, kind, msisdn, text, due_at, expires_at, wake_at, created_at)
        SELECT 'test:' || n, 'reminder', (67570000000 + n)::text, 'Reminder',
          t.due, t.due + interval '2 days', t.wake, CAST(:start AS timestamptz)
        FROM generate_series(1, 3500) AS n, (VALUES
          (CAST(:start AS timestamptz) + interval '1 day', CAST(:start AS timestamptz)),
          (CAST(:start AS timestamptz), CAST(:start AS timestamptz) + interval '8 hours')) AS t(due, wake)`,
        { start: new Date(START) },
      )
    }

    /** Rows of the outbox that Postgres looks at for one statement. */
    async function rowsRead(ask: (on: SqlRunner) => Promise<unknown>): Promise<number> {
      let rows = 0
      await ask({
        async run({ name, text, parameters }, bindings) {
          const sql = `EXPLAIN (ANALYZE, FORMAT JSON) ${text}`
          const explained = { name: `explain-${name}`, text: sql, parameters, mayShare: false }
          const [said] = (await database.db.sql.run(explained, bindings)) as { 'QUERY PLAN': { Plan: Plan }[] }[]
          rows = scanned(said!['QUERY PLAN'][0]!.Plan)
          return []
        },
      })
      return rows
    }
  })
})

interface Plan {
  'Relation Name'?: string
  'Actual Rows': number
  'Actual Loops': number
  'Rows Removed by Filter'?: number
  'Rows Removed by Index Recheck'?: number
  Plans?: Plan[]
}

function scanned(plan: Plan): number {
  const below = (plan.Plans ?? []).reduce((sum, one) => sum + scanned(one), 0)
  if (plan['Relation Name'] !== 'sms_outbox') return below
  const each =
    plan['Actual Rows'] + (plan['Rows Removed by Filter'] ?? 0) + (plan['Rows Removed by Index Recheck'] ?? 0)
  return below + each * plan['Actual Loops']
}
