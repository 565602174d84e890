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

describe('a line with a cap, under a virtual clock', () => {
  it('answers dials, and sends one-time passwords, before 10,000 SMS that are due, and never more than the cap', async function () {
    this.timeout(120_000)
    const told = await throttled({
      seed: 1,
      allowed: Infinity,
      set: 1_000,
      count: 10_000,
      dialsPerSecond: 4,
      otpsPerSecond: 2,
      cap: { perSecond: 40, ussdShare: 0.05 },
      pollMs: 1_000,
      forMs: 25_000,
    })
    assert.ok(told.mostInSecond <= 40, `${told.mostInSecond} in a second`)
    assert.ok(told.submits >= 0.9 * 40 * 25, `${told.submits} of ${40 * 25}`)
    const slowest = (all: number[]) => all.toSorted((a, b) => a - b).at(Math.floor(all.length * 0.99))!
    assert.ok(told.screensMs.length > 150)
    assert.ok(slowest(told.screensMs) <= 250, `screens: ${slowest(told.screensMs)} ms`)
    assert.ok(told.otpsMs.length > 30)
    assert.ok(slowest(told.otpsMs) <= 1_500, `one-time passwords: ${slowest(told.otpsMs)} ms`)
    assert.deepEqual([told.doubled, told.odd], [0, []])
  })
})
