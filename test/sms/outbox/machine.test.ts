import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  nextState,
  statesHearing,
  reminderMachine,
  type ReminderEvent,
  type ReminderState,
} from '../../../machines/reminder.ts'
import { messageKey } from '../../../src/sms/outbox/message-id.ts'
import { laterMs, unsentMs } from '../../../src/sms/outbox/retry-policy.ts'

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
