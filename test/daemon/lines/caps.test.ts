import assert from 'node:assert/strict'
import { LineCaps } from '../../../src/daemon/lines/caps.ts'
import type { LineCap, LineShares, ShareAsk, ShareGrant } from '../../../src/smpp/session/index.ts'
import type { CapWaiter } from '../../../src/smpp/session/cap.ts'
import { fakeClock } from '../../support/clock.ts'

/** Sends one at a time. */
const sender = (cap: LineCap): { send(): void; written: number } => {
  const one: CapWaiter & { written: number; left: number; send(): void } = {
    written: 0,
    left: 0,
    waiting: () => one.left,
    pump() {
      cap.leave(one)
      while (one.left > 0 && cap.may('ussd', one)) {
        one.left--
        one.written++
        cap.spend('ussd', 'ussd', 0)
      }
    },
    send() {
      one.left++
      one.pump()
    },
  }
  return one
}

const capped = (name: string, perSecond: number | undefined = 100) => ({ name, submits: { perSecond, ussdShare: 0.1 } })

function capsOf({ alone = false } = {}) {
  const clock = fakeClock()
  const asked: { atMs: number; asks: readonly ShareAsk[] }[] = []
  const logged: { level: string; fields: Record<string, unknown>; message: string }[] = []
  const counts: Record<string, number> = {}
  const store = { isAway: false, cap: 100, total: 50, daemons: 2 }
  const shares: LineShares = {
    async ask(asks) {
      asked.push({ atMs: clock.now(), asks })
      const grant = ({ cap }: ShareAsk): ShareGrant => ({
        total: store.total,
        kept: 1,
        cap: Math.min(cap, store.cap),
        floor: 3,
        daemons: store.daemons,
      })
      return asks.map((one) => (store.isAway ? null : grant(one)))
    },
  }
  const level = (name: string) => (fields: object, message: string) =>
    void logged.push({ level: name, fields: fields as Record<string, unknown>, message })
  const caps = new LineCaps({
    clock,
    log: { debug: level('debug'), info: level('info'), warn: level('warn'), error: level('error') },
    metrics: {
      count: (name, labels = {}, by = 1) => {
        const key = [name, ...Object.values(labels)].join(' ')
        counts[key] = (counts[key] ?? 0) + by
      },
    },
    shares: alone ? undefined : shares,
  })
  return { clock, caps, asked, logged, counts, store }
}

describe('the caps of the lines of a daemon', () => {
  it('are those of lines that have one', () => {
    const { caps } = capsOf()
    const none = { name: 'plain', submits: { perSecond: undefined, ussdShare: 0.1 } }
    assert.equal(caps.of(none), undefined)
    const cap = caps.of(capped('digicel'))
    assert.ok(cap)
    assert.equal(caps.of(capped('digicel', 20)), cap, 'one for a line and its successor')
    caps.follow([capped('digicel', 20), none])
    assert.deepEqual([cap.perSecond(), [...caps.states().keys()]], [20, ['digicel']])
    caps.follow([none])
    assert.deepEqual([...caps.states().keys()], [])
  })

  it('are one for all lines on an account, whichever line sends', async () => {
    const { clock, caps, asked, counts } = capsOf()
    const on = (name: string) => ({ name, submits: { perSecond: 100, ussdShare: 0.1, account: 'digicel' } })
    const [one, other] = [caps.of(on('ussd'))!, caps.of(on('sms'))!]
    assert.equal(one, other)
    assert.equal(caps.of(capped('digicel')), one, 'a line without an account is its own, by its name')
    assert.notEqual(caps.of(capped('ussd')), one)
    caps.follow([on('ussd'), on('sms')])
    assert.deepEqual([...caps.states().keys()], ['digicel'])
    const senders = [sender(one), sender(other)]
    for (const each of senders) each.send()
    await clock.advance(0)
    assert.deepEqual(
      asked.map(({ asks }) => asks.map(({ line }) => line)),
      [['digicel']],
    )
    assert.deepEqual([senders.map(({ written }) => written), counts['smpp_cap_used digicel ussd']], [[1, 1], 2])
    // 50 is the share of this daemon, for both together.
    for (let n = 0; n < 100; n++) for (const each of senders) each.send()
    assert.equal(senders[0]!.written + senders[1]!.written, 50)
  })

  it('are asked for when something is to be sent, then once a second, and not at all after ten quiet ones', async () => {
    const { clock, caps, asked, counts } = capsOf()
    const one = sender(caps.of(capped('digicel'))!)
    caps.follow([capped('digicel')])
    await clock.advance(60_000)
    assert.equal(asked.length, 0)
    one.send()
    await clock.advance(0)
    assert.deepEqual([one.written, asked.length], [1, 1])
    await clock.advance(10_500)
    assert.ok(asked.length >= 10 && asked.length <= 12, `${asked.length}`)
    assert.ok(asked.every(({ atMs }, n) => n === 0 || atMs - asked[n - 1]!.atMs >= 999))
    const before = asked.length
    await clock.advance(3_600_000)
    assert.ok(asked.length - before <= 1)
    assert.deepEqual([asked.at(-1)!.asks[0]!.wants, caps.states().get('digicel')!.share], [null, 0])
    assert.equal(counts['smpp_cap_asks digicel given'], asked.length)
    one.send()
    await clock.advance(0)
    assert.equal(one.written, 2)
  })

  it('are asked for twice a second while a share is too small, and no more often', async () => {
    const { clock, caps, asked, store } = capsOf()
    store.total = 3
    const one = sender(caps.of(capped('digicel'))!)
    for (let n = 0; n < 500; n++) {
      one.send()
      await clock.advance(20)
    }
    assert.ok(asked.length >= 18 && asked.length <= 22, `${asked.length} in ten seconds`)
    assert.ok(one.written <= 3 * 10 + 3)
  })

  it('of several lines are asked for together', async () => {
    const { clock, caps, asked } = capsOf()
    const both = ['east', 'west'].map((name) => sender(caps.of(capped(name))!))
    for (let n = 0; n < 100; n++) {
      for (const one of both) one.send()
      await clock.advance(100)
    }
    assert.ok(asked.length <= 13, `${asked.length}`)
    assert.deepEqual(
      asked.at(-1)!.asks.map(({ line }) => line),
      ['east', 'west'],
    )
    const serials = asked.flatMap(({ asks }) => asks.filter(({ line }) => line === 'east').map((ask) => ask.serial))
    assert.deepEqual(
      serials,
      serials.map((_, n) => n + 1),
    )
  })

  it('go on with the last share while the store is away; that is said once, counted, and so is the end', async () => {
    const { clock, caps, logged, counts, store } = capsOf()
    const one = sender(caps.of(capped('digicel'))!)
    caps.follow([capped('digicel')])
    one.send()
    await clock.advance(0)
    store.isAway = true
    for (let n = 0; n < 30; n++) {
      one.send()
      await clock.advance(1_000)
    }
    assert.equal(one.written, 31)
    assert.deepEqual(caps.states().get('digicel'), {
      perSecond: 100,
      share: 50,
      used: 1,
      waiting: 0,
      daemons: 2,
      isAway: true,
    })
    assert.deepEqual(
      logged.map(({ level, fields, message }) => [level, fields, message]),
      [['warn', { shares: { digicel: 50 } }, 'the store is unreachable: lines go on with their last share of the cap']],
    )
    assert.ok(counts['smpp_cap_asks digicel away']! >= 29)
    store.isAway = false
    await clock.advance(1_000)
    assert.equal(logged.at(-1)!.message, 'the caps of lines are shared again')
    assert.equal(logged.length, 2)
    assert.equal(caps.states().get('digicel')!.isAway, false)
  })

  it('say once that another daemon has a smaller cap, and again after it was mended', async () => {
    const { clock, caps, logged, store } = capsOf()
    const one = sender(caps.of(capped('digicel'))!)
    const run = async (cap: number) => {
      store.cap = cap
      for (let n = 0; n < 3; n++) {
        one.send()
        await clock.advance(1_000)
      }
    }
    await run(80)
    assert.deepEqual(
      logged.map(({ fields, message }) => [fields.line, fields.cap, fields.smaller, message]),
      [['digicel', 100, 80, 'daemons disagree about the cap of a line']],
    )
    await run(100)
    await run(70)
    assert.deepEqual(
      logged.map(({ fields }) => fields.smaller),
      [80, 70],
    )
  })

  it('are given back when the daemon stops', async () => {
    const { clock, caps, asked } = capsOf()
    const one = sender(caps.of(capped('digicel'))!)
    caps.of(capped('quiet'))
    one.send()
    await clock.advance(0)
    await caps.stop()
    assert.deepEqual(
      asked.at(-1)!.asks.map(({ line, wants, hold }) => [line, wants, hold]),
      [['digicel', null, 1]],
    )
    const before = asked.length
    await clock.advance(60_000)
    assert.equal(asked.length, before)
  })

  it('are whole where no other daemon can share the store', async () => {
    const { clock, caps } = capsOf({ alone: true })
    const one = sender(caps.of(capped('digicel', 5))!)
    caps.follow([capped('digicel', 5)])
    for (let n = 0; n < 20; n++) one.send()
    await clock.advance(0)
    assert.deepEqual([one.written, caps.states().get('digicel')!.share], [5, 5])
    await clock.advance(5_000)
    assert.equal(one.written, 20)
    await caps.stop()
  })
})
