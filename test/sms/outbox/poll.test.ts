import assert from 'node:assert/strict'
import type { SmsOutcome } from '../../../src/sms/outbox/types.ts'
import type { Clock } from '../../../src/ussd/vocabulary.ts'
import { settle } from '../../support/clock.ts'
import { describeBoth } from '../../support/postgres.ts'
import { HOUR, outboxFixture, START, type OutboxFixture } from './fixture.ts'
import type { Sql } from '../../../src/base/sql.ts'
import { aroundSql } from '../../support/sql.ts'

describeBoth('the outbox, looked at again and again', (database) => {
  const accepted = (): SmsOutcome => ({ is: 'accepted', messageIds: ['M'] })
  let scene: OutboxFixture
  let nowMs: number
  let waits: { ms: number; run: () => void }[]
  /** Names of the statements that were run, since last asked. */
  let run: string[]
  let isDown: boolean
  /** Statements that are not answered yet. */
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
    sql = aroundSql(database.db.sql, async ({ name }, ask) => {
      if (isDown) throw new Error('away')
      run.push(name)
      const one = {}
      open.add(one)
      return ask().finally(() => open.delete(one))
    })
  })

  /** Until the daemon waits; for how long. */
  async function waiting(): Promise<number> {
    while (!waits.length) await settle()
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
  const upkeeps = () => run.splice(0).filter((name) => name === 'sms-expire').length
  const owe = async (n: number, row: object = {}) => {
    for (let i = 0; i < n; i++) await scene.owe({ subject: `dental:${i}`, ...row })
  }

  it('follows batch with batch while much is due, and sees to earlier SMS once a second', async () => {
    await owe(5)
    const daemon = scene.open(accepted, { sql, settings: { batchMax: 2 } })
    daemon.start()
    assert.deepEqual([await waiting(), scene.sent.length, upkeeps()], [0, 2, 1])
    assert.deepEqual([await next(), scene.sent.length, upkeeps()], [0, 4, 0])
    assert.deepEqual([await next(), scene.sent.length, upkeeps()], [1_000, 5, 0])
    assert.deepEqual([await next(), scene.sent.length, upkeeps()], [1_000, 5, 1])
    await daemon.stop()
  })
  it('sees to earlier SMS once a second also where batches follow each other for longer', async () => {
    await owe(10)
    const daemon = scene.open(() => ((nowMs += 200), accepted()), { sql, settings: { batchMax: 2 } })
    daemon.start()
    const seen = [(await waiting(), upkeeps())]
    for (let i = 0; i < 4; i++) seen.push((await next(), upkeeps()))
    assert.deepEqual([scene.sent.length, seen], [10, [1, 0, 0, 1, 0]])
    await daemon.stop()
  })
  it('sees to earlier SMS on when the clock is set back by an hour', async () => {
    const daemon = scene.open(accepted, { sql })
    daemon.start()
    assert.deepEqual([await waiting(), upkeeps()], [1_000, 1])
    nowMs -= HOUR
    const seen: number[] = []
    for (let i = 0; i < 3; i++) seen.push((await next(), upkeeps()))
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
    assert.equal(upkeeps(), 1)
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
    assert.equal(upkeeps(), 1)
    assert.equal(await daemon.tick(), 0)
    assert.equal(upkeeps(), 1)
  })
})
