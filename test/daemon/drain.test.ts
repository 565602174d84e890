import assert from 'node:assert/strict'
import { drain, stopTimes } from '../../src/daemon/drain.ts'
import { fakeClock } from '../support/clock.ts'

const DEFAULT_MS = 15_000

describe('a stop', () => {
  it('keeps a part of its time for unbind: a quarter, at most two seconds', () => {
    assert.deepEqual(stopTimes(1_000, DEFAULT_MS), { repliesMs: 14_000, goneMs: 16_000 })
    assert.deepEqual(stopTimes(0, 400), { repliesMs: 300, goneMs: 400 })
    assert.deepEqual(stopTimes(5, 0), { repliesMs: 5, goneMs: 5 })
  })

  it('waits for turns and requests until then, and no longer', async () => {
    const clock = fakeClock()
    for (const [turns, requests] of [
      [1, 0],
      [0, 1],
    ] as const) {
      const startMs = clock.now()
      let drained = 0
      const gateway = {
        drain: () => void drained++,
        turnsUnderWay: () => turns,
        requestsUnderWay: () => requests,
      }
      let overMs = 0
      void drain(gateway, clock, stopTimes(startMs, DEFAULT_MS).repliesMs).then(() => (overMs = clock.now()))
      await clock.advance(12_900)
      assert.deepEqual([drained, overMs], [1, 0])
      await clock.advance(200)
      assert.ok(overMs - startMs <= 13_020, `${overMs - startMs} ms`)
    }
  })

  it('is over at once where nothing is owed', async () => {
    const clock = fakeClock()
    const gateway = { drain: () => undefined, turnsUnderWay: () => 0, requestsUnderWay: () => 0 }
    await drain(gateway, clock, clock.now() + DEFAULT_MS)
  })
})
