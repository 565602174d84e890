import assert from 'node:assert/strict'
import type { DaemonState } from '../../src/admin/fleet-service.ts'
import { createSampler } from '../../src/desk/sample.ts'
import { fakeClock } from '../support/clock.ts'

const BEAT_MS = 5_000
const state = (dials: number, received = dials): DaemonState => {
  const traffic = { received, sent: 0, failed: 0, slots: 10, taken: 0 }
  const line = { name: 'test', group: 'test', dialect: 'standard', stopped: false, binds: [], traffic }
  return { ready: true, lines: [line], rates: { dials, turns: dials, sms: 0 }, alarms: [], flows: [] }
}
const row = (name: string, isGone: boolean, dials: number) => {
  const about = { version: '1', node: 'v20', admin: '', startedAt: '' }
  return { name, ...about, ageMs: 100, isGone, state: state(dials) }
}

describe('what all open pages see', () => {
  function scene() {
    const clock = fakeClock(1_000_000)
    const seen = {
      looks: 0,
      beat: state(7) as DaemonState | undefined,
      others: [row('b', false, 2), row('c', true, 90)],
    }
    const sampler = createSampler({
      clock,
      fleet: { name: 'a', known: () => [row('a', true, 99), ...seen.others], own: () => seen.beat },
      state: async () => (seen.looks++, state(100 + seen.looks)),
      own: { version: '1', node: 'v20', admin: '', startedAt: '' },
      lineEvents: { within: async () => [] },
    })
    return { clock, seen, sampler }
  }

  it('keeps the rates of ten minutes by the heartbeats, and looks at nothing for it', async () => {
    const { clock, seen, sampler } = scene()
    for (let n = 0; n < 200; n++) await clock.advance(BEAT_MS)
    assert.equal(seen.looks, 0)
    const { rates } = await sampler.now()
    assert.equal(rates.length, 121)
    assert.deepEqual(rates.at(-1), { dials: 9, turns: 9, sms: 0 })
    sampler.stop()
  })

  it('shows the rates of the heartbeat first, and those since the last look while somebody looks', async () => {
    const { clock, seen, sampler } = scene()
    const first = (await sampler.now()).instances[0]!
    assert.deepEqual([first.state.rates.dials, first.state.lines[0]!.traffic!.received], [7, 7])
    await clock.advance(1_000)
    assert.equal((await sampler.now()).instances[0]!.state.rates.dials, 102)
    await clock.advance(3_600_000)
    assert.equal((await sampler.now()).instances[0]!.state.rates.dials, 7)
    seen.beat = undefined
    await clock.advance(3_600_000)
    assert.equal((await sampler.now()).instances[0]!.state.rates.dials, 104)
    sampler.stop()
  })

  it('looks once a second, however many ask, and at once after a change', async () => {
    const { seen, sampler } = scene()
    await Promise.all([sampler.now(), sampler.now(), sampler.now()])
    assert.equal(seen.looks, 1)
    sampler.changed()
    await sampler.now()
    assert.equal(seen.looks, 2)
    sampler.stop()
  })
})
