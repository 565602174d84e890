import assert from 'node:assert/strict'
import { abortAfter } from '../../../src/base/time/abort-after.ts'
import { fakeClock } from '../../support/clock.ts'

describe('a signal with a deadline', () => {
  it('is aborted at its time, and not once it is over', async () => {
    const clock = fakeClock()
    const [first, other] = [abortAfter(clock, 100), abortAfter(clock, 100)]
    await clock.advance(99)
    other.over()
    assert.equal(first.signal.aborted, false)
    await clock.advance(1)
    assert.deepEqual([first.signal.aborted, other.signal.aborted], [true, false])
  })

  it('is aborted with the other one, at once if that is aborted already, and not once it is over', () => {
    const clock = fakeClock()
    const by = new AbortController()
    const [first, other] = [abortAfter(clock, 100, by.signal), abortAfter(clock, 100, by.signal)]
    other.over()
    by.abort()
    assert.deepEqual([first.signal.aborted, other.signal.aborted], [true, false])
    assert.equal(abortAfter(clock, 100, by.signal).signal.aborted, true)
  })
})
