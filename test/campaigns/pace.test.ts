import assert from 'node:assert/strict'
import { shareOfCore, stallsOf } from './pace.ts'

describe('the share of a processor that is left to us', () => {
  it('is what was used of the time that was wanted', () => {
    const share = shareOfCore({ spinMs: 20 })
    assert.ok(share > 0 && share <= 1, String(share))
  })
  it('is what the neighbours leave: half of it where they had us wait as long again', () => {
    let wallMs = 0
    const half = { spinMs: 100, nowMs: () => (wallMs += 10), usedMs: () => wallMs / 2 }
    assert.ok(Math.abs(shareOfCore(half) - 0.5) < 0.06)
  })
})

describe('what a machine does to a peer', () => {
  it('is the time that it had it stand still, told once', () => {
    let nowMs = 0
    const stalls = stallsOf(() => nowMs)
    for (nowMs = 20; nowMs <= 100; nowMs += 20) stalls.tick()
    assert.equal(stalls.takeMs(), 0)
    nowMs = 600
    assert.equal(stalls.takeMs(), 440)
    assert.equal(stalls.takeMs(), 0)
    stalls.stop()
  })
})
