import assert from 'node:assert/strict'
import { shareOfCore } from './pace.ts'

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
