/** The regular jobs of the SMS side. */
import assert from 'node:assert/strict'
import { silentLog } from '../../../src/base/log/port.ts'
import { repeated } from '../../../src/sms/outbox/upkeep.ts'
import { fakeClock, settle } from '../../support/clock.ts'

describe('a regular job of the SMS side', () => {
  it('runs at its interval, the next only after the last has ended, and not at once', async () => {
    const clock = fakeClock()
    const ends: (() => void)[] = []
    const job = repeated(1_000, () => new Promise<void>((done) => ends.push(done)), { clock, log: silentLog })
    job.start()
    await clock.advance(999)
    assert.equal(ends.length, 0)
    await clock.advance(5_000)
    assert.equal(ends.length, 1, 'the first is still under way')
    ends[0]!()
    await clock.advance(1_000)
    assert.equal(ends.length, 2)
    ends[1]!()
    await job.stop()
  })
  it('goes on after a failure, with a warning', async () => {
    const clock = fakeClock()
    const warnings: unknown[] = []
    let runs = 0
    const log = { ...silentLog, warn: (...args: unknown[]) => void warnings.push(args) }
    const job = repeated(1_000, () => Promise.reject(new Error(`away ${++runs}`)), { clock, log })
    job.start()
    await clock.advance(3_000)
    assert.equal(runs, 3)
    assert.equal(warnings.length, 3)
    await job.stop()
  })
  it('waits at a stop for what is under way, and runs no more', async () => {
    const clock = fakeClock()
    const ends: (() => void)[] = []
    const job = repeated(1_000, () => new Promise<void>((done) => ends.push(done)), { clock, log: silentLog })
    job.start()
    await clock.advance(1_000)
    let isStopped = false
    const stopped = job.stop().then(() => (isStopped = true))
    await settle()
    assert.equal(isStopped, false)
    ends[0]!()
    await stopped
    await clock.advance(10_000)
    assert.equal(ends.length, 1)
  })
  it('does nothing once it is stopped before its time', async () => {
    const clock = fakeClock()
    let runs = 0
    const job = repeated(1_000, async () => void runs++, { clock, log: silentLog })
    job.start()
    await job.stop()
    await clock.advance(10_000)
    assert.equal(runs, 0)
  })
})
