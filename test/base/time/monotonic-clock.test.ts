import assert from 'node:assert/strict'
import { monotonicClock } from '../../../src/base/time/monotonic-clock.ts'
import { fakeClock } from '../../support/clock.ts'

const HOUR = 3_600_000

describe('time that never goes back', () => {
  it('goes on from where it was when the clock is set back, again and again', async () => {
    const clock = fakeClock(0)
    const now = monotonicClock(clock)
    await clock.advance(1_000)
    assert.equal(now(), 1_000)
    for (const [n, byMs] of [-HOUR, -24 * HOUR].entries()) {
      clock.set(byMs)
      assert.equal(now(), 1_000 + n * 500)
      await clock.advance(500)
      assert.equal(now(), 1_500 + n * 500)
    }
  })
})
