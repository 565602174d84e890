import assert from 'node:assert/strict'
import { openLoop, type RateOptions } from '../../../src/simulator/load/rate.ts'
import { seededChance } from '../../../src/simulator/smsc/chaos.ts'
import { fakeClock } from '../../support/clock.ts'

describe('an open loop', () => {
  /** Phones that are free again at once, or never; what was said, and when it was due and sent, from the start. */
  function started(options: Partial<RateOptions>, isFreeAgain = true) {
    const clock = fakeClock(0)
    const said: { index: number; dueMs: number; atMs: number }[] = []
    const rate = openLoop(
      { perSecond: 100, phones: 2, ...options },
      {
        clock,
        nowMs: clock.now,
        isOver: () => false,
        say(index, dueMs) {
          said.push({ index, dueMs, atMs: clock.now() })
          if (isFreeAgain) rate.free(index)
        },
      },
    )
    for (let index = 0; index < (options.phones ?? 2); index++) rate.free(index)
    return { clock, said, rate, stop: rate.start(0) }
  }

  it('says turns as they become due, each on the phone that has been free longest', async () => {
    const { clock, said, stop } = started({})
    await clock.advance(45)
    stop()
    await clock.advance(100)
    assert.deepEqual(
      said.map(({ index, dueMs }) => [index, dueMs]),
      [
        [0, 10],
        [1, 20],
        [0, 30],
        [1, 40],
      ],
    )
  })

  it('counts from when a turn became due, however long every phone waited', async () => {
    const { clock, said, rate } = started({ phones: 1 }, false)
    await clock.advance(500)
    rate.free(0)
    await clock.advance(1)
    assert.deepEqual(
      said.map(({ dueMs, atMs }) => [dueMs, atMs]),
      [
        [10, 10],
        [20, 501],
      ],
    )
  })

  it('tells of the turns that became due and found no phone', async () => {
    const { clock, rate } = started({ phones: 1 }, false)
    await clock.advance(55)
    const left: number[] = []
    rate.leave(55, (dueMs) => left.push(dueMs))
    rate.leave(500, (dueMs) => left.push(dueMs))
    assert.deepEqual(left, [20, 30, 40, 50])
  })

  it('tells of none where a phone is free: they became due since it last looked', async () => {
    const { clock, rate } = started({})
    await clock.advance(55)
    const left: number[] = []
    rate.leave(75, (dueMs) => left.push(dueMs))
    assert.deepEqual(left, [])
  })

  it('lets turns become due at random, the same for the same seed, and as many on the whole', async () => {
    const play = async (seed: number) => {
      const { clock, said } = started({ perSecond: 500, chance: seededChance(seed) })
      await clock.advance(4_000)
      return said.map(({ dueMs }) => dueMs)
    }
    const [one, again, other] = [await play(7), await play(7), await play(8)]
    assert.deepEqual(one, again)
    assert.notDeepEqual(one, other)
    assert.ok(Math.abs(one.length - 2_000) < 200, `${one.length} of some 2,000`)
    const gaps = one.slice(1).map((dueMs, i) => dueMs - one[i]!)
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length
    const spread = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length)
    // Of an exponential distribution the one is the other.
    assert.ok(Math.abs(spread / mean - 1) < 0.15, `${spread} over ${mean}`)
  })
})
