import assert from 'node:assert/strict'
import { createStillness } from '../../../src/base/time/stillness.ts'
import { fakeClock } from '../../support/clock.ts'

function standing() {
  const clock = fakeClock()
  const startMs = clock.now()
  let setByMs = 0
  const { last, stop } = createStillness({ monotonicMs: () => clock.now() - startMs - setByMs, clock })
  const told = () => {
    const still = last()
    return still && [still.fromMs - startMs, still.toMs - startMs]
  }
  /** The wall clock alone. */
  const setBy = (ms: number) => (clock.set(ms), (setByMs += ms))
  return { clock, told, stop, setBy }
}

describe('whether the process stood still', () => {
  it('nothing has waited while the loop turns, however seldom something is read', async () => {
    const { clock, told, stop } = standing()
    for (let i = 0; i < 20; i++) {
      assert.equal(told(), undefined)
      await clock.advance(1_700)
    }
    stop()
  })
  it('after it was stopped, what is read may have waited since then; two seconds later it is fresh', async () => {
    const { clock, told, stop } = standing()
    await clock.advance(1_000)
    clock.set(8_000) // no timer runs: the socket is read first
    assert.deepEqual(told(), [1_000, 9_000])
    await clock.advance(600) // now its timers have run
    assert.deepEqual(told(), [1_000, 9_000])
    await clock.advance(1_500)
    assert.equal(told(), undefined)
    stop()
  })
  it('a wall clock that is set is no standstill', async () => {
    const { clock, told, stop, setBy } = standing()
    await clock.advance(1_000)
    setBy(3_600_000)
    assert.equal(told(), undefined)
    await clock.advance(1_000)
    assert.equal(told(), undefined)
    stop()
  })
})
