import assert from 'node:assert/strict'
import { createLockout, FAILED_EACH_MS, FAILED_MAX } from '../../src/base/lockout.ts'
import { createRefusals, type HttpRefusal } from '../../src/base/refusals.ts'

describe('a lock-out', () => {
  it('is said once, and once more after a rest', () => {
    const lockout = createLockout()
    const fails = (times: number, nowMs: number) => Array.from({ length: times }, () => lockout.fail('a', nowMs))
    assert.deepEqual(fails(FAILED_MAX + 2, 0), [...Array<string>(FAILED_MAX).fill('told'), 'locks', 'locked'])
    assert.deepEqual(fails(2, FAILED_EACH_MS), ['told', 'locked'], 'it has not rested')
    assert.equal(lockout.fail('b', 0), 'told')
    const rested = FAILED_EACH_MS * (FAILED_MAX + 2)
    assert.deepEqual(fails(FAILED_MAX + 1, rested).slice(-2), ['told', 'locks'])
  })
})

describe('refusals', () => {
  it('are all counted, and logged as long as they are few', () => {
    const told: HttpRefusal[] = []
    const counted = new Map<string, number>()
    const refuse = createRefusals({
      now: () => 0,
      count: (why) => counted.set(why, (counted.get(why) ?? 0) + 1),
      tell: (refusal) => told.push(refusal),
    })
    for (let i = 0; i < 100; i++) refuse({ why: 'wrong', address: '2001:db8::1', method: 'POST' })
    refuse({ why: 'rate', address: '2001:db8::1', method: 'POST', who: 'shop' })
    refuse({ why: 'wrong', address: '192.0.2.1', method: 'POST' })
    assert.deepEqual(
      [...counted],
      [
        ['wrong', 101],
        ['rate', 1],
      ],
    )
    assert.equal(told.length, FAILED_MAX + 2)
  })
})
