import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { keptWaitingMs, shareOfCore, stallsOf, watchOwnTime } from './pace.ts'

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

describe('the time that a process was kept waiting for a processor', () => {
  it('is read of the system, and 0 of a process that is gone', function () {
    assert.equal(keptWaitingMs(2 ** 30), 0)
    if (!existsSync(`/proc/${process.pid}/schedstat`)) return this.skip()
    const before = keptWaitingMs(process.pid)
    shareOfCore({ spinMs: 20 })
    assert.ok(before > 0 && keptWaitingMs(process.pid) >= before)
  })
})

describe('a wait without what the machine adds', () => {
  it('stands still while one of the processes was kept from running, and is never less than nothing', () => {
    let wallMs = 0
    const kept = new Map([
      [1, 500],
      [2, 70],
    ])
    const read = watchOwnTime([1, 2], { nowMs: () => wallMs, keptMs: (pid) => kept.get(pid)! })
    wallMs = 90
    assert.equal(read(), 90)
    kept.set(1, 520)
    kept.set(2, 80)
    assert.equal(read(), 60)
    // Both at once, on two processors.
    kept.set(1, 600)
    assert.equal(read(), 0)
  })
  it('is the whole wait where the system does not tell', () => {
    let wallMs = 5
    const read = watchOwnTime([2 ** 30], { nowMs: () => wallMs })
    wallMs = 12
    assert.equal(read(), 7)
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
