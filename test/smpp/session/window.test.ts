import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Pdu } from '../../../src/smpp/types.ts'
import { Alarm } from '../../../src/smpp/session/alarm.ts'
import { LineCap } from '../../../src/smpp/session/cap.ts'
import { Pace } from '../../../src/smpp/session/pace.ts'
import {
  SEQUENCE_MAX,
  Window,
  type WindowRequest,
  type LateResponse,
  type WindowSettings,
} from '../../../src/smpp/session/window.ts'
import { fakeClock } from '../../support/clock.ts'

const SETTINGS: WindowSettings = { slots: 10, ussdShare: 0.2, queueMax: { ussd: 1_000, sms: 1_000 } }

const leavingBy = (byMs: number) => ({ byMs, leaves: () => undefined, left: () => undefined })

interface Told extends WindowRequest {
  isSettled?: boolean
}

function windowOf(settings: Partial<WindowSettings> = {}, perSecond?: number, capped?: number) {
  const clock = fakeClock()
  const written: { sequence: number; name: string }[] = []
  const late: LateResponse[] = []
  const recalls: (() => boolean)[] = []
  const pace = new Pace({ pauseMs: 1_000, ...(perSecond ? { perSecond } : {}) }, clock)
  const counted: string[] = []
  const count = (name: string, labels: object) => void counted.push([name, ...Object.values(labels)].join(' '))
  const cap = capped ? new LineCap({ perSecond: capped, ussdShare: 0 }, { clock, count }) : undefined
  const alone = new Window({ ...SETTINGS, ...settings }, pace, clock, cap && { cap, pump: () => carryOut() })
  const write = (octets: Buffer) =>
    written.push({ sequence: octets.readUInt32BE(12), name: octets.toString('latin1', 16) })
  /** Does what a link does. */
  const carryOut = () => {
    for (let one = alone.next(); one; one = alone.next()) {
      const request = one
      if (!('octets' in request)) late.push(request)
      else if (request.outcome) request.settle(request.outcome)
      else {
        request.leaving?.leaves('main/0')
        write(request.octets)
        recalls.push(() => window.recall(request))
      }
    }
    deadlines.by(alone.dueMs())
    pause.by(alone.pausedUntilMs())
  }
  const deadlines = new Alarm(clock, () => (alone.expire(), carryOut()))
  const pause = new Alarm(clock, carryOut)
  /** Whatever happens to it, what is then to be done is done. */
  const window = new Proxy(alone, {
    get:
      (of, name: keyof Window) =>
      (...given: never[]) => {
        const said = (of[name] as (...given: never[]) => unknown).apply(of, given)
        if (name === 'control') write(given[0]!)
        carryOut()
        return said
      },
  })
  const entry = (lane: 'ussd' | 'sms', name = lane as string, more: Partial<WindowRequest> = {}): Told => {
    const told: Told = {
      octets: Buffer.concat([Buffer.alloc(16), Buffer.from(name)]),
      command: 'submit_sm',
      lane,
      deadline: clock.now() + 10_000,
      key: name,
      withheld: false,
      settle: () => {
        assert.ok(!told.isSettled, 'settled once')
        told.isSettled = true
      },
      ...more,
    }
    return told
  }
  const offer = (one: Told) => (window.offer(one), one)
  const names = () => written.map((one) => one.name)
  return { clock, window, written, recalls, late, pace, cap, counted, entry, offer, names }
}

function resp(sequence: number, status = 0, command = 'submit_sm_resp'): Pdu {
  return { command, status, sequence, body: { message_id: `id${sequence}` }, tlvs: [] }
}

describe('the window', () => {
  it('of SMS that wait writes the most urgent first, and those of one urgency in order', () => {
    const { window, offer, entry, names } = windowOf({ slots: 1, ussdShare: 0 })
    const all = [undefined, 3, 2, 0, 2, 1, 0].map((urgency, n) => entry('sms', `${urgency}${n}`, { urgency }))
    for (const one of all) offer(one)
    window.open()
    for (let n = 1; n <= all.length; n++) window.answer(resp(n))
    assert.deepEqual(names(), ['03', '06', '15', '22', '24', '31', 'undefined0'])
  })

  it('gives up an SMS at its deadline also where it waits before others', async () => {
    const { clock, window, offer, entry, names } = windowOf({ slots: 1, ussdShare: 0 })
    window.open()
    for (const one of ['open', 'waits']) offer(entry('sms', one))
    const urgent = offer(entry('sms', 'urgent', { urgency: 0, deadline: clock.now() + 100 }))
    await clock.advance(200)
    assert.deepEqual([urgent.outcome, names()], [{ kind: 'unsent', why: 'expired' }, ['open']])
  })

  it('writes no more than the cap of the line, replies first, and says what waited', async () => {
    const { clock, window, counted, offer, entry, names } = windowOf({ slots: 100 }, undefined, 5)
    window.open()
    for (let n = 0; n < 10; n++) offer(entry('sms', 'sms', { kind: 'otp' }))
    for (let n = 0; n < 6; n++) offer(entry('ussd'))
    assert.deepEqual(names().toSorted(), ['sms', 'ussd', 'ussd', 'ussd', 'ussd'])
    await clock.advance(1_100)
    assert.equal(names().filter((name) => name === 'ussd').length, 6)
    await clock.advance(5_000)
    assert.equal(names().length, 16)
    const of = (what: string) => counted.filter((one) => one === what).length
    assert.deepEqual(
      ['smpp_cap_used ussd', 'smpp_cap_used otp', 'smpp_cap_waits ussd', 'smpp_cap_waits sms'].map(of),
      [6, 10, 2, 9],
    )
  })

  it('that is closed waits for the cap no longer, and holds no other back', async () => {
    const { clock, window, cap, offer, entry, names } = windowOf({}, undefined, 1)
    window.open()
    for (let n = 0; n < 3; n++) offer(entry('ussd'))
    assert.deepEqual([names().length, cap!.waiting()], [1, 2])
    assert.equal(window.close().length, 2)
    assert.equal(cap!.waiting(), 0)
    await clock.advance(5_000)
    assert.equal(names().length, 1)
  })

  it('takes nothing of the cap for what it does not write', async () => {
    const { clock, window, cap, offer, entry } = windowOf({}, undefined, 5)
    window.open()
    offer(entry('ussd', 'old', { deadline: clock.now() }))
    offer(entry('ussd', 'stale', { mayLeave: () => 'stale' }))
    assert.equal(cap!.used(), 0)
  })

  it('writes nothing before the link is bound', () => {
    const { window, offer, entry, names } = windowOf()
    offer(entry('ussd'))
    assert.deepEqual(names(), [])
    window.open()
    assert.deepEqual(names(), ['ussd'])
  })

  it('numbers from 1 and gives each response to its own request, in any order', () => {
    const { window, offer, entry, written } = windowOf()
    window.open()
    const told = ['a', 'b', 'c'].map((name) => offer(entry('ussd', name)))
    assert.deepEqual(
      written.map((one) => one.sequence),
      [1, 2, 3],
    )
    for (const n of [3, 1, 2]) assert.equal(window.answer(resp(n)), 'matched')
    assert.deepEqual(
      told.map((one) => (one.outcome as { messageId: string }).messageId),
      ['id1', 'id2', 'id3'],
    )
  })

  it('wraps from 0x7FFFFFFF to 1', () => {
    const { window, offer, entry, written } = windowOf({ sequence: { first: SEQUENCE_MAX - 1, last: SEQUENCE_MAX } })
    window.open()
    for (let n = 0; n < 4; n++) offer(entry('ussd'))
    assert.deepEqual(
      written.map((one) => one.sequence),
      [SEQUENCE_MAX - 1, SEQUENCE_MAX, 1, 2],
    )
  })

  it('skips, after the wrap, the numbers of requests that still wait, and of those that timed out', async () => {
    const { clock, window, offer, entry, written } = windowOf({ sequence: { first: 1, last: 6 } })
    window.open()
    offer(entry('ussd', 'timed out', { deadline: clock.now() + 100 }))
    window.control(Buffer.alloc(16), 'enquire_link')
    offer(entry('ussd', 'waits'))
    await clock.advance(200)
    for (let n = 4; n <= 6; n++) {
      offer(entry('ussd'))
      window.answer(resp(n))
    }
    offer(entry('ussd', 'after the wrap'))
    assert.deepEqual(
      written.map((one) => one.sequence),
      [1, 2, 3, 4, 5, 6, 4],
    )
  })

  it('never gives two open requests one number, whatever the order of answers', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(9), { maxLength: 60 }), (order) => {
        const { window, offer, entry, written } = windowOf({ sequence: { first: 5, last: 13 }, slots: 8 })
        window.open()
        const open: number[] = []
        for (const pick of order) {
          while (open.length < 8) {
            offer(entry('ussd'))
            const { sequence } = written.at(-1)!
            assert.ok(!open.includes(sequence) && sequence >= 1 && sequence <= 13, `${sequence} among ${open}`)
            open.push(sequence)
          }
          assert.equal(window.answer(resp(open.splice(pick % open.length, 1)[0]!)), 'matched')
        }
      }),
    )
  })

  it('keeps its last slots from SMS', () => {
    const { window, offer, entry, names } = windowOf()
    window.open()
    for (let n = 0; n < 20; n++) offer(entry('sms'))
    assert.equal(names().length, 8)
    for (let n = 0; n < 5; n++) offer(entry('ussd'))
    assert.equal(names().filter((name) => name === 'ussd').length, 2)
  })

  it('keeps one slot of a small window, and lets SMS through a window of one', () => {
    for (const [slots, sms] of [
      [2, 1],
      [3, 2],
      [1, 1],
    ] as const) {
      const { window, offer, entry, names } = windowOf({ slots })
      window.open()
      for (let n = 0; n < 5; n++) offer(entry('sms'))
      assert.equal(names().length, sms)
    }
  })

  it('writes waiting USSD before waiting SMS, however long the SMS have waited', () => {
    const { window, offer, entry, names } = windowOf({ slots: 1 })
    window.open()
    offer(entry('sms', 's1'))
    offer(entry('sms', 's2'))
    offer(entry('ussd', 'u1'))
    offer(entry('ussd', 'u2'))
    for (let n = 1; n <= 3; n++) window.answer(resp(n))
    assert.deepEqual(names(), ['s1', 'u1', 'u2', 's2'])
  })

  it('refuses what its lane has no room for, each lane by itself', () => {
    const { window, entry } = windowOf({ queueMax: { ussd: 2, sms: 1 } })
    assert.deepEqual(
      ['sms', 'sms', 'ussd', 'ussd', 'ussd'].map((lane) => window.offer(entry(lane as 'sms'))),
      [true, false, true, true, false],
    )
  })

  it('does not write a request whose deadline passed while it waited', async () => {
    const { clock, window, offer, entry, names } = windowOf()
    const told = offer(entry('ussd'))
    await clock.advance(10_001)
    assert.deepEqual(told.outcome, { kind: 'unsent', why: 'expired' })
    window.open()
    assert.deepEqual(names(), [])
    const now = offer(entry('ussd', 'gone', { deadline: clock.now() }))
    assert.deepEqual(now.outcome, { kind: 'unsent', why: 'expired' })
    assert.deepEqual(names(), [])
  })

  it('asks at the moment of writing whether a request may leave, however long it waited', () => {
    const { window, offer, entry, names } = windowOf({ slots: 1 })
    window.open()
    offer(entry('ussd', 'first'))
    let may: 'yes' | 'stale' = 'yes'
    const old = offer(entry('ussd', 'old', { mayLeave: () => may }))
    offer(entry('ussd', 'next', { mayLeave: () => 'yes' }))
    may = 'stale'
    window.answer(resp(1))
    assert.deepEqual([names(), old.outcome], [['first', 'next'], { kind: 'unsent', why: 'stale' }])
  })

  it('writes a request of which something depends by its own time, or never, and then waits for the response', async () => {
    const { clock, window, offer, entry, names } = windowOf({ slots: 1 })
    window.open()
    const said: string[] = []
    const leaving = { byMs: clock.now() + 1_000, leaves: (link: string) => void said.push(link), left: () => undefined }
    const first = offer(entry('ussd', 'first', { leaving }))
    const late = offer(entry('ussd', 'late', { leaving }))
    assert.deepEqual([said, names()], [['main/0'], ['first']])
    await clock.advance(1_100)
    assert.deepEqual([late.outcome, first.outcome], [{ kind: 'unsent', why: 'expired' }, undefined])
    window.answer(resp(1))
    assert.deepEqual([first.outcome?.kind, names()], ['ok', ['first']])
  })

  it('knows how long a request takes a slot, and for how long the SMSC has answered nothing', async () => {
    const { clock, window, offer, entry, written } = windowOf({ slots: 2 })
    window.open()
    assert.equal(window.slotMs(), 0, 'not known')
    for (let n = 0; n < 60; n++) {
      offer(entry('ussd'))
      await clock.advance(200)
      window.answer(resp(written.at(-1)!.sequence))
    }
    assert.equal(Math.round(window.slotMs()), 200)
    for (let n = 0; n < 5; n++) offer(entry('ussd'))
    assert.equal(window.ahead(), 5)
    await clock.advance(1_000)
    assert.equal(window.pausedMs(), 0, 'it takes its time')
    await clock.advance(4_000)
    assert.equal(window.pausedMs(), 5_000)
    assert.equal(Math.round(window.slotMs()), 200, 'of those that were answered')
    window.answer(resp(written.at(-1)!.sequence))
    assert.equal(window.pausedMs(), 0, 'it answers again')
    assert.ok(window.slotMs() < 1_000)
  })

  it('knows of no pause while a slot is free: nothing is owed there', async () => {
    const { clock, window, offer, entry } = windowOf({ slots: 2 })
    window.open()
    offer(entry('ussd'))
    await clock.advance(5_000)
    assert.equal(window.pausedMs(), 0)
  })

  it('takes a request back that did not reach the socket in time, and gives its slot to the next', () => {
    const { window, offer, entry, names, recalls, written } = windowOf({ slots: 1 })
    window.open()
    let may: 'yes' | 'unsure' = 'yes'
    const late = offer(entry('ussd', 'late', { mayLeave: () => may }))
    const next = offer(entry('ussd', 'next'))
    assert.equal(recalls[0]!(), false, 'it may still leave')
    may = 'unsure'
    assert.equal(recalls[0]!(), true)
    assert.deepEqual([late.outcome, names()], [{ kind: 'unsent', why: 'unsure' }, ['late', 'next']])
    assert.equal(window.answer(resp(written[0]!.sequence)), 'unexpected-response')
    assert.equal(window.answer(resp(written[1]!.sequence)), 'matched')
    assert.equal(next.outcome?.kind, 'ok')
  })

  it('does not take back what timed out while the process stood still: that has ended, and frees one slot', async () => {
    const { clock, window, offer, entry, recalls, names } = windowOf({ slots: 1 })
    window.open()
    const first = offer(entry('ussd', 'first', { deadline: clock.now() + 100 }))
    await clock.advance(100)
    assert.equal(recalls[0]!(), true, 'its octets do not leave')
    assert.deepEqual([first.outcome, window.load()], [{ kind: 'timeout' }, 0])
    for (const name of ['second', 'third']) offer(entry('ussd', name))
    assert.deepEqual(names(), ['first', 'second'])
  })

  it('tells what its own requests were answered, and gives them numbers of their own', () => {
    const { window } = windowOf()
    const said = ['bind_transceiver', 'enquire_link', 'unbind'] as const
    for (const command of said) window.control(Buffer.alloc(16), command)
    assert.equal(window.answer(resp(1, 0, 'bind_receiver_resp')), 'wrong-command')
    assert.deepEqual(
      [resp(1, 0, 'bind_transceiver_resp'), resp(2, 3, 'generic_nack'), resp(3, 0, 'unbind_resp')].map((pdu) =>
        window.answer(pdu),
      ),
      said,
    )
  })

  it('gives up at the deadline, frees the slot, and reports the response that comes late under its key', async () => {
    const { clock, window, offer, entry, late, names } = windowOf({ slots: 1 })
    window.open()
    const first = offer(entry('ussd', 'first'))
    offer(entry('ussd', 'second', { deadline: clock.now() + 60_000 }))
    await clock.advance(9_999)
    assert.equal(first.outcome, undefined)
    await clock.advance(100)
    assert.deepEqual(first.outcome, { kind: 'timeout' })
    assert.deepEqual(names(), ['first', 'second'])
    assert.equal(window.answer(resp(1, 0, 'data_sm_resp')), 'wrong-command')
    assert.equal(window.answer(resp(1)), 'late-response')
    assert.equal(late.length, 1)
    assert.equal(late[0]!.key, 'first')
    assert.equal(late[0]!.outcome.kind, 'ok')
    assert.equal(window.answer(resp(1)), 'unexpected-response')
  })

  it('times many out by their own deadlines', async () => {
    const { clock, window, offer, entry } = windowOf({ slots: 100 })
    window.open()
    const told = [3_000, 1_000, 2_000].map((ms) => offer(entry('ussd', String(ms), { deadline: clock.now() + ms })))
    await clock.advance(1_100)
    assert.deepEqual(
      told.map((one) => one.outcome?.kind),
      [undefined, 'timeout', undefined],
    )
    await clock.advance(1_000)
    assert.deepEqual(
      told.map((one) => one.outcome?.kind),
      [undefined, 'timeout', 'timeout'],
    )
    await clock.advance(1_000)
    assert.deepEqual(
      told.map((one) => one.outcome?.kind),
      ['timeout', 'timeout', 'timeout'],
    )
  })

  it('ignores the right number with a wrong command: the request goes on', () => {
    const { window, offer, entry } = windowOf()
    window.open()
    const told = offer(entry('ussd'))
    assert.equal(window.answer(resp(1, 0, 'enquire_link_resp')), 'wrong-command')
    assert.equal(told.outcome, undefined)
    assert.equal(window.answer(resp(1, 0x58)), 'matched')
    assert.deepEqual(told.outcome, { kind: 'refused', status: 0x58 })
  })

  it('takes generic_nack for a refusal, even one that says ESME_ROK', () => {
    const { window, offer, entry } = windowOf()
    window.open()
    const told = [offer(entry('ussd')), offer(entry('ussd'))]
    window.answer(resp(1, 3, 'generic_nack'))
    window.answer(resp(2, 0, 'generic_nack'))
    const refused = [
      { kind: 'refused', status: 3 },
      { kind: 'refused', status: 0xff },
    ]
    assert.deepEqual(
      told.map((one) => one.outcome),
      refused,
    )
  })

  it('answers a second response as unexpected', () => {
    const { window, offer, entry } = windowOf()
    window.open()
    offer(entry('ussd'))
    assert.deepEqual(
      [window.answer(resp(1)), window.answer(resp(1)), window.answer(resp(99))],
      ['matched', 'unexpected-response', 'unexpected-response'],
    )
  })

  it('loses what was written and gives back what waited, when it closes', () => {
    const { window, offer, entry } = windowOf({ slots: 1 })
    window.open()
    const written = offer(entry('ussd', 'written'))
    const waiting = [offer(entry('sms', 's')), offer(entry('ussd', 'u'))]
    assert.deepEqual(
      window.close().map((one) => one.key),
      ['u', 's'],
    )
    assert.deepEqual(written.outcome, { kind: 'lost' })
    assert.deepEqual(
      waiting.map((one) => one.outcome),
      [undefined, undefined],
    )
  })

  it('keeps withheld submits out of its slots', () => {
    const { window, offer, entry, names } = windowOf({ slots: 2 })
    window.open()
    for (let n = 0; n < 50; n++) offer(entry('ussd', 'w', { withheld: true }))
    offer(entry('ussd', 'prompt'))
    assert.equal(names().length, 51)
    assert.equal(window.load(), 51)
    for (let n = 1; n <= 51; n++) window.answer(resp(n))
    assert.equal(window.load(), 0)
  })

  it('remembers a thousand requests that timed out, the last ones', async () => {
    const { clock, window, offer, entry, late } = windowOf({ slots: 2_000, queueMax: { ussd: 2_000, sms: 0 } })
    window.open()
    for (let n = 0; n < 1_001; n++) offer(entry('ussd', `n${n}`, { deadline: clock.now() + 100 }))
    await clock.advance(200)
    assert.equal(window.load(), 0)
    assert.equal(window.answer(resp(1)), 'unexpected-response', 'the oldest is forgotten')
    for (const sequence of [2, 1_001]) assert.equal(window.answer(resp(sequence)), 'late-response')
    assert.deepEqual(
      late.map(({ key, lane }) => `${key} ${lane}`),
      ['n1 ussd', 'n1000 ussd'],
    )
  })

  it('takes ten thousand subscribers who read, and no more; replies that wait for nobody go on', () => {
    const { window, entry } = windowOf({ queueMax: { ussd: 20_000, sms: 0 } })
    const withheld = () => window.offer(entry('ussd', 'w', { withheld: true }))
    window.open()
    for (let n = 0; n < 10_000; n++) assert.ok(withheld())
    assert.equal(withheld(), false)
    assert.equal(window.offer(entry('ussd', 'prompt')), true)
    assert.equal(window.answer(resp(1)), 'matched')
    assert.equal(withheld(), true, 'one has answered')
  })

  it('counts what it has: what waits, what is ahead, what takes a slot', () => {
    const { window, offer, entry } = windowOf({ slots: 3, ussdShare: 0.3 })
    const says = () => [window.load(), window.ahead(), window.taken(), window.waiting('ussd'), window.waiting('sms')]
    assert.deepEqual([window.slots(), window.smsSlots(), says()], [3, 2, [0, 0, 0, 0, 0]])
    for (let n = 0; n < 2; n++) offer(entry('ussd'))
    for (let n = 0; n < 3; n++) offer(entry('sms'))
    assert.deepEqual(says(), [5, 2, 0, 2, 3], 'nothing is bound')
    window.open()
    assert.deepEqual(says(), [5, 2, 2, 0, 3])
    for (let n = 0; n < 2; n++) offer(entry('ussd'))
    offer(entry('ussd', 'w', { withheld: true }))
    assert.deepEqual(says(), [8, 5, 3, 2, 3], 'what is withheld waits its turn')
    window.answer(resp(1))
    window.answer(resp(2))
    assert.deepEqual(says(), [6, 2, 2, 0, 3])
    assert.deepEqual(
      window.retire().map(({ key }) => key),
      ['sms', 'sms', 'sms'],
    )
    assert.deepEqual(says(), [3, 2, 2, 0, 0], 'what is written is awaited')
  })

  it('checks deadlines twenty times a second at most, and not before the first of them', async () => {
    const { clock, window, offer, entry } = windowOf()
    const startMs = clock.now()
    assert.equal(window.dueMs(), Infinity)
    for (const ms of [1_000, 1_020, 1_300]) offer(entry('ussd', String(ms), { deadline: startMs + ms }))
    assert.equal(window.dueMs(), startMs + 1_000)
    await clock.advance(1_000)
    assert.equal(window.dueMs(), startMs + 1_050)
    await clock.advance(50)
    assert.equal(window.dueMs(), startMs + 1_300)
    offer(entry('ussd', 'later', { deadline: startMs + 9_000 }))
    assert.equal(window.dueMs(), startMs + 1_300)
    offer(entry('sms', 'soon', { deadline: startMs + 9_000, leaving: leavingBy(startMs + 1_200) }))
    assert.equal(window.dueMs(), startMs + 1_200)
    window.close()
    assert.equal(window.dueMs(), Infinity)
  })
  it('keeps in mind the deadlines of what is written, too, and of what waits in either lane', async () => {
    for (const [lane, isOpen] of [
      ['ussd', true],
      ['ussd', false],
      ['sms', true],
      ['sms', false],
    ] as const) {
      const { clock, window, offer, entry } = windowOf()
      const startMs = clock.now()
      if (isOpen) window.open()
      offer(entry(lane, 'first', { deadline: startMs + 100 }))
      const second = offer(entry(lane, 'second', { deadline: startMs + 5_000 }))
      await clock.advance(150)
      assert.equal(window.dueMs(), startMs + 5_000, `${lane} ${isOpen}`)
      await clock.advance(5_000)
      assert.deepEqual(second.outcome, isOpen ? { kind: 'timeout' } : { kind: 'unsent', why: 'expired' })
    }
  })
  it('is not written at the last millisecond of its time, and is before it', async () => {
    const { clock, window, offer, entry, names } = windowOf({ slots: 1 })
    window.open()
    offer(entry('ussd', 'first'))
    for (const ms of [500, 501]) offer(entry('ussd', String(ms), { deadline: clock.now() + ms, mayLeave: () => 'yes' }))
    await clock.advance(499)
    window.answer(resp(1))
    assert.deepEqual(names(), ['first', '500'])
    const late = windowOf()
    const told = late.offer(late.entry('ussd', 'late', { deadline: late.clock.now() }))
    late.window.open()
    assert.deepEqual([told.outcome, late.names()], [{ kind: 'unsent', why: 'expired' }, []])
  })
  it('does not take its own requests for late, nor lose them with the link as if somebody waited for them', async () => {
    const { clock, window, offer, entry, late } = windowOf()
    window.open()
    window.control(Buffer.alloc(16), 'enquire_link')
    offer(entry('ussd', 'gone', { deadline: clock.now() + 100 }))
    await clock.advance(1_000)
    assert.equal(window.answer(resp(1, 0, 'enquire_link_resp')), 'enquire_link')
    window.control(Buffer.alloc(16), 'unbind')
    assert.deepEqual(window.close(), [])
    assert.deepEqual([late, window.load()], [[], 0])
    assert.equal(window.answer(resp(3, 0, 'unbind_resp')), 'unexpected-response')
  })
  it('hears of congestion in an SMS, and of none in a reply', () => {
    const congested = { tag: 0x0428, value: Buffer.of(95) }
    const { window, offer, entry, pace } = windowOf({}, 100)
    const heard: number[] = []
    pace.congested = (state) => void heard.push(state)
    window.open()
    for (const lane of ['ussd', 'sms', 'sms', 'sms'] as const) offer(entry(lane))
    window.answer({ ...resp(1), tlvs: [congested] })
    window.answer({ ...resp(2), tlvs: [{ ...congested, tag: 0x0427 }, congested] })
    window.answer({ ...resp(3), tlvs: [{ ...congested, value: Buffer.of(0) }] })
    window.answer({ ...resp(4), tlvs: [{ ...congested, value: Buffer.alloc(0) }] })
    assert.deepEqual(heard, [95])
  })
  it('tells the id that a response gives, or that it gives none', () => {
    const { window, offer, entry } = windowOf()
    window.open()
    const told = [offer(entry('sms')), offer(entry('sms'))]
    const first = { ...resp(1), body: { message_id: 'M1' } }
    window.answer(first)
    window.answer({ ...resp(2), body: {} })
    assert.deepEqual(told[0]!.outcome, { kind: 'ok', messageId: 'M1', pdu: first })
    assert.equal((told[1]!.outcome as { messageId: string }).messageId, '')
  })
  it('measures the slots of replies that wait for nobody only, and those that timed out with their whole time', async () => {
    const { clock, window, offer, entry } = windowOf({ slots: 5 })
    window.open()
    offer(entry('ussd', 'w', { withheld: true }))
    await clock.advance(1_000)
    window.answer(resp(1))
    assert.equal(window.slotMs(), 0)
    offer(entry('ussd', 'x', { deadline: clock.now() + 2_000 }))
    await clock.advance(2_000)
    assert.equal(window.slotMs(), 200)
    offer(entry('ussd'))
    await clock.advance(100)
    window.answer(resp(3))
    assert.equal(window.slotMs(), 190)
  })
  it('says that the SMSC pauses from when its last slot was taken, or given back', async () => {
    const { clock, window, offer, entry } = windowOf({ slots: 2 })
    window.open()
    offer(entry('ussd'))
    await clock.advance(3_000)
    offer(entry('ussd'))
    await clock.advance(1_000)
    assert.equal(window.pausedMs(), 0)
    await clock.advance(1)
    assert.equal(window.pausedMs(), 1_001)
    offer(entry('ussd', 'w', { withheld: true }))
    assert.equal(window.pausedMs(), 1_001, 'that takes no slot')
    offer(entry('ussd'))
    window.answer(resp(1))
    assert.equal(window.pausedMs(), 0)
  })

  it('pauses SMS when throttled, never USSD, and goes on at a slower pace', async () => {
    const { clock, window, offer, entry, names, pace } = windowOf({}, 100)
    window.open()
    offer(entry('sms', 's1'))
    window.answer(resp(1, 0x58))
    offer(entry('sms', 's2'))
    offer(entry('ussd', 'u1'))
    assert.deepEqual(names(), ['s1', 'u1'])
    await clock.advance(1_001)
    assert.deepEqual(names(), ['s1', 'u1', 's2'])
    assert.ok(pace.rate() < 100)
  })

  it('holds SMS while the socket does not drain, not USSD', () => {
    const { window, offer, entry, names } = windowOf()
    window.open()
    window.holdSms(true)
    offer(entry('sms'))
    offer(entry('ussd'))
    assert.deepEqual(names(), ['ussd'])
    window.holdSms(false)
    assert.deepEqual(names(), ['ussd', 'sms'])
  })
})

describe('the pace of SMS', () => {
  it('lets through as many a second as the line allows', async () => {
    const { clock, window, offer, entry, names } = windowOf({ slots: 100 }, 10)
    window.open()
    for (let n = 0; n < 40; n++) offer(entry('sms'))
    await clock.advance(2_000)
    assert.ok(names().length >= 20 && names().length <= 22, `${names().length} in two seconds`)
  })

  it('is cut by the statuses that say we are too fast here, and by no others', () => {
    const cutBy = (status: number, throttles?: (status: number) => boolean) => {
      const pace = new Pace({ perSecond: 100, pauseMs: 1_000, ...(throttles ? { throttles } : {}) }, fakeClock())
      pace.refused(status)
      return pace.rate() < 100
    }
    assert.deepEqual(
      [0x58, 0x14, 0x08, 0x45].map((status) => cutBy(status)),
      [true, false, false, false],
    )
    assert.deepEqual(
      [0x58, 0x423].map((status) => cutBy(status, (it) => it === 0x423)),
      [false, true],
    )
  })

  it('is cut once for one burst of refusals, and recovers to no limit at all', async () => {
    const clock = fakeClock()
    const pace = new Pace({ pauseMs: 1_000 }, clock)
    for (let n = 0; n < 100; n++) pace.spend()
    for (let n = 0; n < 5; n++) pace.throttled()
    assert.equal(pace.rate(), 90)
    assert.equal(pace.waitMs(), 1_000)
    await clock.advance(60_000)
    pace.waitMs()
    assert.equal(pace.rate(), Infinity)
  })

  it('stays near what was taken for a while, then grows ever faster, and ends at its ceiling', async () => {
    const clock = fakeClock()
    const pace = new Pace({ pauseMs: 1_000, perSecond: 100 }, clock)
    for (let n = 0; n < 100; n++) pace.spend()
    pace.throttled()
    const rates = [1, 3, 8].map((step, i, all) => step - (all[i - 1] ?? 0))
    const seen: number[] = []
    await clock.advance(1_000)
    for (const seconds of rates) {
      await clock.advance(seconds * 1_000)
      pace.waitMs()
      seen.push(Math.round(pace.rate() * 10) / 10)
    }
    assert.deepEqual(seen, [90.3, 91.8, 100])
    await clock.advance(30_000)
    pace.waitMs()
    assert.equal(pace.rate(), 100)
  })

  it('goes on as before when the clock is set back by an hour', async () => {
    const clock = fakeClock()
    const [paced, refused] = [new Pace({ pauseMs: 1_000, perSecond: 10 }, clock), new Pace({ pauseMs: 1_000 }, clock)]
    paced.spend()
    refused.throttled()
    clock.set(-3_600_000)
    assert.deepEqual([paced.waitMs(), refused.waitMs()], [100, 1_000])
    await clock.advance(1_000)
    assert.deepEqual([paced.waitMs(), refused.waitMs()], [0, 0])
  })

  it('never falls below one a second', async () => {
    const clock = fakeClock()
    const pace = new Pace({ pauseMs: 1_000, perSecond: 4 }, clock)
    for (let n = 0; n < 20; n++) {
      pace.throttled()
      await clock.advance(1_000)
    }
    assert.ok(pace.rate() >= 1)
    await clock.advance(1_000)
    assert.equal(pace.waitMs(), 0)
  })

  it('slows down once a second while the SMSC says that it nears congestion, and rests when it is congested', async () => {
    const clock = fakeClock()
    const pace = new Pace({ pauseMs: 1_000, perSecond: 100 }, clock)
    for (let n = 0; n < 100; n++) pace.spend()
    pace.congested(89)
    assert.equal(pace.rate(), 100)
    for (let n = 0; n < 5; n++) pace.congested(90)
    assert.deepEqual([pace.rate(), pace.waitMs()], [90, 0])
    await clock.advance(1_000)
    for (let n = 0; n < 40; n++) pace.spend()
    pace.congested(99)
    assert.equal(pace.rate(), 81)
    pace.congested(100)
    assert.equal(pace.waitMs(), 1_000)
  })

  it('hears of congestion in the responses to SMS', async () => {
    const { window, offer, entry, pace } = windowOf({ slots: 100 }, 100)
    window.open()
    offer(entry('sms'))
    const tlvs = [{ tag: 0x0428, value: Buffer.of(95) }]
    window.answer({ command: 'submit_sm_resp', status: 0, sequence: 1, body: { message_id: 'm' }, tlvs })
    assert.ok(pace.rate() < 100)
  })
})
