/** What comes often waits a moment and is handled together; nobody is held up by that. */
import assert from 'node:assert/strict'
import { Together } from '../../../src/smpp/session/together.ts'
import { fakeClock, HELD_MS, heldClock, settle } from '../../support/clock.ts'
import { deliver, ID, raw } from '../../support/peer.ts'
import { until } from '../../support/services.ts'
import { lineTest } from '../support.ts'

function together(togetherMs = 2) {
  const clock = fakeClock()
  const counts = { waited: 0, hindered: 0 }
  const limits = { togetherMs, togetherOctetsMax: 1_000 }
  const count = (name: 'smpp_together', { how }: { how: keyof typeof counts }) => {
    assert.equal(name, 'smpp_together')
    counts[how]++
  }
  return { clock, counts, together: new Together({ clock, limits, count }) }
}

describe('what is handled together', () => {
  it('waits for two milliseconds, of all links of a line, each once', async () => {
    const { clock, counts, together: line } = together()
    const handled: string[] = []
    const [one, other] = [() => void handled.push('one'), () => void handled.push('other')]
    line.add(one, 100)
    await clock.advance(1)
    line.add(other, 100)
    line.add(one, 100)
    assert.deepEqual(handled, [])
    await clock.advance(1)
    assert.deepEqual([handled, counts.waited], [['one', 'other'], 1])
    await clock.advance(10)
    assert.deepEqual([handled.length, counts.waited], [2, 1])
  })

  it('waits no longer once there is enough, and the next waits its own time', async () => {
    const { clock, together: line } = together()
    let handled = 0
    line.add(() => handled++, 999)
    await clock.advance(1)
    assert.equal(handled, 0)
    line.add(() => handled++, 1)
    assert.equal(handled, 2)
    line.add(() => handled++, 999)
    await clock.advance(1)
    assert.equal(handled, 2)
    await clock.advance(1)
    assert.equal(handled, 3)
  })
})

describe('whether it waits', () => {
  /** Says for each stretch of so many milliseconds and PDUs whether what came at its end waits. */
  function tried(...stretches: [ms: number, pdus: number][]) {
    const { counts, together: line } = together()
    const trial = line.trial(1_000)
    let [nowMs, pdus] = [1_000, 0]
    const waits = stretches.map(([ms, more]) => trial.waits((nowMs += ms), (pdus += more)))
    return { waits, hindered: counts.hindered }
  }

  it('does not while little comes', () => {
    assert.deepEqual(tried([100, 90], [150, 150], [250, 249], [499, 498]).waits, [false, false, false, false])
    assert.deepEqual(tried([500, 60_000], [250, 250]).waits, [false, true])
  })

  it('does while much comes, is given up for a moment each five seconds, and ends when less comes', () => {
    const often = tried([250, 250], [250, 250], [2_500, 2_500], [2_499, 2_499], [1, 1], [249, 249], [1, 1])
    assert.deepEqual(often.waits, [true, true, true, true, false, false, true])
    assert.deepEqual(tried([250, 500], [250, 500], [5_000, 500], [250, 25], [250, 25]).waits.slice(2), [
      false,
      false,
      false,
    ])
  })

  const [APART, FEWER]: [[number, number], [number, number]] = [
    [250, 1_000],
    [250, 855],
  ]

  it('does not where an SMSC sends less because of it, and is tried again after twenty seconds', () => {
    const { waits, hindered } = tried(APART, FEWER, APART, FEWER, [19_999, 60_000], [1, 1], APART, [250, 856])
    assert.deepEqual([waits, hindered], [[true, false, true, false, false, false, true, true], 1])
  })

  it('is left alone again after two more trials, not after one', () => {
    const { waits, hindered } = tried(APART, FEWER, APART, FEWER, [20_000, 60_000], APART, FEWER, APART)
    assert.deepEqual([waits.slice(4), hindered], [[false, true, false, true], 1])
  })

  it('does not from the fiftieth millisecond of a trial on if far less comes', () => {
    const { waits } = tried(APART, [49, 1], [1, 98])
    assert.deepEqual(waits, [true, true, false])
    assert.deepEqual(tried(APART, [49, 1], [1, 99]).waits, [true, true, true])
  })

  it('does where less came in one trial, and not in the next', () => {
    const { waits, hindered } = tried(APART, FEWER, APART, [250, 856], [5_000, 5_000], APART, FEWER, APART)
    assert.deepEqual([waits, hindered], [[true, false, true, true, false, true, false, true], 0])
  })

  it('learns nothing from a trial in which nothing more came', () => {
    const { waits, hindered } = tried(APART, [10_000, 1], APART, [10_000, 1], APART)
    assert.deepEqual([waits, hindered], [[true, false, true, false, true], 0])
  })

  it('is found out for each link', () => {
    const { together: line } = together()
    const [busy, quiet] = [line.trial(0), line.trial(0)]
    assert.deepEqual([busy.waits(250, 250), quiet.waits(250, 10)], [true, false])
  })
})

describe('a line to which much comes', () => {
  const on = lineTest()
  const MUCH = 300
  let nowMs: number
  let clock: ReturnType<typeof heldClock>

  /** A line on which the next PDU waits until the clock is released. */
  async function busy(limits: object = {}, windowSlots = 10): Promise<void> {
    nowMs = Date.now()
    clock = { ...heldClock(), now: () => nowMs }
    await on.start(
      { onSubmit: () => undefined },
      { parts: { clock }, limits: { togetherMs: HELD_MS, windowSlots, ...limits } },
    )
    on.link.send(...Array.from({ length: MUCH }, (_, n) => deliver(n + 1)))
    await until(() => on.test.requests.length === MUCH, 'not all are heard')
    nowMs += 260
  }
  const heard = () => on.test.requests.slice(MUCH).map(({ pdu }) => pdu.sequence)
  /** Sends, and lets it be read; on a busy machine it may be read later. */
  async function read(...octets: Buffer[]): Promise<void> {
    on.link.send(...octets)
    for (let n = 0; n < 5; n++) await settle()
  }

  it('handles what comes when the wait is over, in order, PDUs in two pieces too', async () => {
    await busy()
    const [first, second, third] = [deliver(1_001), deliver(1_002), deliver(1_003)]
    await read(first, second.subarray(0, 20))
    await read(second.subarray(20), third)
    assert.deepEqual(heard(), [])
    await until(() => (clock.release(), heard().length === 3), 'they wait for ever')
    assert.deepEqual(heard(), [1_001, 1_002, 1_003])
    assert.ok(on.test.count('smpp_together', 'waited') > 0)
  })

  it('handles it at once when there is enough', async () => {
    await busy({ togetherOctetsMax: 200 })
    await read(deliver(1_001))
    assert.deepEqual(heard(), [])
    on.link.send(deliver(1_002), deliver(1_003), deliver(1_004))
    await until(() => heard().length === 4, 'it waits')
    assert.deepEqual(heard(), [1_001, 1_002, 1_003, 1_004])
  })

  it('handles it before the end of the link', async () => {
    await busy()
    await read(deliver(1_001))
    on.link.socket.end()
    await until(() => heard().length === 1, 'it is lost')
    await until(() => on.test.count('smpp_link_lost') === 1, 'the link is not closed')
    assert.deepEqual(heard(), [1_001])
  })

  it('handles it at once while a subscriber waits for a slot, and what had waited before it', async () => {
    await busy({}, 1)
    await read(deliver(1_001))
    assert.deepEqual(heard(), [])
    const asked = [on.ussd('one'), on.ussd('two')]
    const { sequence } = await on.link.heard(ID.submit)
    on.link.send(raw(ID.submit + ID.response, 0, sequence, 'a\0'))
    await on.link.heard(ID.submit, 2)
    assert.deepEqual(heard(), [1_001])
    clock.release()
    on.link.send(raw(ID.submit + ID.response, 0, sequence + 1, 'b\0'))
    await settle()
    await until(() => (clock.release(), on.test.count('smpp_tx_ok') === 2), 'not answered')
    assert.deepEqual(
      (await Promise.all(asked)).map(({ kind }) => kind),
      ['ok', 'ok'],
    )
  })

  it('handles it at once while an SMS has a slot, and not when it has none any more', async () => {
    await busy()
    const [first, second] = [on.sms('one'), on.sms('two')]
    const { sequence } = await on.link.heard(ID.submit, 2)
    const answered = (number: number) => raw(ID.submit + ID.response, 0, number, 'a\0')
    on.link.send(answered(sequence - 1))
    await first
    on.link.send(deliver(1_001))
    await until(() => heard().length === 1, 'it waits')
    on.link.send(answered(sequence))
    await second
    await read(deliver(1_002))
    assert.deepEqual(heard(), [1_001])
    await until(() => (clock.release(), heard().length === 2), 'it waits for ever')
  })

  it('handles each at once where the setting is 0', async () => {
    await busy({ togetherMs: 0 })
    on.link.send(deliver(1_001))
    await until(() => heard().length === 1, 'it waits')
    assert.equal(on.test.count('smpp_together'), 0)
  })
})
