import assert from 'node:assert/strict'
import { Redis } from 'ioredis'
import { silentLog } from '../../../src/base/log/port.ts'
import { createMetrics } from '../../../src/base/metrics.ts'
import { parseSettings } from '../../../src/config/load.ts'
import { createLines, type Lines } from '../../../src/daemon/lines/lines.ts'
import type { LineShares } from '../../../src/smpp/session/index.ts'
import { REDIS_OPTIONS } from '../../../src/store/redis/servers.ts'
import { redisShares, SHARE_MS } from '../../../src/store/redis/shares.ts'
import { fakeClock, type FakeClock } from '../../support/clock.ts'
import { startPeer, type Peer } from '../../support/peer.ts'
import { describeWith, services, until } from '../../support/services.ts'
import { mostInSecond, submit } from '../../smpp/support.ts'

const CAP = 60
/** Below the 20 ms by which the network may bring two requests nearer to each other. */
const STEP_MS = 10
const HOUR = 3_600_000

interface Arrival {
  what: string
  atMs: number
}

/** One of several daemons of a line: its line, and what it has to send. */
interface Sending {
  lines: Lines
  /** Keeps so many SMS waiting. */
  keep: number
  send(what: string, more?: { urgency?: number; lane?: 'ussd' | 'sms' }): void
  /** It has nothing under way: neither on the wire nor to the store. */
  isSettled(): boolean
  kill(): void
}

/**
 * Several daemons of one line on a real Redis, over real connections to one SMSC, which counts by the second. Time is
 * virtual: it goes on when all that was sent has arrived.
 */
describeWith(['redis'], 'daemons that share the cap of a line', function () {
  this.timeout(60_000)
  let client: Redis
  let clock: FakeClock
  let smsc: Peer
  let daemons: Sending[]
  let arrived: Arrival[]
  const prefix = `shared${process.pid}`

  beforeEach(async () => {
    client = new Redis(services.redisUrl!, { ...REDIS_OPTIONS, lazyConnect: true })
    client.on('error', () => undefined)
    await client.connect()
    clock = fakeClock()
    arrived = []
    daemons = []
    smsc = await startPeer({
      onSubmit(pdu, connection) {
        const what = /<(\w+)>/.exec(pdu.body.toString('latin1'))![1]!
        arrived.push({ what, atMs: clock.now() })
        return answer(pdu.sequence, connection.closed)
      },
    })
  })
  afterEach(async () => {
    for (const one of daemons) one.kill()
    await smsc.stop()
    if (client.status !== 'ready') await client.connect()
    const keys = await client.keys(`${prefix}:*`)
    if (keys.length > 0) await client.del(keys)
    await client.quit()
  })

  function answer(sequence: number, isClosed: boolean): Buffer | undefined {
    if (isClosed) return undefined
    const octets = Buffer.alloc(17)
    octets.writeUInt32BE(17, 0)
    octets.writeUInt32BE(0x80000004, 4)
    octets.writeUInt32BE(sequence, 12)
    return octets
  }

  async function start(
    name: string,
    { ussdShare = 0.05, links = 2, line = 'digicel', account = '' } = {},
  ): Promise<Sending> {
    const { settings } = parseSettings(
      `
lines:
  - name: ${line}
    links: ${links}
    window: 50
    smsc: { host: 127.0.0.1, port: ${smsc.port}, systemId: ussd, password: secret }
    sms: { source: "123", perSecond: 1000 }
    submits: { perSecond: ${CAP}, ussdShare: ${ussdShare}${account && `, account: ${account}`} }
    timers: { enquireMs: 600000 }
services: [{ code: "*123#", flow: x }]
redis: embedded
postgres: embedded
`,
      'test',
      {},
    )
    const real = redisShares({ client, prefix, instance: name, nowMs: clock.now })
    const state = { asking: 0, out: 0, answered: 0, waiting: 0, isDead: false }
    const shares: LineShares = {
      async ask(asks) {
        if (state.isDead) return new Promise(() => undefined)
        state.asking++
        const answers = await real.ask(asks)
        state.asking--
        return answers
      },
    }
    const lines = createLines({
      settings,
      clock: { ...clock, after: (ms, run) => clock.after(ms, () => (state.isDead ? undefined : run())) },
      chance: Math.random,
      log: silentLog,
      metrics: createMetrics({ process: false }),
      instance: name,
      onRequest: async (pdu, _line, link) => link.respond(pdu, 0),
      onLate: async () => undefined,
      shares,
      tap(direction, octets) {
        const command = octets.readUInt32BE(4)
        if (direction === 'out' && command === 4) state.out++
        if (direction === 'in' && command === 0x80000004) state.answered++
      },
    })
    const one: Sending = {
      lines,
      keep: 0,
      send(what, { urgency, lane = 'sms' } = {}) {
        state.waiting++
        const options = { lane, deadline: clock.now() + HOUR, ...(urgency === undefined ? {} : { urgency }) }
        void lines
          .get(line)!
          .submit(submit(`<${what}>`), options)
          .then(() => {
            state.waiting--
            while (!state.isDead && state.waiting < one.keep) one.send(what)
          })
      },
      isSettled: () => state.isDead || (state.asking === 0 && state.answered === state.out),
      kill() {
        state.isDead = true
        void lines.stop(0, 0)
      },
    }
    daemons.push(one)
    lines.start()
    await until(() => lines.boundCount() === links, 'not bound')
    return one
  }

  const fill = (one: Sending, what: string, keep = 100) => {
    one.keep = keep
    while (keep-- > 0) one.send(what)
  }

  async function run(ms: number, each: (n: number) => void = () => undefined): Promise<Arrival[]> {
    const before = arrived.length
    for (let n = 0; n * STEP_MS < ms; n++) {
      each(n)
      await clock.advance(STEP_MS)
      for (let turns = 0; !daemons.every((one) => one.isSettled()); turns++) {
        if (turns > 100_000) throw new Error('something is under way for ever')
        await new Promise((done) => setImmediate(done))
      }
    }
    return arrived.slice(before)
  }
  /** No second has more: neither one that begins anywhere, nor one of the clock. */
  const within = (all: Arrival[]) => {
    const perSecond = new Map<number, number>()
    for (const second of all.map(({ atMs }) => Math.floor(atMs / 1_000)))
      perSecond.set(second, (perSecond.get(second) ?? 0) + 1)
    const [sliding, fixed] = [mostInSecond(all.map(({ atMs }) => atMs)), Math.max(...perSecond.values())]
    assert.ok(sliding <= CAP && fixed <= CAP, `${sliding} in a second, ${fixed} in one of the clock`)
  }
  const count = (all: Arrival[], what: string) => all.filter((one) => one.what === what).length

  it('never send more than it together, use nine tenths, and divide it equally', async () => {
    for (const name of ['a', 'b', 'c']) fill(await start(name), name)
    await run(4_000)
    const all = await run(10_000)
    within(arrived)
    assert.ok(all.length >= 0.9 * 10 * CAP, `${all.length}`)
    for (const name of ['a', 'b', 'c']) assert.ok(count(all, name) >= 0.25 * all.length, `${name} ${all.length}`)
  })

  it('give it to whom has work: the share follows, and no second has more meanwhile', async () => {
    const [a, b] = [await start('a'), await start('b')]
    fill(a, 'a')
    const alone = await run(5_000)
    assert.ok(alone.length >= 0.85 * 5 * CAP, `${alone.length}`)
    a.keep = 0
    fill(b, 'b')
    await run(6_000)
    const after = await run(5_000)
    assert.ok(count(after, 'b') >= 0.88 * 5 * CAP, `${count(after, 'b')}`)
    within(arrived)
  })

  it('never send more than it together where their lines have other names and one account', async () => {
    const a = await start('a', { line: 'screens', account: 'digicel' })
    const b = await start('b', { line: 'texts', account: 'digicel' })
    const c = await start('c')
    for (const [one, what] of [
      [a, 'a'],
      [b, 'b'],
      [c, 'c'],
    ] as const)
      fill(one, what)
    await run(4_000)
    const all = await run(10_000)
    within(arrived)
    for (const what of ['a', 'b', 'c']) assert.ok(count(all, what) >= 0.25 * all.length, `${what} ${all.length}`)
  })

  it('answer a dial at once where another daemon sends all that it may', async () => {
    const [a, b] = [await start('a'), await start('b')]
    fill(a, 'a')
    await run(5_000)
    b.send('dial', { lane: 'ussd' })
    await run(STEP_MS * 2)
    assert.equal(count(arrived, 'dial'), 1)
    within(arrived)
  })

  it('let replies go before SMS: each at once, while both daemons have thousands of SMS', async () => {
    const both = [await start('a'), await start('b')]
    for (const one of both) fill(one, 'sms', 500)
    await run(4_000)
    const sent: number[] = []
    const all = await run(10_000, (n) => {
      if (n % 20 !== 0) return
      both[(n / 20) % 2]!.send('reply', { lane: 'ussd' })
      sent.push(clock.now())
    })
    const waits = all.filter(({ what }) => what === 'reply').map(({ atMs }, n) => atMs - sent[n]!)
    assert.equal(waits.length, sent.length)
    assert.ok(Math.max(...waits) <= 100, `${Math.max(...waits)} ms`)
    assert.ok(all.length >= 0.9 * 10 * CAP, `${all.length}`)
    within(arrived)
  })

  it('let one-time passwords go before reminders, and those before campaigns', async () => {
    const a = await start('a', { links: 1 })
    for (let n = 0; n < 50; n++) a.send('campaign', { urgency: 3 })
    for (let n = 0; n < 50; n++) a.send('reminder', { urgency: 2 })
    await run(300)
    for (let n = 0; n < 20; n++) a.send('otp', { urgency: 0 })
    const before = arrived.length
    await run(4_000)
    const order = arrived.slice(before).map(({ what }) => what)
    assert.deepEqual(
      order.slice(0, 20),
      order.slice(0, 20).map(() => 'otp'),
    )
    assert.ok(order.lastIndexOf('reminder') < order.indexOf('campaign'))
  })

  it('take over what a killed one had, when its share has ended', async () => {
    const [a, b] = [await start('a'), await start('b')]
    fill(a, 'a')
    fill(b, 'b')
    await run(5_000)
    a.kill()
    await run(SHARE_MS + 2_000)
    const all = await run(5_000)
    assert.ok(count(all, 'b') >= 0.88 * 5 * CAP, `${count(all, 'b')}`)
    within(arrived)
  })

  it('take over at once, but for a second, what one had that stops in order', async () => {
    const [a, b] = [await start('a'), await start('b')]
    fill(a, 'a')
    fill(b, 'b')
    await run(5_000)
    a.keep = 0
    const stopped = a.lines.stop(clock.now(), clock.now() + 100)
    await run(3_000)
    await stopped
    const all = await run(3_000)
    assert.ok(count(all, 'b') >= 0.85 * 3 * CAP, `${count(all, 'b')}`)
    within(arrived)
  })

  it('go on with their last shares while Redis is away, and share again when it is back', async () => {
    const [a, b] = [await start('a'), await start('b')]
    fill(a, 'a')
    fill(b, 'b')
    await run(5_000)
    client.disconnect()
    const all = await run(15_000)
    within(arrived)
    assert.ok(all.length >= 0.9 * 15 * CAP, `${all.length}`)
    assert.ok([...a.lines.caps().values(), ...b.lines.caps().values()].every(({ isAway }) => isAway))
    await client.connect()
    a.keep = 0
    await run(6_000)
    const after = await run(4_000)
    within(arrived)
    assert.ok(count(after, 'b') >= 0.85 * 4 * CAP, `${count(after, 'b')}`)
  })

  it('never send more than it, whoever comes, goes, has work or stands still', async () => {
    const all = [await start('a'), await start('b'), await start('c')]
    for (const [n, one] of [...all, ...all].entries()) {
      const other = all[(n + 1) % all.length]!
      fill(one, 'sms', 200)
      await run(1_700, (at) => {
        if (at % 7 === 0) other.send('reply', { lane: 'ussd' })
        if (at % 50 === 0) for (let burst = 0; burst < 40; burst++) other.send('reply', { lane: 'ussd' })
      })
      one.keep = 0
      // Nobody's timers run: all wake at once, after their shares have ended or nearly so.
      clock.set(n * 700)
    }
    await run(3_000)
    within(arrived)
  })
})
