import assert from 'node:assert/strict'
import { seededChance } from '../../../src/simulator/smsc/chaos.ts'
import { histogram } from '../../../src/simulator/load/histogram.ts'
import { load, type LoadOptions } from '../../../src/simulator/load/index.ts'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { realClock } from '../../support/clock.ts'
import { esme, reply, type Esme } from '../esme.ts'

const SCRIPT = [
  { say: '*123#', expect: 'Menu' },
  { say: '1', expect: 'Next' },
  { say: '2', expect: 'Bye' },
]

describe('a load run', () => {
  let smsc: Smsc
  let one: Esme

  beforeEach(async () => {
    smsc = await startSmsc({ clock: realClock, chance: seededChance(1), traceMax: 0 })
    one = await esme(smsc.port)
    await one.bind()
  })
  afterEach(async () => {
    one.end()
    await smsc.stop()
  })

  /** A service that answers by what it is told; `spoil` may keep it from answering. */
  async function serve(spoil: (n: number) => boolean = () => false): Promise<void> {
    for (let n = 0; ; n++) {
      const pdu = await one.take('deliver_sm')
      one.ack(pdu)
      if (spoil(n)) continue
      const said = (pdu.body['short_message'] as Buffer).toString()
      if (said === '2') one.send(reply(pdu, 17, 'Bye', { turn: 3, end: true }))
      else one.send(reply(pdu, 2, said === '1' ? 'Next' : 'Menu', { turn: said === '1' ? 2 : 1 }))
    }
  }
  const run = (more: Partial<LoadOptions>) => load({ smsc, clock: realClock, concurrent: 20, script: SCRIPT, ...more })

  it('plays the script on every phone until so many turns are done', async () => {
    void serve().catch(() => undefined)
    const result = await run({ turns: 600 })
    assert.deepEqual([result.turns, result.wrong, result.lost, result.refused, result.unexpected], [600, 0, 0, 0, 0])
    assert.ok(result.dialogues >= 200 && result.dialogues <= 220, `${result.dialogues} dialogues`)
    assert.equal(result.latency.count, 600)
    assert.ok(result.latency.p50 <= result.latency.p99 && result.latency.p99 <= result.latency.max)
  })

  it('gives each dialogue of a phone a new number and echoes the turn counter', async () => {
    void serve().catch(() => undefined)
    await run({ concurrent: 1, turns: 6 })
    const carriers = one.seen
      .filter((pdu) => pdu.command === 'deliver_sm')
      .slice(0, 6)
      .map((pdu) => pdu.tlvs.find((t) => t.tag === 0x1383)!.value.toString('hex'))
    assert.deepEqual(carriers, ['0100', '0102', '0104', '0200', '0202', '0204'])
  })

  it('counts screens that are not what was expected, and turns that nobody answered', async () => {
    void serve((n) => n === 3).catch(() => undefined)
    const script = [{ say: '*123#', expect: 'Welcome' }, { say: '2' }]
    const result = await run({ concurrent: 1, turns: 40, script, answerMs: 1_000 })
    assert.equal(result.lost, 1)
    assert.ok(result.wrong >= 15, `${result.wrong} wrong`)
  })

  it('keeps to a rate, and counts latency from when a turn fell due', async () => {
    void serve().catch(() => undefined)
    const result = await run({ turns: 100, perSecond: 500 })
    assert.equal(result.turns, 100)
    assert.ok(result.seconds >= 0.19, `${result.seconds} s`)
  })

  it('counts refusals by the ESME', async () => {
    const refusing = (async () => {
      for (;;) one.ack(await one.take('deliver_sm'), 0x64)
    })()
    refusing.catch(() => undefined)
    const result = await run({ concurrent: 3, seconds: 0.05 })
    assert.deepEqual([result.turns, result.refused], [0, 3])
  })

  it('ends by itself when the ESME is gone for good', async () => {
    void serve((n) => n === 5 && (one.end(), true)).catch(() => undefined)
    const result = await run({ concurrent: 1, turns: 1000, answerMs: 500 })
    assert.equal(result.turns, 5)
  })

  /** A clock whose timer of that many seconds is fired by hand. */
  const byHand = (seconds: number) => {
    let fire = (): void => undefined
    const after: typeof realClock.after = (ms, work) =>
      ms === seconds * 1_000 ? ((fire = work), () => undefined) : realClock.after(ms, work)
    return { clock: { ...realClock, after }, timeUp: () => fire() }
  }
  const dials = async (count: number) => {
    const taken = []
    for (let i = 0; i < count; i++) {
      const pdu = await one.take('deliver_sm')
      one.ack(pdu)
      taken.push(pdu)
    }
    return taken
  }

  it('hears out what it has said by the end of its time', async () => {
    const { clock, timeUp } = byHand(77)
    const running = run({ clock, concurrent: 3, seconds: 77 })
    const dialled = await dials(3)
    timeUp()
    for (const pdu of dialled) one.send(reply(pdu, 2, 'Menu', { turn: 1 }))
    const { turns, wrong, lost } = await running
    assert.deepEqual([turns, wrong, lost], [3, 0, 0])
  })

  it('judges no screen of an earlier run, however late it comes', async () => {
    const first = run({ concurrent: 3, turns: 3, answerMs: 50 })
    const dialled = await dials(3)
    assert.equal((await first).lost, 3)
    const second = run({ concurrent: 3, turns: 3, script: [{ say: '*999#', expect: 'Other' }] })
    const again = await dials(3)
    for (const pdu of dialled) one.send(reply(pdu, 17, 'Menu', { turn: 1, end: true }))
    for (const pdu of again) one.send(reply(pdu, 17, 'Other', { turn: 1, end: true }))
    const { turns, wrong, unexpected } = await second
    assert.deepEqual([turns, wrong, unexpected], [3, 0, 3])
  })

  it('gives no two dialogues of a simulator the same subscriber and number, though numbers are an octet', async () => {
    void serve().catch(() => undefined)
    const script = [{ say: '2', expect: 'Bye' }]
    const results = [await run({ concurrent: 1, turns: 600, script }), await run({ concurrent: 2, turns: 300, script })]
    assert.deepEqual(
      results.map(({ turns, dialogues, wrong }) => [turns, dialogues, wrong]),
      [
        [600, 600, 0],
        [300, 300, 0],
      ],
    )
    const names = one.seen
      .filter((pdu) => pdu.command === 'deliver_sm')
      .map((pdu) => `${pdu.body['source_addr']} ${pdu.tlvs.find((t) => t.tag === 0x1383)!.value.toString('hex')}`)
    assert.equal(new Set(names).size, 900)
  })

  it('does not begin when nothing is bound', async () => {
    const gone = new Promise<void>((done) => smsc.watch((event) => event.is === 'bind' && done()))
    one.end()
    await gone
    await assert.rejects(run({ turns: 1 }), /no ESME is bound/)
  })
})

describe('the histogram of a load run', () => {
  it('is right to two in a hundred', () => {
    const made = histogram()
    for (let i = 1; i <= 10_000; i++) made.add(i / 100)
    const { p50, p99, max, count } = made.read()
    assert.ok(Math.abs(p50 / 50 - 1) < 0.02 && Math.abs(p99 / 99 - 1) < 0.02)
    assert.deepEqual([max, count], [100, 10_000])
  })
})
