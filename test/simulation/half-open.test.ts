import assert from 'node:assert/strict'
import { FOUND_MS_MAX, halfOpen } from './half-open.ts'

describe('half-open connections, under a virtual clock', () => {
  it('are found within an interval and two time-outs, whenever they die', async () => {
    const foundMs = await halfOpen({ seed: 1, times: 30 })
    assert.deepEqual(
      foundMs.filter((ms) => ms > FOUND_MS_MAX),
      [],
    )
    assert.ok(Math.max(...foundMs) - Math.min(...foundMs) > 1_000, 'they die at one moment only')
  })
  it('are found too late by a daemon that asks too late: the measure tells', async () => {
    const foundMs = await halfOpen({ seed: 1, times: 10, enquireMs: 3_000 })
    assert.ok(foundMs.some((ms) => ms > FOUND_MS_MAX))
  })
})
