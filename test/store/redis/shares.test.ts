import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Redis } from 'ioredis'
import type { LineShares, ShareAsk, ShareGrant } from '../../../src/smpp/session/index.ts'
import { redisShares, SHARE_MS } from '../../../src/store/redis/shares.ts'
import { REDIS_OPTIONS } from '../../../src/store/redis/servers.ts'
import { describeWith, services, until } from '../../support/services.ts'

let serial = 0

/** A daemon as the store sees it: it asks, and says what it holds. */
interface Asking {
  hold: number
  ask(more?: Partial<ShareAsk>): Promise<ShareGrant>
}

describeWith(['redis'], 'the caps of lines, divided in Redis', () => {
  let client: Redis
  let prefix: string
  let nowMs: number

  before(async () => {
    client = new Redis(services.redisUrl!, { ...REDIS_OPTIONS, lazyConnect: true })
    await client.connect()
  })
  after(() => client?.quit())
  beforeEach(() => {
    prefix = `caps${process.pid}-${++serial}`
    nowMs = 1_700_000_000_000
  })
  afterEach(async () => {
    const keys = await client.keys(`${prefix}:*`)
    if (keys.length > 0) await client.del(keys)
  })

  const sharesOf = (instance: string, more: object = { nowMs: () => nowMs }): LineShares =>
    redisShares({ client, prefix, instance, ...more })

  function daemon(name: string, usual: Partial<ShareAsk> = {}): Asking {
    const shares = sharesOf(name)
    let asks = 0
    const one: Asking = {
      hold: 0,
      async ask(more = {}) {
        const said: ShareAsk = {
          line: 'digicel',
          serial: ++asks,
          cap: 100,
          kept: 10,
          hold: one.hold,
          wants: { ussd: 0, sms: 0 },
          ...usual,
          ...more,
        }
        const [granted] = await shares.ask([said])
        assert.ok(granted, 'an answer')
        one.hold = granted.total
        return granted
      },
    }
    return one
  }
  const busy = { wants: { ussd: 0, sms: 100 } }

  it('give one daemon all but what is kept for one that comes, and that one its part at once', async () => {
    const [a, b] = [daemon('a', busy), daemon('b', { wants: { ussd: 1, sms: 0 } })]
    assert.deepEqual(await a.ask(), { total: 95, kept: 5, cap: 100, floor: 5, daemons: 1 })
    assert.deepEqual(await b.ask(), { total: 3, kept: 2, cap: 100, floor: 3, daemons: 2 })
  })

  it('give the whole cap to one whose replies need it', async () => {
    assert.deepEqual(await daemon('a').ask({ wants: { ussd: 100, sms: 100 } }), {
      total: 100,
      kept: 10,
      cap: 100,
      floor: 5,
      daemons: 1,
    })
  })

  it('divide it by what each wants: equal parts, and what one does not want goes to the other', async () => {
    const [a, b] = [daemon('a', busy), daemon('b', { wants: { ussd: 0, sms: 20 } })]
    await b.ask()
    for (let n = 0; n < 3; n++) {
      await a.ask()
      await b.ask()
    }
    assert.deepEqual([a.hold, b.hold], [73, 23])
    for (let n = 0; n < 3; n++) {
      await b.ask(busy)
      await a.ask()
    }
    assert.ok(Math.abs(a.hold - b.hold) <= 1 && a.hold + b.hold >= 95 && a.hold + b.hold <= 97)
  })

  it('give replies before SMS', async () => {
    const [a, b] = [daemon('a', busy), daemon('b', { wants: { ussd: 80, sms: 0 } })]
    for (let n = 0; n < 3; n++) {
      await a.ask()
      await b.ask()
    }
    assert.ok(b.hold >= 80 && a.hold >= 15, `${a.hold} ${b.hold}`)
  })

  it('give nothing that another still holds: not before it says that it has less', async () => {
    const [a, b] = [daemon('a', busy), daemon('b', busy)]
    await a.ask()
    assert.equal((await b.ask()).total, 5)
    const less = await a.ask({ hold: 95 })
    assert.ok(less.total < 50)
    assert.equal((await b.ask()).total, 5, 'it may not have heard of it yet')
    await a.ask({ hold: 60 })
    assert.equal((await b.ask()).total, 40)
    await a.ask({ hold: less.total })
    assert.ok((await b.ask()).total > 45)
  })

  it('give what a dead daemon had when its share has ended, by the time of the store', async () => {
    const [a, b] = [daemon('a', busy), daemon('b', busy)]
    await a.ask()
    await b.ask()
    nowMs += SHARE_MS - 1
    assert.equal((await b.ask()).total, 5)
    nowMs += 1
    assert.equal((await b.ask()).total, 95)
  })

  it('take a share back, and let what was written count for a second longer', async () => {
    const [a, b] = [daemon('a', busy), daemon('b', busy)]
    await a.ask()
    await a.ask({ wants: null, hold: 30 })
    assert.deepEqual([(await b.ask()).total, (await b.ask()).daemons], [70, 1])
    nowMs += 1_100
    assert.equal((await b.ask()).total, 95)
    await b.ask({ wants: null, hold: 0 })
    assert.deepEqual(await client.keys(`${prefix}:*`), [])
  })

  it('take the smallest of the caps that daemons have, and say it', async () => {
    const [a, b] = [daemon('a', busy), daemon('b', { ...busy, cap: 40, kept: 4 })]
    await a.ask({ wants: { ussd: 0, sms: 10 } })
    assert.equal((await b.ask()).cap, 40)
    const told = await a.ask()
    assert.deepEqual([told.cap, told.total <= 40], [40, true])
    for (let n = 0; n < 3; n++) {
      await a.ask()
      await b.ask()
    }
    assert.ok(a.hold + b.hold <= 40 && a.hold + b.hold >= 36)
  })

  it('take turns where there are more daemons than a second has requests', async () => {
    const all = ['a', 'b', 'c'].map((name) => daemon(name, { cap: 2, kept: 1, wants: { ussd: 2, sms: 2 } }))
    const had = new Set<number>()
    for (let n = 0; n < 60; n++) {
      for (const [i, one] of all.entries()) if ((await one.ask()).total > 0) had.add(i)
      assert.ok(all.reduce((sum, { hold }) => sum + hold, 0) <= 2)
      nowMs += 1_000
    }
    assert.deepEqual([...had].toSorted(), [0, 1, 2])
  })

  it('give no more than it held to a daemon that the store has forgotten', async () => {
    const [a, b] = [daemon('a', busy), daemon('b', busy)]
    await a.ask({ wants: { ussd: 0, sms: 40 } })
    await b.ask()
    await client.del(`${prefix}:{cap:digicel}`)
    const [beforeA, beforeB] = [a.hold, b.hold]
    assert.ok((await b.ask()).total <= beforeB)
    assert.ok((await a.ask()).total <= beforeA)
  })

  it('leave a late ask of the same daemon alone', async () => {
    const shares = sharesOf('a')
    const said: ShareAsk = { line: 'x', serial: 5, cap: 10, kept: 1, hold: 0, wants: { ussd: 0, sms: 10 } }
    const [first] = await shares.ask([said])
    assert.equal(first?.total, 10)
    assert.deepEqual(
      await shares.ask([
        { ...said, serial: 4 },
        { ...said, serial: 5 },
      ]),
      [null, null],
    )
  })

  it('are asked for all lines in one command, each line for itself', async () => {
    const said = (line: string, cap: number): ShareAsk => ({
      line,
      serial: 1,
      cap,
      kept: 0,
      hold: 0,
      wants: { ussd: 0, sms: cap },
    })
    // Not for the first time: the script is known.
    await sharesOf('b').ask([said('west', 5)])
    const seen: string[][] = []
    const monitor = await client.monitor()
    monitor.on('monitor', (_time: string, words: string[]) => void seen.push(words))
    const all = await sharesOf('a').ask([said('north', 10), said('south', 20)])
    assert.deepEqual(
      all.map((one) => one?.total),
      [10, 20],
    )
    await client.exists(`${prefix}:over`)
    await until(() => seen.some((words) => words.includes(`${prefix}:over`)), 'not seen')
    monitor.disconnect()
    const asked = seen.filter((words) => words.includes(`${prefix}:{cap:north}`) && /^eval/i.test(words[0]!))
    assert.deepEqual([asked.length, asked[0]!.includes(`${prefix}:{cap:south}`)], [1, true])
  })

  it('are null while Redis does not answer', async () => {
    const gone = new Redis(services.redisUrl!, { ...REDIS_OPTIONS, lazyConnect: true })
    gone.on('error', () => undefined)
    const shares = redisShares({ client: gone, prefix, instance: 'a' })
    const said: ShareAsk = { line: 'x', serial: 1, cap: 10, kept: 1, hold: 0, wants: { ussd: 0, sms: 10 } }
    gone.disconnect()
    assert.deepEqual(await shares.ask([said, { ...said, line: 'y' }]), [null, null])
  })

  it('go by the time of Redis itself', async () => {
    const shares = sharesOf('a', {})
    const [granted] = await shares.ask([
      { line: 'x', serial: 1, cap: 10, kept: 1, hold: 0, wants: { ussd: 0, sms: 10 } },
    ])
    const [seconds] = await client.time()
    const [till] = (await client.hget(`${prefix}:{cap:x}`, 'a'))!.split(' ')
    assert.ok(Math.abs(Number(till) - Number(seconds) * 1_000 - SHARE_MS) <= 2_000)
    assert.ok(granted)
    assert.ok((await client.pttl(`${prefix}:{cap:x}`)) > 0)
  })

  it('are never more than the cap together, whoever asks, leaves, dies or hears nothing', async () => {
    const step = fc.record({
      who: fc.integer({ min: 0, max: 3 }),
      ussd: fc.integer({ min: 0, max: 60 }),
      sms: fc.integer({ min: 0, max: 60 }),
      what: fc.constantFrom('asks', 'asks', 'asks', 'leaves', 'hears nothing', 'dies'),
      ms: fc.integer({ min: 0, max: 1_500 }),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 50 }),
        fc.array(step, { minLength: 5, maxLength: 40 }),
        async (cap, steps) => {
          const id = ++serial
          /** What each may write a second, until when; and what it may have written within the last. */
          const daemons = [0, 1, 2, 3].map(() => ({ share: 0, untilMs: 0, asks: 0, wrote: [] as [number, number][] }))
          const heldBy = ({ share, untilMs, wrote }: (typeof daemons)[number]) =>
            Math.max(
              untilMs > nowMs - 1_000 ? share : 0,
              ...wrote.filter(([, at]) => at > nowMs - 1_000).map(([n]) => n),
            )
          for (const { who, ussd, sms, what, ms } of steps) {
            nowMs += ms
            const one = daemons[who]!
            const hold = heldBy(one)
            const wants = what === 'leaves' ? null : { ussd, sms }
            const asked = { line: `p${id}`, serial: ++one.asks, cap, kept: Math.min(cap - 1, 3), hold, wants }
            if (what === 'dies') Object.assign(one, { untilMs: Math.min(one.untilMs, nowMs) })
            else {
              const [granted] = await sharesOf(`d${who}`).ask([asked])
              // The last moment of the former share.
              if (one.untilMs > nowMs) one.wrote.push([one.share, nowMs])
              if (what === 'leaves') Object.assign(one, { share: 0, untilMs: 0 })
              if (what === 'asks') Object.assign(one, { share: granted!.total, untilMs: nowMs + SHARE_MS - 1_000 })
            }
            const sum = daemons.reduce((all, each) => all + heldBy(each), 0)
            assert.ok(sum <= cap, `${sum} of ${cap}`)
          }
        },
      ),
      { numRuns: 60 },
    )
  })
})
