import assert from 'node:assert/strict'
import { Redis } from 'ioredis'
import type { DialogueStore, StoreFault } from '../../../src/dialogue/types.ts'
import { StoreError } from '../../../src/base/errors.ts'
import { silentLog } from '../../../src/base/log/port.ts'
import { REDIS_OPTIONS } from '../../../src/store/redis/servers.ts'
import { redisDialogues } from '../../../src/store/redis/store.ts'
import { expectIs, LEASE_MS, LIMITS, dialogueFixture, T0 } from '../../contract/dialogue-fixture.ts'
import { describeWith, freePort, services, until } from '../../support/services.ts'
import { ownRedis, wire, type Wire } from './own.ts'
import { redisPlace, type RedisPlace } from './place.ts'

const isDown = (error: unknown) => error instanceof StoreError && error.code === 'down'

describeWith(['redis'], 'the dialogue store when the wire to Redis fails', () => {
  let link: Wire
  let store: DialogueStore
  let place: RedisPlace
  let faults: StoreFault[]
  beforeEach(async () => {
    const target = new URL(services.redisUrl!)
    link = await wire({ host: target.hostname, port: Number(target.port) })
    target.port = String(link.port)
    place = await redisPlace(LIMITS)
    faults = []
    store = await place.open(LIMITS, { servers: { url: target.toString() }, onFault: (fault) => faults.push(fault) })
  })
  afterEach(async () => {
    link.set('open')
    await place.clear()
    await link.close()
  })

  it('rejects at once while Redis refuses, and works again when it is back', async () => {
    const { begin, asked, find } = dialogueFixture(store)
    await asked()
    link.set('cut')
    await assert.rejects(() => begin({ msisdn: '2' }), isDown)
    assert.deepEqual(faults, [], 'who called counts it, once')
    link.set('open')
    await until(
      () =>
        find().then(
          () => true,
          () => false,
        ),
      'the store does not come back',
    )
    assert.equal((await find())?.status, 'resting')
    assert.equal(await find({ msisdn: '2' }), null, 'what was rejected is not sent later')
  })
  it('rejects after its own half second while Redis is silent, also many calls at once, and not after another', async () => {
    const { begin, find, overdue, asked } = dialogueFixture(store)
    await asked()
    link.set('deaf')
    const calls = [begin({ msisdn: '2' }), find(), overdue(T0), store.count(), store.check()]
    assert.equal(REDIS_OPTIONS.commandTimeout, 500)
    // Its time-out and this one are of one clock: a machine that stops for a while holds up both.
    const halfSecond = () => new Promise<void>((done) => setTimeout(done, REDIS_OPTIONS.commandTimeout))
    const late = halfSecond()
      .then(halfSecond)
      .then(() => {
        throw new Error('a second time-out is over')
      })
    late.catch(() => undefined) // it loses each race
    await Promise.all(calls.map((call) => assert.rejects(() => Promise.race([call, late]), isDown)))
  })
  it('answers where it was our own event loop that stood still: reads, a write, a turn of both, and a lease', async () => {
    const { asked, find, answer, rest, begin, overdue } = dialogueFixture(store)
    await asked()
    const standing = async <T>(call: Promise<T>): Promise<T> => {
      for (let n = 0; n < 2; n++) await new Promise((done) => setImmediate(done)) // it is written
      const untilMs = performance.now() + REDIS_OPTIONS.commandTimeout + 500
      while (performance.now() < untilMs);
      return call
    }
    assert.equal((await standing(find()))?.status, 'resting')
    expectIs(await standing(answer({ token: 'next' })), 'next')
    assert.equal(await standing(rest({ token: 'next' })), true)
    const { record } = expectIs(await standing(begin({ msisdn: '2', token: 'mine' })), 'opened')
    assert.equal(await standing(store.renew(record.key, record.epoch, 'mine', T0 + 60_000)), true)
    assert.equal(await standing(store.count()), 2)
    assert.deepEqual(await standing(overdue(T0)), [])
    assert.deepEqual(faults, [])
  })
  it('gives up a connection that stays silent for a new one', async () => {
    const { asked, find } = dialogueFixture(store)
    await asked()
    link.set('stale')
    await assert.rejects(() => find(), isDown)
    await until(
      () =>
        find().then(
          () => true,
          () => false,
        ),
      'the silent connection is still used',
    )
  })
  it('does not know whether a write whose answer was lost was applied, and may repeat it', async () => {
    const { begin, rest, answer, find } = dialogueFixture(store)
    const back = () =>
      until(
        () =>
          find().then(
            () => true,
            () => false,
          ),
        'the store does not come back',
      )
    const { held } = expectIs(await begin({ token: 't', epoch: 'e' }), 'opened')
    link.set('mute')
    await assert.rejects(() => rest({ token: 't', epoch: 'e', held }), isDown)
    link.set('cut')
    link.set('open')
    await back()
    assert.equal((await find())?.status, 'resting', 'it had been applied')
    assert.equal(await rest({ token: 't', epoch: 'e', held }), true)
    assert.equal(expectIs(await answer(), 'next').record.turn, 2)
  })
  it('says nothing of the subscriber in its errors', async () => {
    const { answer } = dialogueFixture(store)
    link.set('cut')
    await assert.rejects(
      () => answer({ text: 'PIN 4711' }),
      (error: Error) => {
        const told = JSON.stringify(error, Object.getOwnPropertyNames(error)) + String(error.cause)
        return !told.includes('67570000001') && !told.includes('4711')
      },
    )
  })
  it('survives a confirmation that cannot be sent', async () => {
    const { asked, find } = dialogueFixture(store)
    await asked()
    const record = (await find())!
    link.set('cut')
    store.confirm(record)
    await until(() => faults.includes('down'), 'the failure is not counted')
  })
})

describe('the dialogue store without any Redis', () => {
  it('comes up all the same; check rejects', async () => {
    const faults: StoreFault[] = []
    const url = `redis://127.0.0.1:${await freePort()}`
    const store = await redisDialogues({
      servers: { url },
      limits: LIMITS,
      log: silentLog,
      onFault: (fault) => faults.push(fault),
    })
    await assert.rejects(() => store.check(), isDown)
    await assert.rejects(() => dialogueFixture(store).begin(), isDown)
    assert.deepEqual(faults, [])
    await store.close()
  })
})

describeWith(['redis'], 'the dialogue store among others', () => {
  let place: RedisPlace
  let client: Redis
  const faults: StoreFault[] = []
  const recordKeys = () => client.keys(`${place.prefix}:{b*}:u:*`)
  beforeEach(async () => {
    place = await redisPlace(LIMITS)
    client = new Redis(services.redisUrl!)
    faults.length = 0
  })
  afterEach(async () => {
    await place.clear()
    client.disconnect()
  })
  const open = () => place.open(LIMITS, { onFault: (fault) => faults.push(fault) })

  it('gives each begin, answer and deadline to one of two daemons', async () => {
    const [one, other] = [dialogueFixture(await open()), dialogueFixture(await open())]
    for (let n = 0; n < 200; n++) {
      const said = { msisdn: String(n) }
      const begins = await Promise.all([
        one.begin({ ...said, token: `1-${n}` }),
        other.begin({ ...said, token: `2-${n}`, link: 'link-b' }),
      ])
      assert.deepEqual(begins.map((taken) => taken.is).toSorted(), ['opened', 'repeat'])
      const mine = begins[0]!.is === 'opened' ? one : other
      await mine.rest({ token: begins[0]!.is === 'opened' ? `1-${n}` : `2-${n}` }, said)
      const answers = await Promise.all([one.answer(said), other.answer({ ...said, link: 'link-b', text: '2' })])
      assert.deepEqual(answers.map((taken) => taken.is).toSorted(), ['busy', 'next'])
    }
    const seized = await Promise.all([one.overdue(T0 + LEASE_MS, 'a', 150), other.overdue(T0 + LEASE_MS, 'b', 150)])
    const names = seized.flat().map((found) => found.record.key.msisdn)
    assert.equal(new Set(names).size, names.length)
  })
  it('loads its scripts again after SCRIPT FLUSH', async () => {
    const { asked, answer } = dialogueFixture(await open())
    await asked()
    await client.script('FLUSH')
    const all = await Promise.all([answer(), ...Array.from({ length: 20 }, (_, n) => asked({ msisdn: String(n) }))])
    assert.equal(expectIs(all[0] as never, 'next'), all[0])
  })
  it('sends all calls of one turn of the event loop in one write', async () => {
    const own = new Redis(services.redisUrl!, REDIS_OPTIONS)
    await new Promise((done) => own.once('ready', done))
    const client = { url: undefined, client: own } as never
    const { asked, answer, confirm } = dialogueFixture(await place.open(LIMITS, client))
    const epoch = await asked()
    // From then on Redis knows the scripts, on whatever connection.
    void confirm(epoch)
    for (let calls = 0; calls < 3; calls++) await answer({ msisdn: 'nobody' })
    type Handle = Record<string, (...args: unknown[]) => number>
    const handle = (own as unknown as { stream: { _handle: Handle } }).stream._handle
    let writes = 0
    for (const name of ['writev', 'writeUtf8String', 'writeLatin1String', 'writeAsciiString', 'writeBuffer']) {
      const original = handle[name]!.bind(handle)
      handle[name] = (...args) => (writes++, original(...args))
    }
    const calls = Array.from({ length: 50 }, (_, n) => answer({ msisdn: String(n) }))
    await Promise.all([...calls, confirm(epoch)])
    own.disconnect()
    assert.ok(writes >= 1 && writes <= 3, `${writes} writes`)
  })
  it('asks one server once for all that is due, and once for how many there are', async () => {
    const own = new Redis(services.redisUrl!, REDIS_OPTIONS)
    await new Promise((done) => own.once('ready', done))
    const store = await place.open(LIMITS, { url: undefined, client: own } as never)
    const { asked, overdue } = dialogueFixture(store)
    await Promise.all(Array.from({ length: 20 }, (_, n) => asked({ msisdn: String(n) })))
    await overdue(T0)
    const sent: string[] = []
    const send = own.sendCommand.bind(own)
    own.sendCommand = (command, stream) => (sent.push(command.name), send(command, stream))
    assert.deepEqual([await store.count(), await overdue(T0)], [20, []])
    assert.deepEqual(sent, ['evalsha', 'evalsha'])
    own.disconnect()
  })
  it('puts aside what does not read, counts it, and goes on', async () => {
    for (const spoil of ['garbage', '', '1rc 1', '2xc 2 "e"', undefined]) {
      const { asked, answer, find, begin } = dialogueFixture(await open())
      await asked()
      const [key] = await recordKeys()
      await client.del(key!)
      await (spoil === undefined ? client.rpush(key!, 'a list') : client.set(key!, spoil))
      await assert.rejects(
        () => answer(),
        (error) => error instanceof StoreError && error.code === 'corrupt',
      )
      assert.equal(faults.at(-1), 'corrupt')
      assert.equal(await find(), null)
      expectIs(await answer(), 'unknown')
      assert.equal((await client.keys(`${place.prefix}:{b*}:q:*`)).length, 1)
      assert.ok((await client.pttl((await client.keys(`${place.prefix}:{b*}:q:*`))[0]!)) > 0)
      expectIs(await begin(), 'opened')
      await dialogueFixture(await open()).drop()
      assert.equal(await (await open()).erase('67570000001'), 1)
      const left = (await client.keys(`${place.prefix}:*`)).filter((key) => !key.endsWith(':cdr'))
      assert.deepEqual(left, [], 'erasing removes what was put aside, too')
    }
  })
  it('leaves what a later release wrote to the daemons of that release, counts it, and gives the subscriber who dials anew a dialogue', async () => {
    const { asked, answer, find, drop, overdue, begin } = dialogueFixture(await open())
    await asked()
    const [key] = await recordKeys()
    const newer = `5${(await client.get(key!))!.slice(1).replace(' ', '-later ')} and more`
    await client.set(key!, newer, 'KEEPTTL')
    const isNewer = (error: unknown) =>
      error instanceof StoreError && error.code === 'newer' && /replace this daemon/.test(error.message)
    for (const call of [answer, find, drop]) await assert.rejects(() => call(), isNewer)
    assert.deepEqual(await overdue(T0 + LIMITS.totalMs), [])
    assert.deepEqual(faults, ['newer', 'newer', 'newer', 'newer'])
    assert.equal(await client.get(key!), newer)
    expectIs(await begin(), 'opened')
    assert.equal((await client.keys(`${place.prefix}:{b*}:q:*`)).length, 1, 'kept for whoever wants to look')
  })
  it('opens a new dialogue over what does not read', async () => {
    const { asked, begin, overdue } = dialogueFixture(await open())
    await asked()
    await client.set((await recordKeys())[0]!, 'garbage')
    assert.equal(expectIs(await begin(), 'opened').previous, null)
    assert.deepEqual(faults, ['corrupt'])
    await client.set((await recordKeys())[0]!, 'garbage')
    assert.deepEqual(await overdue(T0 + LEASE_MS), [])
    assert.deepEqual(await overdue(T0 + LIMITS.totalMs), [], 'and it is not due again')
  })
  it('puts aside a record whose snapshot does not read', async () => {
    const store = await open()
    const { asked, find } = dialogueFixture(store)
    await asked()
    const [key] = await recordKeys()
    await client.append(key!, '}')
    await assert.rejects(
      () => find(),
      (error) => error instanceof StoreError && error.code === 'corrupt',
    )
    assert.equal(await find(), null)
    assert.equal(await store.count(), 0)
  })
  it('takes a deadline out of the index whose record is gone', async () => {
    const store = await open()
    const { asked, overdue } = dialogueFixture(store)
    await asked()
    await client.del((await recordKeys())[0]!)
    assert.equal(await store.count(), 1)
    assert.deepEqual(await overdue(T0 + LIMITS.confirmMs), [])
    assert.equal(await store.count(), 0)
  })
  it('leaves nothing in Redis for ever', async () => {
    const { asked, taken, drop } = dialogueFixture(await open())
    await asked({ msisdn: '1' })
    await taken({ msisdn: '2' })
    await asked({ msisdn: '3' }, { ended: 'completed' })
    await asked({ msisdn: '4' })
    await drop({}, { msisdn: '4' })
    const byMsisdn = (await recordKeys()).toSorted((a, b) => (a.slice(-1) < b.slice(-1) ? -1 : 1))
    const ttls = await Promise.all(byMsisdn.map((key) => client.pttl(key)))
    assert.equal(ttls.length, 4)
    assert.ok(
      ttls.every((ms) => ms > 0),
      String(ttls),
    )
    assert.ok(ttls[2]! <= LIMITS.tombstoneMs)
    assert.ok(ttls[3]! > LIMITS.tombstoneMs && ttls[3]! <= LIMITS.resumeMs)
  })
  it('keeps a resting dialogue of 600 octets in 1.2 KB, its deadline included', async () => {
    const { asked } = dialogueFixture(await open())
    const pad = 'x'.repeat(600 - JSON.stringify({ value: 'main', context: { pad: '' } }).length)
    const text = 'Welcome to Akiba Dental Clinic\n1. Book a visit\n2. My visits\n3. Change language\n0. Exit'
    for (let n = 0; n < 2_000; n++) {
      const epoch = `01968a2e-7c00-7abc-8000-${String(n).padStart(12, '0')}`
      const snapshot = { value: 'main', context: { pad } }
      const msisdn = `675700${10_000 + n}`
      // A token as it is minted: nine octets.
      await asked({ msisdn, epoch, path: { from: [1, 1, msisdn] } }, { token: `token--${10_000 + n}`, text, snapshot })
    }
    const [key] = await recordKeys()
    const octets = (await client.memory('USAGE', key!, 'SAMPLES', 0))!
    assert.ok(octets <= 1_100, `${octets} octets a record`)
    const indexes = await client.keys(`${place.prefix}:{b*}:deadlines`)
    const sizes = await Promise.all(indexes.map((one) => client.memory('USAGE', one, 'SAMPLES', 0)))
    const index = sizes.reduce((sum: number, one) => sum + one!, 0)
    assert.ok(octets + index / 2_000 <= 1_228, `${octets + index / 2_000} octets a dialogue`)
  })
})

describe('the connection to a Redis that is away', () => {
  it('is tried again at least twice a second, however long that lasts: dialogues go on within a second of its return', () => {
    const longest = Math.max(...Array.from({ length: 1_000 }, (_, n) => REDIS_OPTIONS.retryStrategy(n + 1)))
    assert.ok(longest <= 500, `${longest} ms`)
  })
})

describe('the dialogue store on a Redis that will not', () => {
  it('treats a read-only replica as down', async function () {
    const replica = await ownRedis('--replicaof', '127.0.0.1', '1', '--replica-serve-stale-data', 'yes')
    if (!replica) return this.skip()
    const store = await redisDialogues({ servers: { url: `redis://127.0.0.1:${replica.port}` }, limits: LIMITS })
    try {
      await assert.rejects(
        () => store.check(),
        (error: Error) => isDown(error) && error.message.includes('READONLY'),
      )
      await until(
        () =>
          dialogueFixture(store)
            .find()
            .then(
              () => true,
              () => false,
            ),
        'it does not reconnect',
      )
      await assert.rejects(
        () => dialogueFixture(store).begin(),
        (error: Error) => isDown(error) && error.message.includes('READONLY'),
      )
      await until(
        () =>
          dialogueFixture(store)
            .find()
            .then(
              () => true,
              () => false,
            ),
        'it does not reconnect',
      )
    } finally {
      await store.close()
      await replica.stop()
    }
  })
  it('erases a subscriber all the same where it stands still for more than half a second', async function () {
    const server = await ownRedis()
    if (!server) return this.skip()
    const url = `redis://127.0.0.1:${server.port}`
    const store = await redisDialogues({ servers: { url }, limits: LIMITS })
    const other = new Redis(url)
    try {
      const { asked, find } = dialogueFixture(store)
      await asked()
      await asked({ msisdn: '2' })
      await other.client('PAUSE', 900, 'ALL')
      assert.equal(await store.erase('2'), 1)
      assert.equal(await find({ msisdn: '2' }), null)
      assert.equal((await find())?.status, 'resting')
    } finally {
      other.disconnect()
      await store.close()
      await server.stop()
    }
  })
  it('is down to its check, too, while it takes nothing: full, without the replicas that it wants, or forbidden', async function () {
    const server = await ownRedis()
    if (!server) return this.skip()
    const url = `redis://127.0.0.1:${server.port}`
    const client = new Redis(url)
    const store = await redisDialogues({ servers: { url }, limits: LIMITS })
    const refusals: [string, () => Promise<unknown>, () => Promise<unknown>][] = [
      ['OOM', () => client.config('SET', 'maxmemory', '1'), () => client.config('SET', 'maxmemory', '0')],
      [
        'NOREPLICAS',
        () => client.config('SET', 'min-replicas-to-write', '1'),
        () => client.config('SET', 'min-replicas-to-write', '0'),
      ],
      ['NOPERM', () => client.acl('SETUSER', 'default', '-set'), () => client.acl('SETUSER', 'default', '+@all')],
    ]
    try {
      for (const [why, refuse, allow] of refusals) {
        await refuse()
        await assert.rejects(
          () => store.check(),
          (error: Error) => isDown(error) && error.message.includes(why),
        )
        await allow()
        assert.deepEqual((await store.check()).notes, ['appendonly is off: a restart of Redis loses open dialogues'])
      }
      assert.deepEqual(await client.keys('*'), [], 'looking leaves nothing behind')
    } finally {
      client.disconnect()
      await store.close()
      await server.stop()
    }
  })
  it('is durable with a journal and no eviction, and says which settings are not told', async function () {
    const server = await ownRedis('--appendonly', 'yes', '--appendfsync', 'everysec')
    if (!server) return this.skip()
    const url = `redis://127.0.0.1:${server.port}`
    const client = new Redis(url)
    const store = await redisDialogues({ servers: { url }, limits: LIMITS })
    try {
      assert.deepEqual(await store.check(), { durable: true, notes: [] })
      await client.config('SET', 'maxmemory-policy', 'allkeys-lru')
      assert.deepEqual((await store.check()).notes, [
        'maxmemory-policy is allkeys-lru: Redis may drop open dialogues when it is full',
      ])
      await client.acl('SETUSER', 'default', '-config')
      const refused = await store.check()
      assert.equal(refused.durable, false)
      assert.match(refused.notes[0]!, /CONFIG GET is refused/)
    } finally {
      client.disconnect()
      await store.close()
      await server.stop()
    }
  })
})
