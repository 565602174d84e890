import assert from 'node:assert/strict'
import fc from 'fast-check'
import { COUNTED_MS, Lately } from '../../../src/smpp/session/lately.ts'

describe('the count of a second', () => {
  it('has every request for a second at least, and for three hundredths more at most', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2_000_000_000 }),
        fc.array(fc.integer({ min: 0, max: 1_500 }), { minLength: 1, maxLength: 60 }),
        (startMs, gaps) => {
          const lately = new Lately()
          const atMs: number[] = []
          let nowMs = startMs
          for (const gap of gaps) {
            nowMs += gap
            const within = (ms: number) => atMs.filter((at) => at > nowMs - ms).length
            const count = lately.count(nowMs)
            assert.ok(count >= within(1_000) && count <= within(COUNTED_MS), `${count}`)
            lately.add(nowMs)
            atMs.push(nowMs)
          }
        },
      ),
    )
  })

  it('says when fewer count: then they do, and a moment before they do not', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 80 }),
        fc.integer({ min: 1, max: 40 }),
        (gaps, most) => {
          const lately = new Lately()
          let nowMs = 1_000_000
          for (const gap of gaps) lately.add((nowMs += gap))
          const waitMs = lately.untilBelowMs(most, nowMs)
          if (waitMs > 0) assert.ok(lately.count(nowMs + waitMs - 1) >= most)
          assert.ok(lately.count(nowMs + waitMs) < most)
        },
      ),
    )
    assert.equal(new Lately().untilBelowMs(0, 5), Infinity)
  })
})
