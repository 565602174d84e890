import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  nextState,
  statesHearing,
  reminderMachine,
  type ReminderEvent,
  type ReminderState,
} from '../../../machines/reminder.ts'
import { asAnswered, messageKey } from '../../../src/sms/receipts/message-id.ts'
import {
  afterGrace,
  afterLateRefusal,
  afterTry,
  laterMs,
  linePauseMs,
  ownClasses,
  refused,
  statusClass,
  unsentMs,
} from '../../../src/sms/terms/retry-policy.ts'
import type { SmsOutcome } from '../../../src/sms/terms/types.ts'

const events: ReminderEvent[] = [
  { type: 'SUBMIT' },
  { type: 'UNSENT' },
  { type: 'ACCEPTED' },
  { type: 'REFUSED' },
  { type: 'LOST' },
  { type: 'DELIVERED' },
  { type: 'UNDELIVERED' },
  { type: 'CANCEL' },
  { type: 'EXPIRE' },
  { type: 'RECALLED' },
  ...[true, false].flatMap((mayRetry): ReminderEvent[] => [
    { type: 'LATER', mayRetry },
    { type: 'GRACE_OVER', mayRetry },
  ]),
]
const follow = (path: ReminderEvent[]) => path.reduce<ReminderState>(nextState, 'due')

describe('the statechart of one SMS', () => {
  it('goes from due over submitting to accepted and delivered', () => {
    assert.equal(follow([{ type: 'SUBMIT' }, { type: 'ACCEPTED' }, { type: 'DELIVERED' }]), 'delivered')
  })

  it('comes back to due for a later try while there are tries, and fails after them', () => {
    assert.equal(nextState('submitting', { type: 'LATER', mayRetry: true }), 'due')
    assert.equal(nextState('submitting', { type: 'LATER', mayRetry: false }), 'failed')
    assert.equal(nextState('submitting', { type: 'UNSENT' }), 'due')
    assert.equal(nextState('ambiguous', { type: 'GRACE_OVER', mayRetry: true }), 'due')
    assert.equal(nextState('ambiguous', { type: 'GRACE_OVER', mayRetry: false }), 'failed')
  })

  it('calls off what has not left, and nothing else', () => {
    assert.deepEqual(statesHearing({ type: 'CANCEL' }), ['due', 'ambiguous'])
    assert.deepEqual(
      statesHearing({ type: 'RECALLED' }),
      ['accepted'],
      'what an SMSC has, only the SMSC can throw away',
    )
  })

  it('never leaves a final state, whatever comes', () => {
    for (const state of ['delivered', 'failed', 'expired', 'cancelled'] as const) {
      for (const event of events) assert.equal(nextState(state, event), state)
    }
  })

  it('is sent again by an operator where nobody gets it otherwise, and never where the SMSC has it', () => {
    assert.deepEqual(statesHearing({ type: 'RETRY' }), ['ambiguous', 'failed', 'expired'])
  })

  it('is never delivered without having been submitted', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...events)), (path) => {
        const without = path.filter((event) => event.type !== 'SUBMIT')
        assert.ok(['due', 'cancelled', 'expired'].includes(follow(without)))
      }),
    )
  })

  it('has no timers, no invocations and no actions: it is only ever stepped', () => {
    for (const state of Object.values(reminderMachine.states)) {
      assert.deepEqual([state.after.length, state.invoke.length, state.entry.length, state.exit.length], [0, 0, 0, 0])
    }
  })
})

describe('message ids', () => {
  it('are the same in any case and with any leading zeros', () => {
    assert.equal(messageKey(' 00Ab3 ', 'as-is'), messageKey('AB3', 'as-is'))
    assert.equal(messageKey('000', 'as-is'), '0')
  })

  it('are converted only where the profile says so', () => {
    assert.equal(messageKey('75BCD15', 'hex'), messageKey('123456789', 'dec'))
    assert.notEqual(messageKey('10', 'as-is'), messageKey('16', 'as-is'))
    assert.equal(messageKey('a0eebc99-9c0b', 'hex'), 'a0eebc99-9c0b')
  })
})

describe('the wait before the next try', () => {
  it('grows to a minute, jittered, and is half a minute to three where the queue is full', () => {
    assert.deepEqual(
      [1, 2, 3, 20].map((tries) => laterMs(false, tries, () => 1)),
      [2000, 4000, 8000, 60_000],
    )
    assert.equal(
      laterMs(false, 1, () => 0),
      1000,
    )
    assert.deepEqual(
      [0, 1].map((chance) => laterMs(true, 1, () => chance)),
      [30_000, 180_000],
    )
    assert.deepEqual(
      [0, 1].map((chance) => unsentMs(() => chance)),
      [1000, 5000],
    )
  })
})

describe('the id of a receipt, as its response wrote it', () => {
  it('is the same, or a number in the other writing', () => {
    for (const [id, form, is] of [
      [' 0Ab3 ', 'same', 'ab3'],
      ['255', 'hex-to-dec', 'ff'],
      ['00255', 'hex-to-dec', 'ff'],
      ['9'.repeat(19), 'hex-to-dec', BigInt('9'.repeat(19)).toString(16)],
      ['1'.repeat(20), 'hex-to-dec', undefined],
      ['ff', 'hex-to-dec', undefined],
      ['FF', 'dec-to-hex', '255'],
      ['f'.repeat(16), 'dec-to-hex', String(2n ** 64n - 1n)],
      [`1${'f'.repeat(16)}`, 'dec-to-hex', undefined],
      ['xy', 'dec-to-hex', undefined],
      ['', 'dec-to-hex', undefined],
      ['', 'hex-to-dec', undefined],
    ] as const)
      assert.equal(asAnswered(id, form), is, `${id} ${form}`)
  })
  it('is plain where the profile says hexadecimal of what is no such number', () => {
    assert.equal(messageKey('f'.repeat(64), 'hex'), BigInt(`0x${'f'.repeat(64)}`).toString())
    for (const id of ['f'.repeat(65), 'x', '']) assert.equal(messageKey(id, 'hex'), id)
    assert.equal(messageKey('0010', 'hex'), '16')
    assert.equal(messageKey('0010', 'dec'), '10')
    assert.equal(messageKey('0', 'hex'), '0')
  })
})

describe('what a status means for an SMS', () => {
  it('is what the settings of the line say, and else what the table says', () => {
    const own = ownClasses({ '0x45': 'fail', '88': 'destination' })
    const plain = { sms: 'later', whose: 'smsc' } as const
    assert.deepEqual(
      own,
      new Map([
        [0x45, 'fail'],
        [88, 'destination'],
      ]),
    )
    assert.equal(statusClass(0x45, own, plain), 'fail')
    assert.equal(statusClass(88, own, { ...plain, sms: 'never' }), 'destination')
    for (const [sms, whose, is] of [
      ['never', 'smsc', 'fail'],
      ['never', 'subscriber', 'fail'],
      ['next-second', 'subscriber', 'pause'],
      ['later', 'subscriber', 'destination'],
      ['later', 'smsc', 'retry'],
      ['now', 'ours', 'retry'],
    ] as const)
      assert.equal(statusClass(1, own, { sms, whose } as never), is, `${sms} ${whose}`)
  })
  it('ends it, or lets it wait, alone or with its line or its subscriber', () => {
    const later = { is: 'later', status: 7, pause: false, destination: false }
    assert.deepEqual(refused(7, 'fail'), { is: 'failed', status: 7 })
    assert.deepEqual(refused(7, 'retry'), later)
    assert.deepEqual(refused(7, 'pause'), { ...later, pause: true })
    assert.deepEqual(refused(7, 'destination'), { ...later, destination: true })
  })
})

describe('after a try', () => {
  const of = { attempts: 3, ambiguousGraceMs: 90, chance: () => 1 }
  const step = { waitMs: 0, isHeldBack: false, status: null, error: null }
  it('an SMS is accepted, has failed, waits or is in doubt; what is held back, stored and waited for goes with it', () => {
    const cases: [SmsOutcome, Partial<typeof of>, object][] = [
      [{ is: 'accepted', messageIds: ['M'] }, {}, { event: { type: 'ACCEPTED' } }],
      [{ is: 'failed', status: 7 }, {}, { event: { type: 'REFUSED' }, status: 7, error: 'refused' }],
      [{ is: 'failed', status: 7, why: 'too long' }, {}, { event: { type: 'REFUSED' }, status: 7, error: 'too long' }],
      [{ is: 'ambiguous' }, {}, { event: { type: 'LOST' }, waitMs: 90, error: 'no response' }],
      [{ is: 'unsent' }, {}, { event: { type: 'UNSENT' }, waitMs: 5_000 }],
    ]
    for (const [outcome, more, is] of cases)
      assert.deepEqual(afterTry(outcome, { ...of, ...more }), { ...step, ...is }, JSON.stringify(outcome))
    const wait = { status: 7, error: 'the SMSC asked us to wait' }
    for (const [attempts, mayRetry, waitMs] of [
      [1, true, 2_000],
      [3, true, 8_000],
      [19, true, 60_000],
      [20, false, 60_000],
      [21, false, 60_000],
    ] as const)
      assert.deepEqual(afterTry({ is: 'later', status: 7, pause: false }, { ...of, attempts }), {
        ...step,
        ...wait,
        event: { type: 'LATER', mayRetry },
        waitMs,
      })
    const full = afterTry({ is: 'later', status: 7, pause: false, destination: true }, of)
    assert.deepEqual([full.waitMs, full.isHeldBack], [180_000, true])
  })
  it('a line rests for a second where the SMSC asks for it', () => {
    const later = { is: 'later', status: 7, pause: true } as const
    assert.equal(linePauseMs(later), 1_000)
    assert.equal(linePauseMs({ ...later, pause: false }), 0)
    assert.equal(linePauseMs({ is: 'unsent' }), 0)
  })
  it('an SMS whose response never came is tried once more, by grace and by a late refusal', () => {
    const events = [1, 2, 3].map(afterGrace)
    assert.deepEqual(
      events.map((event) => 'mayRetry' in event && event.mayRetry),
      [true, false, false],
    )
    assert.deepEqual(afterGrace(1).type, 'GRACE_OVER')
    const chance = () => 0
    assert.deepEqual(afterLateRefusal({ is: 'failed', status: 1 }, 1, chance), {
      event: { type: 'REFUSED' },
      waitMs: 0,
    })
    const later = { is: 'later', status: 1, pause: false } as const
    for (const [losses, mayRetry, waitMs] of [
      [1, true, 1_000],
      [2, false, 2_000],
    ] as const)
      assert.deepEqual(afterLateRefusal(later, losses, chance), { event: { type: 'LATER', mayRetry }, waitMs })
    assert.equal(afterLateRefusal({ ...later, destination: true }, 1, chance).waitMs, 30_000)
  })
  it('the wait doubles up to a minute, by chance down to its half, however often it was tried', () => {
    for (const [tries, most] of [
      [1, 2_000],
      [5, 32_000],
      [6, 60_000],
      [16, 60_000],
      [2_000, 60_000],
    ] as const) {
      const waits = [0, 0.5, 1].map((lot) => laterMs(false, tries, () => lot))
      assert.deepEqual(waits, [most / 2, (most * 3) / 4, most])
    }
    assert.deepEqual([laterMs(true, 9, () => 0.5), unsentMs(() => 0.5)], [105_000, 3_000])
  })
})
