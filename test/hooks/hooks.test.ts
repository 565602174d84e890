/** Web-hooks against a real database and a real HTTP server: what is told, in which order, and what is not. */
import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { createHooks, type Hooks, type HooksDeps } from '../../src/hooks/hooks.ts'
import { stub, type Heard, type Stub } from '../backend/contracts/stub.ts'
import { emptyOutbox, oweSms, START } from '../sms/outbox/fixture.ts'
import { fakeClock, type FakeClock } from '../support/clock.ts'
import { describeBoth } from '../support/postgres.ts'
import { until } from '../support/services.ts'

const KEY = 'a-key-of-an-application-1'
const HOUR = 3_600_000

describeBoth('web-hooks of SMS', (database) => {
  let clock: FakeClock
  let application: Stub
  let status: (heard: Heard) => number
  let logged: [string, Record<string, unknown>][]
  let counted: string[]
  /** Timers of the next looks. */
  let looksToCome: number
  const open: Hooks[] = []

  beforeEach(async () => {
    await emptyOutbox(database.db.knex)
    looksToCome = 0
    clock = countingLooks(fakeClock(START), (more) => void (looksToCome += more))
    application = await stub()
    status = () => 204
    application.says((heard, response) => {
      const code = status(heard)
      if (code > 0) response.writeHead(code).end()
    })
    logged = []
    counted = []
  })
  afterEach(async () => {
    const stopping = Promise.all(open.splice(0).map((one) => one.stop()))
    await clock.advance(60_000)
    await stopping
    await application.close()
  })

  function start(settings: object = {}, deps: Partial<HooksDeps> = {}): void {
    const told = (fields: object, message: string) => void logged.push([message, fields as Record<string, unknown>])
    const log = { debug: told, info: told, warn: told, error: told }
    const hooks = createHooks({
      sql: database.db.sql,
      clock,
      chance: () => 0.5,
      log,
      counters: { count: (_, labels) => void counted.push(labels!.result!) },
      settings: {
        clinic: {
          url: `${application.url}?of=clinic`,
          key: KEY,
          timeoutMs: 5_000,
          concurrent: 20,
          giveUpMs: 24 * HOUR,
          ...settings,
        },
      },
      mayRun: () => true,
      ...deps,
    })
    open.push(hooks)
    hooks.start()
  }
  const owe = (key: string, hook: string | null = 'clinic') =>
    oweSms(database.db.knex, { owner: 'token:clinic', key, hook, subject: `token:clinic/${key}` })
  const become = (id: string, state: string, more: object = {}) => {
    const at = new Date(clock.now())
    const when = state === 'accepted' ? { submitted_at: at } : { settled_at: at }
    return database.db
      .knex('sms_outbox')
      .where({ id })
      .update({ state, ...when, ...more })
  }
  const events = () => database.db.knex('sms_event').orderBy('id')
  const heard = () =>
    application.heard.map(({ body }) => JSON.parse(body) as { key: string; event: string; reason?: string })
  const said = () => heard().map(({ key, event }) => `${key} ${event}`)
  const rested = () => until(() => looksToCome === open.length, 'a look goes on')
  /** The next look begins. */
  const begin = async (ms = 1_000) => {
    await rested()
    await clock.advance(ms)
  }
  /** A whole look. */
  const look = async (ms = 1_000) => {
    await begin(ms)
    await rested()
  }

  it('are told who, what and when, signed, without number and text', async () => {
    start()
    await become(await owe('V17'), 'accepted')
    await look()
    const [{ method, target, headers, body }] = application.heard as [Heard]
    const { id, ...event } = JSON.parse(body) as Record<string, unknown>
    const at = new Date(START).toISOString()
    assert.deepEqual(event, { event: 'accepted', owner: 'token:clinic', key: 'V17', class: 'reminder', at })
    assert.equal(headers['idempotency-key'], id)
    const timestamp = String(headers['x-ussd-timestamp'])
    assert.equal(timestamp, String(START / 1_000 + 1))
    // As the page says: what a receiver computes.
    const hash = createHash('sha256').update(body).digest('hex')
    const right = createHmac('sha256', KEY).update([method, target, timestamp, hash].join('\n')).digest('hex')
    assert.equal(headers['x-ussd-signature'], right)
    assert.equal(target, '/ussd?of=clinic')
    assert.deepEqual([counted, await events()], [['told'], []])
  })

  it('of every end are told, of SMS without a hook and of steps on the way nothing', async () => {
    start()
    for (const [key, state] of Object.entries({ a: 'delivered', b: 'failed', c: 'expired', d: 'cancelled' }))
      await become(await owe(key), state, { last_error: 'receipt: undeliverable 011' })
    for (const state of ['submitting', 'ambiguous', 'due']) await become(await owe(state), state)
    await become(await owe('none', null), 'delivered')
    await look()
    assert.deepEqual(said(), ['a delivered', 'b failed', 'c expired', 'd cancelled'])
    assert.deepEqual(
      heard().map(({ reason }) => reason),
      [undefined, 'receipt: undeliverable 011', undefined, undefined],
    )
  })

  it('of one SMS come in order: the later waits until the earlier is taken, and holds up no other SMS', async () => {
    let isDown = true
    status = ({ body }) => (isDown && body.includes('"V1"') ? 500 : 200)
    start()
    const id = await owe('V1')
    await become(id, 'accepted')
    await become(id, 'delivered')
    await become(await owe('V2'), 'delivered')
    await look()
    assert.deepEqual(said().toSorted(), ['V1 accepted', 'V2 delivered'])
    isDown = false
    application.heard.length = 0
    await look(2_000)
    await look()
    assert.deepEqual([said(), await events()], [['V1 accepted', 'V1 delivered'], []])
  })

  it('are tried again later and later, and given up when they are too old, with a line in the log', async () => {
    status = () => 503
    start({ giveUpMs: 60_000 })
    await become(await owe('V1'), 'accepted')
    const at: number[] = []
    for (let seconds = 1; seconds <= 70; seconds++) {
      const before = application.heard.length
      await look()
      if (application.heard.length > before) at.push(seconds)
    }
    assert.deepEqual(at, [1, 2, 4, 8, 16, 32, 64])
    assert.deepEqual(await events(), [])
    assert.equal(counted.at(-1), 'given-up')
    const [message, fields] = logged.at(-1)!
    assert.equal(message, 'an event for a web-hook was given up')
    const { hook, event, owner, tries, why } = fields
    assert.deepEqual(
      { hook, event, owner, tries, why },
      {
        hook: 'clinic',
        event: 'accepted',
        owner: 'token:clinic',
        tries: 7,
        why: 'status 503',
      },
    )
  })

  it('survive their daemon: another tells them when the lease is over, and not before', async () => {
    await become(await owe('V1'), 'accepted')
    const leaseUntil = new Date(clock.now() + 35_000)
    await database.db.knex('sms_event').update({ lease: 'dead', wake_at: leaseUntil, attempts: 1 })
    start()
    await look(32_000)
    await look()
    assert.deepEqual(said(), [])
    for (let n = 0; n < 5; n++) await look()
    assert.deepEqual(said(), ['V1 accepted'])
  })

  it('are told once by two daemons that look at the same time', async () => {
    for (let n = 0; n < 60; n++) await become(await owe(`V${n}`), 'accepted')
    start()
    start()
    await look()
    assert.equal(new Set(said()).size, 60)
    assert.equal(said().length, 60)
  })

  it('are tried one at a time while the hook takes nothing, and all together when it takes again', async () => {
    status = () => 500
    start({ concurrent: 8 })
    for (let n = 0; n < 12; n++) await become(await owe(`V${n}`), 'accepted')
    await look()
    assert.equal(application.heard.length, 8)
    assert.equal(logged.at(-1)![0], 'a web-hook takes no events: they are tried again')
    application.heard.length = 0
    await look()
    assert.equal(application.heard.length, 0, 'it rests')
    await look()
    assert.equal(application.heard.length, 1, 'one tries')
    status = () => 200
    for (let n = 0; n < 3; n++) await look(2_000)
    assert.deepEqual(await events(), [])
    assert.equal(logged.at(-1)![0], 'a web-hook takes events again')
  })

  it('that are not answered are late, and nothing follows a redirect', async () => {
    start({ giveUpMs: 60_000 })
    for (const [code, why] of [
      [0, 'late'],
      [302, 'status 302'],
    ] as const) {
      status = () => code
      const id = await owe(why)
      await become(id, 'accepted')
      await database.db.knex('sms_event').update({ at: new Date(START - HOUR) })
      await begin()
      await until(() => application.heard.length === 1, 'nothing was told')
      await clock.advance(5_000)
      await rested()
      assert.deepEqual([logged.at(-1)![1].why, (await events()).length], [why, 0])
      application.heard.length = 0
    }
  })

  it('go to no private address that a name leads to', async () => {
    const resolve: HooksDeps['resolve'] = (_host, _options, done) => done(null, [{ address: '10.0.0.7', family: 4 }])
    start({ url: 'http://hook.example/sms', giveUpMs: 60_000 }, { resolve })
    await become(await owe('V1'), 'accepted')
    await database.db.knex('sms_event').update({ at: new Date(START - HOUR) })
    await look()
    assert.equal(logged[0]![1].why, 'ADDRESS_REFUSED')
  })

  it('are forgotten with their SMS, and wait while the clock is wrong', async () => {
    let isRight = false
    start({}, { mayRun: () => isRight })
    const id = await owe('V1')
    await become(id, 'accepted')
    await become(await owe('V2'), 'accepted')
    await look(5_000)
    assert.equal(application.heard.length, 0)
    await database.db.knex('sms_outbox').where({ id }).delete()
    isRight = true
    await look()
    assert.deepEqual(said(), ['V2 accepted'])
  })
})

/** The same clock. `changed` is told when a timer of a look is set, and when it is over. */
function countingLooks(clock: FakeClock, changed: (more: number) => void): FakeClock {
  return {
    ...clock,
    after(ms, run) {
      if (ms !== 1_000) return clock.after(ms, run)
      changed(1)
      const over = () => void changed(-1)
      const cancel = clock.after(ms, () => (over(), run()))
      return () => (over(), cancel())
    },
  }
}
