/** Daemons that share a real database: who is there, how old that is, and commands from one to another. */
import assert from 'node:assert/strict'
import type { Sql } from '../../src/base/sql.ts'
import { createFleet, type Fleet, type FleetCommand } from '../../src/fleet/fleet.ts'
import { realClock } from '../support/clock.ts'
import { describeBoth } from '../support/postgres.ts'
import { until } from '../support/services.ts'

interface State {
  ready: boolean
}

describeBoth('a fleet', (database) => {
  let open: Fleet<State>[]
  let logged: string[]
  let aheadMs = 0
  let isAway: boolean

  beforeEach(async () => {
    await database.db.knex('instance').delete()
    await database.db.knex('instance_command').delete()
    ;[open, logged, isAway, aheadMs] = [[], [], false, 0]
  })
  afterEach(() => Promise.all(open.map((one) => one.stop())))

  function join(name: string, done: [string, FleetCommand, string][] = [], run = `run-${name}`): Fleet<State> {
    const told = (_: object, message: string) => void logged.push(message)
    const sql: Sql = {
      ...database.db.sql,
      run: (statement, bindings) =>
        isAway ? Promise.reject(new Error('connect ECONNREFUSED')) : database.db.sql.run(statement, bindings),
    }
    const fleet = createFleet<State>({
      sql,
      // The beats of a test come quicker; everything else is as it is.
      clock: {
        ...realClock,
        now: () => realClock.now() + aheadMs,
        after: (ms, run_) => realClock.after(Math.min(ms, 50), run_),
      },
      log: { debug: () => undefined, info: told, warn: told, error: told },
      counters: { count: () => undefined },
      name,
      instance: run,
      version: '0.1.0',
      recordForm: 4,
    })
    fleet.start({
      admin: '127.0.0.1:8123',
      state: async () => ({ ready: true }),
      carryOut: async (command, by) => {
        if (command.line === 'broken') throw new Error('a bug')
        done.push([name, command, by])
        return { status: 200, body: { line: command.line } }
      },
    })
    open.push(fleet)
    return fleet
  }
  const names = async (fleet: Fleet<State>) => (await fleet.all()).map(({ name }) => name)

  it('shows each daemon with version, Node.js, age and state; one that stops in order is not there any more', async () => {
    const [a, b] = [join('a:8123'), join('b:8123')]
    await until(async () => (await names(a)).length === 2, 'b is not seen')
    const [first] = await b.all()
    assert.deepEqual(
      [first!.name, first!.version, first!.node, first!.admin, first!.state, first!.isGone],
      ['a:8123', '0.1.0', process.versions.node, '127.0.0.1:8123', { ready: true }, false],
    )
    assert.ok(first!.ageMs >= 0 && first!.ageMs < 5_000)
    await b.stop()
    assert.deepEqual(await names(a), ['a:8123'])
  })

  it('shows for how long it has not seen one that ended without a word', async () => {
    const a = join('a:8123')
    await database.db.knex('instance').insert({
      name: 'dead:8123',
      run: 'x',
      version: '0.0.9',
      node: '20.19.0',
      admin: '127.0.0.1:8123',
      started_at: new Date(),
      seen_at: database.db.knex.raw(`now() - interval '3 minutes'`),
      state: { ready: true },
    })
    await until(async () => (await names(a)).length === 2, 'not seen')
    const dead = (await a.all()).find(({ name }) => name === 'dead:8123')!
    assert.equal(dead.isGone, true)
    assert.ok(dead.ageMs >= 180_000 && dead.ageMs < 200_000, `${dead.ageMs}`)
    const { status, body } = await a.ask('dead:8123', { what: 'line-stop', line: 'north' }, 'mary')
    assert.equal(status, 409)
    assert.match(JSON.stringify(body), /was last seen 18\d s ago/)
  })

  it('has the right one do what is asked, once, and brings its answer', async () => {
    const done: [string, FleetCommand, string][] = []
    const [a] = [join('a:8123', done), join('b:8123', done), join('c:8123', done)]
    await until(async () => (await names(a)).length === 3, 'not all are seen')
    const command = { what: 'line-stop', line: 'north' } as const
    assert.deepEqual(await a.ask('b:8123', command, 'mary'), { status: 200, body: { line: 'north' } })
    assert.deepEqual(done, [['b:8123', command, 'mary']])
    const none = await a.ask('d:8123', command, 'mary')
    assert.deepEqual(none, { status: 404, body: { error: "there is no daemon 'd:8123': a:8123, b:8123, c:8123" } })
    const failed = await a.ask('b:8123', { what: 'line-stop', line: 'broken' }, 'mary')
    assert.equal(failed.status, 500)
  })

  it('takes no old row for a daemon that is gone while Postgres is away, and until all have written again', async () => {
    const a = join('a:8123')
    await until(async () => (await names(a)).length === 1, 'not there')
    const reads = async (times: number) => {
      for (let n = 0; n < times; n++) {
        aheadMs += 5_000
        await a.all()
      }
    }
    assert.equal(a.seesOthers(), false, 'nobody has had the time to write')
    await reads(3)
    assert.equal(a.seesOthers(), true)
    isAway = true
    aheadMs += 8_000
    assert.equal(a.seesOthers(), false)
    isAway = false
    await reads(2)
    assert.equal(a.seesOthers(), false, 'rows are as old as the outage was long')
    await reads(2)
    assert.equal(a.seesOthers(), true)
  })

  it('knows the newest form of a record that all read: of an earlier build, that ended a while ago, alone', async () => {
    const instances = () => database.db.knex('instance')
    const earlier = { run: 'r', version: '0.0.9', node: '20.19.0', admin: '127.0.0.1:1', started_at: new Date() }
    const row = (name: string, seen: string) => ({ ...earlier, name, seen_at: database.db.knex.raw(seen), state: {} })
    const a = join('a:8123')
    await until(async () => (await names(a)).length === 1, 'not there')
    const afterBeats = async () => {
      for (let n = 0; n < 3; n++) {
        aheadMs += 5_000
        await a.all()
      }
      return a.recordForm()
    }
    assert.equal(a.recordForm(), undefined, 'an earlier one may not have written yet')
    assert.equal(await afterBeats(), 4)
    await instances().insert(row('b:8123', 'now()'))
    assert.equal(await afterBeats(), 3)
    await instances()
      .where({ name: 'b:8123' })
      .update({ seen_at: database.db.knex.raw("now() - interval '9 minutes'") })
    assert.equal(await afterBeats(), 3, 'it may only not reach Postgres')
    isAway = true
    await instances().where({ name: 'b:8123' }).delete()
    assert.equal(await afterBeats(), 3, 'as last read')
    isAway = false
    await instances().insert(row('c:8123', "now() - interval '11 minutes'"))
    await afterBeats()
    assert.equal(await afterBeats(), 4)
  })

  it('takes ten minutes after an upgrade for those of builds that write no row', async () => {
    const migration = database.db.knex('schema_migration').where('name', 'like', '037%')
    const [{ batch, migration_time: at } = { batch: 0, migration_time: null }] = await migration.clone()
    assert.equal(batch, 1)
    const formAfter = async (minutes: number, name: string) => {
      const then = database.db.knex.raw(`now() - interval '${minutes} minutes'`)
      await migration.clone().update({ batch: 2, migration_time: then })
      const one = join(name)
      await until(async () => (await names(one)).includes(name), 'not there')
      for (let n = 0; n < 3; n++) {
        aheadMs += 5_000
        await one.all()
      }
      return one.recordForm()
    }
    try {
      assert.equal(await formAfter(9, 'a:8123'), undefined)
      assert.equal(await formAfter(11, 'b:8123'), 4)
    } finally {
      await migration.clone().update({ batch, migration_time: at })
    }
  })

  it('does not do late what somebody wanted a while ago', async () => {
    const done: [string, FleetCommand, string][] = []
    await database.db.knex('instance_command').insert({
      id: 'old',
      instance: 'a:8123',
      what: 'line-stop',
      args: { what: 'line-stop', line: 'north' },
      asked_by: 'mary',
      at: database.db.knex.raw(`now() - interval '1 minute'`),
    })
    const a = join('a:8123', done)
    await until(async () => (await names(a)).length === 1, 'not there')
    await a.stop()
    assert.deepEqual(done, [])
  })

  it('goes on with what it read last while Postgres is away, older by then, with one warning', async () => {
    const a = join('a:8123')
    await until(async () => (await names(a)).length === 1, 'not there')
    isAway = true
    await until(() => logged.length > 0, 'no warning')
    await new Promise((done) => setTimeout(done, 300))
    const [row] = await a.all()
    assert.ok(row!.ageMs >= 300)
    assert.deepEqual(logged, ['the other daemons do not see this one: Postgres is unreachable'])
    isAway = false
    await until(async () => (await a.all())[0]!.ageMs < 300, 'not seen again')
  })

  it('tells when two daemons have one name', async () => {
    join('a:8123', [], 'run1')
    join('a:8123', [], 'run2')
    await until(() => logged.includes('two daemons have one name'), 'not told')
  })
})
