import assert from 'node:assert/strict'
import { throttled } from './throttled.ts'

describe('SMS at an SMSC that throttles, under a virtual clock', () => {
  const how = { seed: 1, allowed: 16, set: 20, count: 320, dialsPerSecond: 4 }

  it('use four fifths of the rate that is allowed, and none is lost or doubled', async function () {
    this.timeout(60_000)
    const { perSecond, throttled: refused, taken, doubled, odd } = await throttled(how)
    assert.ok(perSecond >= 0.8 * how.allowed && perSecond <= how.allowed, `${perSecond} a second`)
    assert.ok(refused > 0)
    assert.deepEqual([taken, doubled, odd], [320, 0, []])
  })
  it('come as slow as the line is set, where that is slower: the measure tells', async function () {
    this.timeout(60_000)
    const { perSecond, throttled: refused } = await throttled({ ...how, set: 10 })
    assert.ok(perSecond > 9 && perSecond < 10.5, `${perSecond} a second`)
    assert.equal(refused, 0)
  })
})
