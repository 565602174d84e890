/** The history of flows in a real database: decisions with their rows, files that daemons took, daemons of an earlier build. */
import assert from 'node:assert/strict'
import type { Sql } from '../../src/base/sql.ts'
import { publishing, trying, type Decided, type DecisionTold } from '../../src/flow/release/index.ts'
import { purge, type Retention } from '../../src/privacy/retention.ts'
import { flowReleases } from '../../src/store/postgres/releases.ts'
import { createFlowEvents, type FlowEvents } from '../../src/watch/flow-events.ts'
import { fakeClock, settle, type FakeClock } from '../support/clock.ts'
import { describeBoth } from '../support/postgres.ts'
import { until } from '../support/services.ts'

const START = Date.parse('2026-12-01T03:00:00Z')
const FILE = { flow: 'prices', revision: 'prices@1', before: null, file: 'flows/prices.yaml', hash: 'aa' }

describeBoth('the history of flows', (database) => {
  let clock: FakeClock
  let events: FlowEvents
  let decided: Decided
  let logged: string[]
  let dropped: number
  let isAway: boolean

  beforeEach(async () => {
    for (const table of ['flow_event', 'flow_recall', 'flow_release']) await database.db.knex(table).delete()
    clock = fakeClock(START)
    logged = []
    dropped = 0
    isAway = false
    decided = flowReleases(database.db)
    events = make('host-a:8123', 'run1')
  })
  afterEach(() => events.stop())

  function make(name: string, instance: string): FlowEvents {
    const told = (_: object, message: string) => void logged.push(message)
    const sql: Sql = {
      ...database.db.sql,
      run: (statement, bindings) =>
        isAway ? Promise.reject(new Error('connect ECONNREFUSED')) : database.db.sql.run(statement, bindings),
    }
    return createFlowEvents({
      sql,
      clock,
      log: { debug: told, info: told, warn: told, error: told },
      counters: { count: (counted, labels) => void (labels?.limit === 'flow_events_waiting' && counted && dropped++) },
      name,
      instance,
    })
  }

  const told = (did: DecisionTold['did'], revision: string, before: string | null = null): DecisionTold => ({
    did,
    revision,
    before,
    instance: 'host-a:8123',
  })
  const rows = async () => (await events.of('prices', 100)).map(({ did, revision }) => `${did} ${revision}`)

  it('has who, when, what and why of a decision, written in its transaction', async () => {
    await decided.change('prices', (now) => ({
      release: { ...publishing(now, 'prices@2', 'prices@1'), by: 'ana', note: 'rice is dearer' },
      told: told('publish', 'prices@2', 'prices@1'),
    }))
    await decided.change('prices', (now) => ({
      release: { ...trying(now, 'prices@3', 2_500, () => 'key'), by: 'ben', note: '' },
      told: told('canary', 'prices@3', 'prices@2'),
    }))
    const [trial, publish] = await events.of('prices', 10)
    assert.deepEqual([trial!.did, trial!.revision, trial!.share], ['canary', 'prices@3', 2_500])
    const { at, ...row } = publish!
    assert.ok(Math.abs(at.getTime() - Date.now()) < 600_000)
    assert.deepEqual(row, {
      flow: 'prices',
      did: 'publish',
      revision: 'prices@2',
      before: 'prices@1',
      share: null,
      by: 'ana',
      reason: 'rice is dearer',
      instance: 'host-a:8123',
      file: null,
      hash: null,
    })
    assert.deepEqual(await events.of('others', 10), [])
  })

  it('has nothing of a decision that was not made, and no decision stands without its row', async () => {
    await decided.change('prices', () => ({ refused: 409 }))
    const broken = decided.change('prices', (now) => ({
      release: publishing(now, 'prices@2', undefined),
      told: { ...told('publish', 'prices@2'), instance: null as unknown as string },
    }))
    await assert.rejects(broken, /null/)
    assert.deepEqual([await rows(), (await decided.read()).releases.get('prices')?.active], [[], null])
  })

  it('has which flow was adopted from its first file, once', async () => {
    await decided.adopt('prices', 'prices@1')
    await decided.adopt('prices', 'prices@2')
    assert.deepEqual(await rows(), ['adopt prices@1'])
  })

  it('has the file that each daemon took, and not the same again after a restart', async () => {
    events.taken(FILE)
    await events.stop()
    const again = make('host-a:8123', 'run2')
    again.taken(FILE)
    await again.stop()
    const other = make('host-b:8123', 'run1b')
    other.taken(FILE)
    await other.stop()
    const edited = make('host-a:8123', 'run3')
    edited.taken({ ...FILE, revision: 'prices@2', before: 'prices@1', hash: 'bb' })
    await clock.advance(1_000)
    await edited.stop()
    edited.taken(FILE)
    await edited.stop()
    const all = await events.of('prices', 10)
    assert.deepEqual(all.map(({ instance, revision, hash }) => `${instance} ${revision} ${hash}`).toSorted(), [
      'host-a:8123 prices@1 aa',
      'host-a:8123 prices@1 aa',
      'host-a:8123 prices@2 bb',
      'host-b:8123 prices@1 aa',
    ])
    assert.deepEqual([all[0]!.file, all.at(-1)!.at.getTime()], ['flows/prices.yaml', START])
  })

  it('waits while Postgres is away, with one warning, and keeps the moment', async () => {
    isAway = true
    events.taken(FILE)
    await clock.advance(1_000)
    await settle()
    await clock.advance(5_000)
    await settle()
    assert.deepEqual(logged, ['the history of flows waits for Postgres'])
    isAway = false
    await clock.advance(5_000)
    await until(async () => (await rows()).length === 1, 'not written')
    assert.equal((await events.of('prices', 1))[0]!.at.getTime(), START)
  })

  it('keeps a limit while it waits: the oldest go, counted', () => {
    isAway = true
    for (let n = 0; n < 1_007; n++) events.taken({ ...FILE, hash: String(n) })
    assert.equal(dropped, 7)
  })

  it('has what a daemon of the earlier build decides beside newer ones', async () => {
    const { knex } = database.db
    await knex('flow_release').insert({ name: 'prices' })
    const update = (row: object) => knex('flow_release').where({ name: 'prices' }).update(row)
    await update({ active: 'prices@2', changed_by: 'old', note: 'as before' })
    await update({ canary: 'prices@3', canary_share: 1_000, canary_key: 'k' })
    await update({ canary_share: 5_000 })
    await update({ canary: null, canary_share: 0 })
    await update({ note: 'a note changes nothing' })
    await knex('flow_recall').insert({ revision: 'prices@3', name: 'prices', texts: '{}', recalled_by: 'old' })
    const all = await events.of('prices', 10)
    assert.deepEqual(all.map(({ did, revision, share }) => `${did} ${revision} ${share}`).toSorted(), [
      'canary prices@3 1000',
      'canary prices@3 5000',
      'canary-end prices@3 null',
      'recall prices@3 null',
      'serve prices@2 null',
    ])
    assert.deepEqual(all.find(({ did }) => did === 'serve')!.reason, 'as before')
    // A newer daemon writes its own row, and only that.
    await decided.change('prices', (now) => ({
      release: now,
      recalls: { revision: 'prices@2', texts: {} },
      told: told('recall', 'prices@2'),
    }))
    assert.equal((await events.of('prices', 10)).length, 6)
    // Its transaction is over: the next decision of an older daemon on the same connection is seen.
    await update({ active: 'prices@1' })
    assert.equal((await events.of('prices', 10)).length, 7)
  })

  it('is purged by age, and by rows of one flow', async () => {
    const { knex, sql } = database.db
    const day = 86_400_000
    const row = (flow: string, daysAgo: number) => ({ flow, did: 'file', at: new Date(START - daysAgo * day) })
    await knex('flow_event').insert([row('prices', 731), row('prices', 729), row('busy', 3), row('busy', 2)])
    await knex('flow_event').insert([row('busy', 1), row('busy', 0)])
    const retention = {
      flowEventsDays: 730,
      auditDays: 730,
      flowEventsMax: 3,
      smsDays: 90,
      lineEventsDays: 90,
      idleMonths: 24,
    }
    const { own } = await purge({
      sql,
      knex,
      retention: retention as Retention,
      inUse: null,
      modules: [],
      clock: { ...clock, now: () => START } as never,
    })
    assert.equal(own.flow_events, 2)
    const left: { flow: string }[] = await knex('flow_event').select('flow')
    assert.deepEqual(left.map(({ flow }) => flow).toSorted(), ['busy', 'busy', 'busy', 'prices'])
  })
})
