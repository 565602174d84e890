/** The audit in a real database: what is written, that a change of it is noticed, and what becomes of it without Postgres. */
import assert from 'node:assert/strict'
import { createAudit, type Audit } from '../../src/audit/audit.ts'
import { appendAudit, auditSince, purgeAudit } from '../../src/audit/rows.ts'
import { verifyAudit } from '../../src/audit/verify.ts'
import type { Sql } from '../../src/base/sql.ts'
import { subscriberHash } from '../../src/base/log/log.ts'
import { fakeClock, settle, type FakeClock } from '../support/clock.ts'
import { describeBoth } from '../support/postgres.ts'
import { until } from '../support/services.ts'

const START = Date.parse('2026-12-01T03:00:00Z')
const KEY = Buffer.alloc(32, 7)
const JOHN = '67570000001'
const NAME = 'host-a:8123'
const entry = (n: number) => ({ who: 'mary', role: 'operate', what: 'line stop', more: { line: `line-${n}` } })

describeBoth('the audit', (database) => {
  let clock: FakeClock
  let audit: Audit
  let logged: Record<string, unknown>[]
  let lost: number
  let isAway: boolean
  let isAnswerLost: boolean
  let tries: number

  beforeEach(async () => {
    await database.db.knex('audit').delete()
    await database.db.knex('audit_begin').delete()
    clock = fakeClock(START)
    logged = []
    ;[lost, tries] = [0, 0]
    isAway = isAnswerLost = false
    audit = make('run1')
  })
  afterEach(() => audit.stop())

  function make(instance: string, name = NAME): Audit {
    const tell = (more: object, message: string) => void logged.push({ ...more, message })
    const sql: Sql = {
      ...database.db.sql,
      async transaction(run) {
        tries++
        if (isAway) throw new Error('connect ECONNREFUSED')
        const done = await database.db.sql.transaction(run)
        if (isAnswerLost) throw new Error('Connection terminated unexpectedly')
        return done
      },
    }
    return createAudit({
      sql,
      clock,
      log: { debug: tell, info: tell, warn: tell, error: tell },
      counters: { count: (_, labels) => void (labels?.limit === 'audit_waiting' && lost++) },
      key: KEY,
      name,
      instance,
    })
  }
  const rows = (more: object = {}) =>
    auditSince(database.db.sql, { since: new Date(0), who: '', subscriber: '', most: 20_000, ...more })
  const tick = async (ms: number) => {
    const before = tries
    await clock.advance(ms)
    await until(() => tries > before, 'nothing tried')
    await settle()
  }
  const written = async (count: number) => until(async () => (await rows()).length === count, 'not written')
  const faults = async (heads: Parameters<typeof verifyAudit>[1] = []) =>
    (await verifyAudit(database.db.sql, heads)).map(({ instance, fault }) => [instance, fault])

  it('has who, what, before and after; in place of a number the hash that the log has', async () => {
    const more = { msisdn: JOHN, before: 'open', after: 'ended', note: `call ${JOHN} back` }
    audit.note({ who: 'mary', role: 'read,support', what: 'dialogue ended', more })
    await tick(1_000)
    await written(1)
    const [row] = await rows()
    assert.deepEqual(
      [row!.who, row!.role, row!.what, row!.at, row!.instance, row!.seq, row!.subscriber],
      ['mary', 'read,support', 'dialogue ended', '2026-12-01T03:00:00.000Z', NAME, 1, subscriberHash(KEY, JOHN)],
    )
    assert.deepEqual(JSON.parse(row!.detail), { before: 'open', after: 'ended', note: 'call 675******01 back' })
    const [stored] = (await database.db.knex('audit')) as object[]
    assert.doesNotMatch(JSON.stringify(stored), new RegExp(JOHN))
    assert.equal((await rows({ subscriber: subscriberHash(KEY, JOHN) })).length, 1)
    assert.equal((await rows({ subscriber: subscriberHash(KEY, '67570000002') })).length, 0)
    assert.equal((await rows({ who: 'john' })).length, 0)
  })

  it('is one chain over restarts, of daemons and commands beside each other, each row once', async () => {
    isAnswerLost = true
    audit.note(entry(1))
    await tick(1_000)
    await written(1)
    isAnswerLost = false
    audit.note(entry(2))
    await tick(5_000)
    await written(2)
    await audit.stop()
    audit = make('run2')
    const at = new Date(START).toISOString()
    const shell = (id: string) => ({
      id,
      at,
      instance: NAME,
      who: 'root',
      role: 'shell',
      what: 'subscriber erased',
      subscriber: null,
      detail: '{}',
    })
    audit.note(entry(3))
    const [, ...heads] = await Promise.all([
      tick(1_000),
      ...['a', 'b'].map((id) => appendAudit(database.db.sql, NAME, [shell(id)])),
    ])
    await written(5)
    assert.equal(new Set(heads.map((head) => head!.seq)).size, 2)
    assert.deepEqual((await rows()).map(({ seq }) => seq).toSorted(), [1, 2, 3, 4, 5])
    assert.deepEqual(await faults(), [[NAME, undefined]])
  })

  it('shows a row that was changed, replaced or taken out; and, with a head from the log, a chain made anew', async () => {
    for (let n = 1; n <= 5; n++) audit.note(entry(n))
    await tick(1_000)
    await written(5)
    assert.deepEqual(await faults(), [[NAME, undefined]])
    const { knex } = database.db
    const [row] = (await knex('audit').where({ seq: 3 })) as Record<string, unknown>[]
    await knex('audit').where({ seq: 3 }).update({ who: 'john' })
    assert.deepEqual(await faults(), [[NAME, 'row 3 (2026-12-01T03:00:00.000Z, john, line stop) was changed']])
    await knex('audit').where({ seq: 3 }).delete()
    assert.deepEqual(await faults(), [[NAME, 'row 3 is gone (after it comes 4)']])
    await knex('audit').insert({ ...row, hash: 'f'.repeat(64) })
    assert.match((await faults())[0]![1]!, /row 3 .* was changed/)
    await knex('audit').where({ seq: 3 }).update({ hash: row!.hash })
    assert.deepEqual(await faults(), [[NAME, undefined]])

    await audit.stop()
    const head = logged.find(({ message }) => message === 'audit head')!
    const told = { instance: NAME, seq: head.seq as number, hash: head.hash as string }
    assert.deepEqual(await faults([told]), [[NAME, undefined]])
    await knex('audit').where({ seq: 5 }).delete()
    assert.deepEqual(await faults(), [[NAME, undefined]], 'the end alone nobody misses')
    assert.deepEqual(await faults([told]), [[NAME, 'row 5 is gone: the log told its hash']])
    await knex('audit').delete()
    assert.deepEqual(await faults([told]), [[NAME, 'row 5 is gone']])
    audit = make('forger')
    for (let n = 1; n <= 5; n++) audit.note(entry(n + 10))
    await tick(1_000)
    await written(5)
    assert.deepEqual(await faults([told]), [[NAME, 'row 5 is not the one whose hash the log told']])
  })

  it('tells the end of its chain to the log each hour, if there is a new one', async () => {
    const heads = () => logged.filter(({ message }) => message === 'audit head').map(({ seq }) => seq)
    audit.note(entry(1))
    await tick(1_000)
    await written(1)
    await clock.advance(3_600_000)
    assert.deepEqual(heads(), [1])
    await clock.advance(3_600_000)
    assert.deepEqual(heads(), [1])
  })

  it('waits while Postgres is away; what there was no room for is counted, and told in the log and in itself', async () => {
    isAway = true
    for (let n = 1; n <= 10_003; n++) audit.note(entry(n))
    await tick(1_000)
    assert.equal(lost, 3)
    assert.deepEqual(
      logged.map(({ message }) => message),
      ['audit entries are lost: only the log has them', 'the audit waits for Postgres'],
    )
    isAway = false
    const [{ count: none }] = (await database.db.knex('audit').count()) as [{ count: string | number }]
    assert.equal(Number(none), 0)
    const all = async () => {
      await clock.advance(5_000)
      return (await rows()).length === 10_001
    }
    await until(all, 'not all of them are written')
    const [told] = await rows({ who: '-' })
    assert.deepEqual([told!.what, told!.detail], ['audit entries lost', '{"entries":3}'])
    assert.deepEqual(await faults(), [[NAME, undefined]])
  }).timeout(60_000)

  it('loses its oldest rows by the retention, and goes on from there; rows taken out otherwise are missed', async () => {
    for (let n = 1; n <= 3; n++) audit.note(entry(n))
    await tick(1_000)
    await written(3)
    await clock.advance(86_400_000)
    audit.note(entry(4))
    await tick(1_000)
    await written(4)
    assert.equal(await purgeAudit(database.db.sql, new Date(START + 60_000), new Date(clock.now())), 3)
    assert.equal(await purgeAudit(database.db.sql, new Date(START + 60_000), new Date(clock.now())), 0)
    const [whole] = await verifyAudit(database.db.sql)
    assert.deepEqual([whole!.fault, whole!.rows, whole!.from, whole!.to], [undefined, 1, 4, 4])
    assert.ok(whole!.begunAt !== null)
    assert.equal(await purgeAudit(database.db.sql, new Date(clock.now() + 1), new Date(clock.now())), 1)
    audit.note(entry(5))
    await tick(1_000)
    await written(1)
    assert.deepEqual(
      (await verifyAudit(database.db.sql)).map(({ from, to, fault }) => [from, to, fault]),
      [[5, 5, undefined]],
    )
    await database.db.knex('audit_begin').delete()
    assert.deepEqual(await faults(), [[NAME, 'row 1 is gone (after it comes 5)']])
  })
})
