import assert from 'node:assert/strict'
import fc from 'fast-check'
import { LineCap, type CapSettings, type CapWaiter, type ShareGrant } from '../../../src/smpp/session/cap.ts'
import type { Lane } from '../../../src/smpp/types.ts'
import { fakeClock, type FakeClock } from '../../support/clock.ts'
import { mostInSecond } from '../support.ts'

/** What a window does with a cap, and nothing else: requests of two lanes, written as soon as the cap allows. */
class Sender implements CapWaiter {
  readonly written: { lane: Lane; atMs: number; waitedMs: number }[] = []
  readonly #queue: Record<Lane, number[]> = { ussd: [], sms: [] }
  readonly #cap: LineCap
  readonly #clock: FakeClock

  constructor(cap: LineCap, clock: FakeClock) {
    this.#cap = cap
    this.#clock = clock
  }

  offer(lane: Lane, count = 1): void {
    for (let n = 0; n < count; n++) this.#queue[lane].push(this.#clock.now())
    this.pump()
  }

  waiting(lane: Lane): number {
    return this.#queue[lane].length
  }

  pump(): void {
    this.#cap.leave(this)
    for (const lane of ['ussd', 'sms'] as const) {
      while (this.#queue[lane].length > 0 && this.#cap.may(lane, this)) {
        const waitedMs = this.#clock.now() - this.#queue[lane].shift()!
        this.#cap.spend(lane, lane, waitedMs)
        this.written.push({ lane, atMs: this.#clock.now(), waitedMs })
      }
    }
  }

  of(lane: Lane) {
    return this.written.filter((one) => one.lane === lane)
  }
}

function capOf(perSecond: number, { ussdShare = 0.1, shared = false }: { ussdShare?: number; shared?: boolean } = {}) {
  const clock = fakeClock()
  const counts: Record<string, number> = {}
  let wanted = 0
  const cap = new LineCap(
    { perSecond, ussdShare },
    {
      clock,
      count: (name, labels, by = 1) => {
        const key = `${name} ${Object.values(labels).join(' ')}`
        counts[key] = (counts[key] ?? 0) + by
      },
      ...(shared ? { wanted: () => void wanted++ } : {}),
    },
  )
  const sender = new Sender(cap, clock)
  return { clock, cap, sender, counts, wanted: () => wanted }
}

const grant = (total: number, more: Partial<ShareGrant> = {}): ShareGrant => ({
  total,
  kept: 0,
  cap: 100,
  floor: 2,
  daemons: 1,
  ...more,
})

describe('the cap of a line', () => {
  it('lets no second have more, wherever it begins, whatever is to be sent', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 60 }),
        fc.constantFrom(0, 0.05, 0.5),
        fc.array(
          fc.record({
            ms: fc.integer({ min: 0, max: 900 }),
            ussd: fc.integer({ min: 0, max: 30 }),
            sms: fc.integer({ min: 0, max: 80 }),
          }),
          { minLength: 1, maxLength: 12 },
        ),
        async (perSecond, ussdShare, all) => {
          const { clock, sender } = capOf(perSecond, { ussdShare })
          for (const { ms, ussd, sms } of all) {
            sender.offer('sms', sms)
            sender.offer('ussd', ussd)
            await clock.advance(ms)
          }
          assert.ok(mostInSecond(sender.written.map(({ atMs }) => atMs)) <= perSecond)
        },
      ),
      { numRuns: 30 },
    )
  })

  it('uses nine tenths and more of what it allows', async () => {
    for (const perSecond of [10, 100, 1_000]) {
      const { clock, sender } = capOf(perSecond, { ussdShare: 0 })
      sender.offer('sms', perSecond * 30)
      await clock.advance(20_000)
      const used = sender.written.length / 20 / perSecond
      assert.ok(used >= 0.9 && used <= 1, `${perSecond}: ${used}`)
    }
  })

  it('lets replies go at once, and spreads SMS over the second', async () => {
    const { clock, sender } = capOf(100)
    sender.offer('ussd', 60)
    assert.equal(sender.written.length, 60)
    await clock.advance(5_000)
    sender.offer('sms', 500)
    await clock.advance(2_000)
    const perTenth = Array.from({ length: 20 }, (_, n) => {
      const fromMs = clock.now() - 2_000 + n * 100
      return sender.of('sms').filter(({ atMs }) => atMs > fromMs && atMs <= fromMs + 100).length
    })
    assert.ok(Math.max(...perTenth) <= 20, perTenth.join(' '))
  })

  it('keeps the last of a second for replies: SMS do not take them', async () => {
    const { clock, sender } = capOf(100, { ussdShare: 0.1 })
    sender.offer('sms', 1_000)
    for (let n = 0; n < 30; n++) {
      await clock.advance(1_003)
      sender.offer('ussd', 10)
    }
    assert.deepEqual([...new Set(sender.of('ussd').map(({ waitedMs }) => waitedMs))], [0])
  })

  it('lets replies go before SMS, also of another link', async () => {
    const { clock, cap, sender, counts } = capOf(10, { ussdShare: 0 })
    const other = new Sender(cap, clock)
    other.offer('sms', 40)
    await clock.advance(2_000)
    sender.offer('ussd', 15)
    const before = other.written.length
    await clock.advance(900)
    assert.ok(sender.written.length >= 8)
    assert.equal(other.written.length, before)
    await clock.advance(2_000)
    assert.equal(sender.written.length, 15)
    assert.ok(other.written.length > before)
    assert.equal(counts['smpp_cap_used ussd'], 15)
    assert.ok(counts['smpp_cap_waits ussd']! >= 5 && counts['smpp_cap_wait_seconds ussd']! > 0)
  })

  it('lets no SMS go while a reply waits, though there is room by now: its timer is late', async () => {
    const { clock, cap, sender } = capOf(1, { ussdShare: 0 })
    const other = new Sender(cap, clock)
    sender.offer('ussd', 2)
    clock.set(1_100)
    other.offer('sms')
    assert.deepEqual([sender.written.length, other.written.length], [1, 0])
    await clock.advance(1_100)
    assert.deepEqual([sender.written.length, other.written.length], [2, 0])
    await clock.advance(1_100)
    assert.equal(other.written.length, 1)
  })

  it('lets SMS go when the reply that held them back waits no longer', async () => {
    const { clock, cap, sender } = capOf(1, { ussdShare: 0 })
    const other = new Sender(cap, clock)
    sender.offer('ussd', 2)
    other.offer('sms', 1)
    cap.leave(sender)
    await clock.advance(1_100)
    assert.equal(other.written.length, 1)
  })

  it('of one a second leaves SMS their turn', async () => {
    const { clock, sender } = capOf(1)
    sender.offer('sms', 3)
    await clock.advance(3_500)
    assert.equal(sender.of('sms').length, 3)
  })

  it('predicts how long a reply waits', async () => {
    const { clock, cap, sender } = capOf(10, { ussdShare: 0 })
    assert.equal(cap.waitMs(9), 0)
    assert.equal(Math.round(cap.waitMs(19)), 1_030)
    sender.offer('ussd', 30)
    const predicted = cap.waitMs(0)
    sender.offer('ussd')
    await clock.advance(10_000)
    const last = sender.written.at(-1)!
    assert.ok(Math.abs(last.waitedMs - predicted) <= 1_030, `${last.waitedMs} for ${predicted}`)
    assert.ok(cap.waitMs(1_000) > 90_000)
  })

  it('has room for as many SMS as leave within a second', () => {
    assert.equal(capOf(100, { ussdShare: 0.1 }).cap.smsRoom(), 90)
    assert.equal(capOf(1).cap.smsRoom(), 1)
  })

  it('changes with the settings, at once', async () => {
    const { clock, cap, sender } = capOf(10, { ussdShare: 0 })
    sender.offer('ussd', 100)
    const settings: CapSettings = { perSecond: 40, ussdShare: 0 }
    cap.change(settings)
    assert.equal(sender.written.length, 40)
    cap.change({ ...settings, perSecond: 5 })
    await clock.advance(10_000)
    assert.ok(sender.written.length <= 40 + 5 * 10 && sender.written.length > 40 + 5 * 8)
    assert.equal(cap.perSecond(), 5)
  })
})

describe('a share of the cap of a line', () => {
  it('is asked for by the first request, which leaves when it is given', () => {
    const { cap, sender, wanted } = capOf(100, { shared: true })
    assert.deepEqual([cap.isActive(), cap.isWanting(), wanted()], [false, false, 0])
    sender.offer('ussd', 3)
    assert.deepEqual([cap.isWanting(), wanted(), sender.written.length], [true, 1, 0])
    const asked = cap.ask(false)
    assert.deepEqual(asked, { cap: 100, kept: 10, hold: 0, wants: { ussd: 4, sms: 0 } })
    cap.granted(grant(50), cap.now())
    assert.deepEqual([sender.written.length, cap.share(), cap.used()], [3, 50, 3])
  })

  it('is all that is written in a second', async () => {
    const { clock, cap, sender } = capOf(100, { shared: true })
    sender.offer('sms', 500)
    for (let n = 0; n < 8; n++) {
      cap.granted(grant(20), cap.now())
      await clock.advance(1_000)
    }
    assert.ok(mostInSecond(sender.written.map(({ atMs }) => atMs)) <= 20)
    assert.ok(sender.written.length >= 0.9 * 8 * 20)
  })

  it('ends by itself: what stood still for two seconds asks first', async () => {
    const { clock, cap, sender, wanted } = capOf(100, { shared: true })
    cap.granted(grant(50), cap.now())
    await clock.advance(1_999)
    sender.offer('ussd')
    await clock.advance(1)
    sender.offer('ussd')
    assert.deepEqual([sender.written.length, cap.share(), wanted()], [1, 0, 1])
    assert.equal(cap.ask(false).hold, 1, 'only what was written still counts')
  })

  it('says what it holds until it hears: the share, or what was written lately', async () => {
    const { clock, cap, sender } = capOf(100, { shared: true })
    cap.granted(grant(50), cap.now())
    sender.offer('ussd', 40)
    assert.equal(cap.ask(false).hold, 50)
    cap.granted(grant(10), cap.now())
    assert.equal(cap.ask(false).hold, 40)
    await clock.advance(1_100)
    assert.equal(cap.ask(false).hold, 10)
  })

  it('wants twice of what was used and too little, what waits besides, and never more than the cap', async () => {
    const { clock, cap, sender } = capOf(100, { shared: true })
    cap.granted(grant(10), cap.now())
    sender.offer('sms', 30)
    await clock.advance(900)
    assert.equal(cap.isShort(), true)
    const used = sender.written.length
    assert.deepEqual(cap.ask(false).wants, { ussd: 0, sms: 2 * used + 30 - used + 1 })
    assert.equal(cap.isShort(), false, 'not since then')
    sender.offer('sms', 500)
    assert.equal(cap.ask(false).wants?.sms, 100)
  })

  it('is the last one while the store is away, for as long as that lasts, never more', async () => {
    const { clock, cap, sender } = capOf(100, { shared: true })
    cap.granted(grant(30), cap.now())
    cap.keep()
    sender.offer('sms', 2_000)
    await clock.advance(20_000)
    assert.ok(mostInSecond(sender.written.map(({ atMs }) => atMs)) <= 30)
    assert.ok(sender.written.length >= 0.9 * 20 * 30)
  })

  it('is what a daemon is given at once, where the store is away and there was none', async () => {
    const { clock, cap, sender } = capOf(100, { shared: true })
    sender.offer('ussd', 20)
    cap.keep()
    await clock.advance(2_000)
    // Of the kept share of ten: one for this daemon, one for another that comes.
    assert.ok(mostInSecond(sender.written.map(({ atMs }) => atMs)) <= 5 && sender.written.length >= 9)
  })

  it('is given back after ten quiet seconds; if that fails, it is kept', async () => {
    const { clock, cap, sender, wanted } = capOf(100, { shared: true })
    cap.granted(grant(50), cap.now())
    sender.offer('ussd')
    await clock.advance(10_000)
    assert.equal(cap.isQuiet(), false)
    await clock.advance(1)
    assert.equal(cap.isQuiet(), true)
    assert.deepEqual(cap.ask(false), { cap: 100, kept: 10, hold: 0, wants: null })
    cap.keep()
    assert.equal(cap.share(), 50)
    cap.ask(false)
    cap.rest()
    assert.equal(cap.isActive(), false)
    sender.offer('ussd')
    assert.equal(wanted(), 1)
  })

  it('is given back when the daemon leaves, but what it wrote counts for a second', () => {
    const { cap, sender } = capOf(100, { shared: true })
    cap.granted(grant(50), cap.now())
    sender.offer('ussd', 7)
    assert.deepEqual(cap.ask(true), { cap: 100, kept: 10, hold: 7, wants: null })
    assert.equal(cap.share(), 0)
  })

  it('leaves the last of it to replies', async () => {
    const { clock, cap, sender } = capOf(100, { shared: true })
    cap.granted(grant(20, { kept: 5 }), cap.now())
    sender.offer('sms', 100)
    await clock.advance(1_500)
    assert.ok(cap.used() <= 15)
    sender.offer('ussd', 5)
    assert.equal(sender.of('ussd').length, 5)
  })

  it('is smaller at once with a smaller cap, and none of it is only for replies where it is one', () => {
    const { cap } = capOf(100, { shared: true })
    cap.granted(grant(50, { kept: 10 }), cap.now())
    cap.change({ perSecond: 1, ussdShare: 0.1 })
    assert.deepEqual([cap.share(), cap.smsRoom()], [1, 1])
  })

  it('is wished for by what each lane used, and a quarter more', () => {
    const { cap, sender } = capOf(100, { shared: true })
    cap.granted(grant(50), cap.now())
    sender.offer('ussd', 4)
    sender.offer('sms')
    assert.deepEqual(cap.ask(false).wants, { ussd: 6, sms: 3 })
  })

  it('is not there before it is given, also where the settings change meanwhile', () => {
    const { cap, sender } = capOf(10, { shared: true, ussdShare: 0.05 })
    sender.offer('ussd')
    cap.change({ perSecond: 20, ussdShare: 0.05 })
    assert.deepEqual([cap.share(), sender.written.length], [0, 0])
    assert.deepEqual(cap.ask(false), { cap: 20, kept: 2, hold: 0, wants: { ussd: 2, sms: 0 } })
    cap.change({ perSecond: 1, ussdShare: 0.05 })
    cap.keep()
    assert.deepEqual([cap.share(), cap.ask(false).kept], [1, 0])
  })

  it('is asked for out of turn only where none is in force', () => {
    const { cap, sender, wanted } = capOf(100, { shared: true })
    cap.granted(grant(2), cap.now())
    sender.offer('ussd', 5)
    sender.offer('sms', 3)
    assert.deepEqual([wanted(), cap.waiting(), cap.isWanting(), cap.isShort()], [0, 6, false, true])
    cap.leave(sender)
    assert.equal(cap.waiting(), 0)
  })

  it('is counted as waited for only by what waited', async () => {
    const { clock, cap, sender, counts } = capOf(100, { shared: true })
    cap.granted(grant(2), cap.now())
    sender.offer('ussd', 2)
    assert.equal(counts['smpp_cap_waits ussd'], undefined)
    sender.offer('ussd')
    await clock.advance(1_100)
    assert.deepEqual([counts['smpp_cap_waits ussd'], counts['smpp_cap_wait_seconds ussd']! >= 1], [1, true])
  })
})
