import assert from 'node:assert/strict'
import { Alarm } from '../../../src/smpp/session/alarm.ts'
import { fakeClock } from '../../support/clock.ts'

const DAYS_30_MS = 30 * 24 * 3_600_000

function stage() {
  const clock = fakeClock()
  const startMs = clock.now()
  const rung: number[] = []
  const alarm = new Alarm(clock, () => void rung.push(clock.now() - startMs))
  return { clock, startMs, rung, alarm }
}

describe('an alarm', () => {
  it('rings once, for what is due first', async () => {
    const { clock, startMs, rung, alarm } = stage()
    for (const ms of [3_000, 1_000, 2_000, Infinity]) alarm.by(startMs + ms)
    await clock.advance(10_000)
    assert.deepEqual(rung, [1_000])
    alarm.by(startMs + 12_000)
    await clock.advance(10_000)
    assert.deepEqual(rung, [1_000, 12_000])
  })

  it('rings at once for what is past, and before the time for what no timer reaches', async () => {
    const { clock, startMs, rung, alarm } = stage()
    alarm.by(startMs - 1)
    await clock.advance(0)
    assert.deepEqual(rung, [0])
    alarm.by(startMs + DAYS_30_MS)
    await clock.advance(2 ** 31 - 1)
    assert.deepEqual(rung, [0, 2 ** 31 - 1])
  })

  it('does not ring once it is off, or for nothing', async () => {
    const { clock, startMs, rung, alarm } = stage()
    alarm.by(Infinity)
    alarm.by(startMs + 1_000)
    alarm.off()
    await clock.advance(10_000)
    assert.deepEqual(rung, [])
    alarm.by(clock.now() + 5)
    await clock.advance(5)
    assert.equal(rung.length, 1, 'it may be set again')
  })
})
