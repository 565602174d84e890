import assert from 'node:assert/strict'
import { loadTalks, type PlayedTalk, type TalkTurn } from '../../../src/simulator/load/index.ts'
import { seededChance } from '../../../src/simulator/smsc/chaos.ts'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import type { Pdu } from '../../../src/smpp/types.ts'
import { HELD_MS, heldClock, realClock } from '../../support/clock.ts'
import { until } from '../../support/services.ts'
import { esme, reply, type Esme } from '../esme.ts'

const [ASKS, TELLS, ENDS] = [2, 3, 17]

describe('a load run of talks', () => {
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

  const said = (pdu: Pdu) => (pdu.body['short_message'] as Buffer).toString()
  const isEnded = (pdu: Pdu) => (pdu.tlvs.find(({ tag }) => tag === 0x1383)!.value[1]! & 1) === 1
  const delivered = () => one.seen.filter(({ command }) => command === 'deliver_sm')
  const dials = () => delivered().filter((pdu) => said(pdu).startsWith('*'))

  /** A menu whose choice 1 leads on, choice 2 says goodbye, and choice 3 tells before it asks. */
  async function serve(answers = (pdu: Pdu) => said(pdu) !== '9'): Promise<void> {
    for (;;) {
      const pdu = await one.take('deliver_sm')
      one.ack(pdu)
      if (isEnded(pdu) || !answers(pdu)) continue
      const op = pdu.tlvs.find(({ tag }) => tag === 0x0501)!.value[0]
      if (op === 19) one.send(reply(pdu, ASKS, 'After it'))
      else if (said(pdu) === '1') one.send(reply(pdu, ASKS, 'Next\n1. On', { turn: 2 }))
      else if (said(pdu) === '2') one.send(reply(pdu, ENDS, 'Goodbye.', { turn: 2, end: true }))
      else if (said(pdu) === '3') one.send(reply(pdu, TELLS, 'Wait for it', { turn: 2 }))
      else one.send(reply(pdu, ASKS, 'Menu\n1. Next  \n2. Exit'))
    }
  }

  const where = 'a.talk:1'
  const dial: TalkTurn = { does: 'dial', text: '*123#', screens: [{ where, text: 'Menu\n1. Next\n2. Exit' }] }
  const types = (text: string, screen: string, isEnd = false): TalkTurn => ({
    does: 'type',
    text,
    screens: [{ where, text: screen, ...(isEnd && { isEnd }) }],
  })
  const talk = (...turns: TalkTurn[]): PlayedTalk => ({ title: 'a talk', turns })

  /** Ends when so many turns are over; the rate is higher than any turn takes. */
  async function run(
    talks: PlayedTalk[],
    options: Partial<Parameters<typeof loadTalks>[0]> & { isOver(): boolean; now?: () => number },
  ): Promise<Awaited<ReturnType<typeof loadTalks>>> {
    const held = heldClock()
    const { isOver, now = held.now, ...more } = options
    const running = loadTalks({
      smsc,
      clock: { ...held, now },
      talks,
      phones: 3,
      firstMsisdn: 67_570_000_001,
      perSecond: 300,
      seconds: HELD_MS / 1_000,
      answerMs: 5_000,
      check: 'whole',
      ...more,
    })
    await until(isOver, 'the run does not go on')
    held.release()
    return running
  }

  it('plays talks on many phones, each with a number of its own, and finds every screen right', async () => {
    void serve().catch(() => undefined)
    const talks = [talk(dial, types('2', 'Goodbye.', true)), talk(dial, types('1', 'Next\n1. On'))]
    const result = await run(talks, { isOver: () => dials().length >= 30 })
    assert.deepEqual([result.wrong, result.lost, result.refused, result.examples], [0, 0, 0, []])
    assert.ok(result.dialogues >= 30 && result.turns > result.dialogues, JSON.stringify(result))
    assert.equal(result.latency.count, result.turns + result.unsent)
    assert.equal(
      result.buckets.reduce((sum, { count }) => sum + count, 0),
      result.latency.count,
    )
    const callers = new Set(delivered().map(({ body }) => String(body['source_addr'])))
    assert.deepEqual([...callers].toSorted(), ['67570000001', '67570000002', '67570000003'])
  })

  it('gives each dialogue of a phone another number, also from one run to the next', async () => {
    void serve().catch(() => undefined)
    const numbers = () => dials().map(({ tlvs }) => tlvs.find(({ tag }) => tag === 0x1383)!.value[0])
    await run([talk(dial)], { phones: 1, isOver: () => dials().length >= 3 })
    const first = numbers().length
    const now = () => Date.now() + 8_000
    await run([talk(dial)], { phones: 1, now, isOver: () => dials().length >= first + 3 })
    const all = numbers()
    assert.equal(new Set(all).size, all.length, all.join(' '))
    assert.ok(!all.includes(0))
  })

  it('counts screens that differ, shows the first, and goes on with the next talk', async () => {
    void serve().catch(() => undefined)
    const result = await run([talk(dial, types('1', 'Another'), types('1', 'Never'))], {
      isOver: () => dials().length >= 12,
    })
    assert.ok(result.wrong >= 9, `${result.wrong} wrong`)
    assert.equal(result.examples.length, 5)
    assert.deepEqual(result.examples[0], { title: 'a talk', where, expected: 'Another', got: 'Next\n1. On' })
    assert.equal(delivered().filter((pdu) => said(pdu) === '1').length, result.wrong)
  })

  it('compares first lines, or nothing, where it is told to', async () => {
    void serve().catch(() => undefined)
    const talks = [talk(dial, types('1', 'Next\n1. Otherwise'))]
    const firstLines = await run(talks, { check: 'first-line', isOver: () => dials().length >= 6 })
    assert.equal(firstLines.wrong, 0)
    const none = await run([talk(dial, types('1', 'Another'))], { check: 'none', isOver: () => dials().length >= 12 })
    assert.equal(none.wrong, 0)
  })

  it('a dialogue that should have ended and goes on is wrong', async () => {
    void serve().catch(() => undefined)
    const result = await run([talk(dial, types('1', 'Next\n1. On', true))], { isOver: () => dials().length >= 6 })
    assert.ok(result.wrong >= 3, `${result.wrong} wrong`)
    assert.equal(result.examples[0]!.expected, '(the dialogue ends)')
  })

  it('reads notifications before the screen that asks', async () => {
    void serve().catch(() => undefined)
    const told: TalkTurn = {
      does: 'type',
      text: '3',
      screens: [
        { where, text: 'Wait for it' },
        { where, text: 'After it' },
      ],
    }
    const result = await run([talk(dial, told)], { isOver: () => dials().length >= 6 })
    assert.deepEqual([result.wrong, result.lost], [0, 0], JSON.stringify(result.examples))
  })

  it('hangs up where the talk says so, and where it ends in the middle', async () => {
    void serve().catch(() => undefined)
    const talks = [talk({ ...dial, leaves: 'hang-up' }, dial)]
    const { dialogues } = await run(talks, { isOver: () => dials().length >= 8 })
    await until(() => delivered().filter(isEnded).length === dialogues, 'a dialogue is left open')
  })

  it('counts turns that nobody answers, and turns that are refused', async () => {
    void serve().catch(() => undefined)
    const lost = await run([talk(dial, types('9', ''))], { answerMs: 30, isOver: () => dials().length >= 6 })
    assert.ok(lost.lost >= 3 && lost.wrong === 0, JSON.stringify(lost))
    one.end()
    const other = await esme(smsc.port)
    await other.bind()
    const refusing = (async () => {
      for (;;) other.ack(await other.take('deliver_sm'), 0x0b)
    })()
    refusing.catch(() => undefined)
    const refused = await run([talk(dial)], { isOver: () => other.seen.length >= 10 })
    other.end()
    assert.ok(refused.refused > 0 && refused.turns === 0, JSON.stringify(refused))
  })

  it('ends early when it is told to', async () => {
    void serve().catch(() => undefined)
    const stop = new AbortController()
    const running = loadTalks({
      smsc,
      clock: realClock,
      talks: [talk(dial)],
      phones: 3,
      firstMsisdn: 67_570_000_001,
      perSecond: 300,
      seconds: 600,
      answerMs: 5_000,
      check: 'whole',
      signal: stop.signal,
    })
    await until(() => dials().length >= 3, 'nothing is dialled')
    stop.abort()
    const { turns, lost } = await running
    assert.ok(turns >= 3 && lost === 0)
  })
})
