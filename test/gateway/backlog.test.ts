import assert from 'node:assert/strict'
import { Backlog } from '../../src/gateway/backlog.ts'
import type { Line } from '../../src/smpp/types.ts'

/** A line whose slots take `eachMs` one after the other. */
const line = (name: string, eachMs = 0) => ({ name, waitMs: (ahead: number) => ahead * eachMs }) as Line
const MAIN = line('main')

function backlog() {
  const it = new Backlog()
  const enter = (count: number, on = MAIN) => Array.from({ length: count }, () => it.enter(on))
  const leave = (count: number, on = MAIN) => Array.from({ length: count }, () => it.leave(on))
  return { it, enter, leave }
}

describe('how long a dial would wait', () => {
  it('is nothing while nothing was measured, however many are here', () => {
    const { it, enter } = backlog()
    enter(1_000)
    assert.equal(it.waitMs(MAIN), 0)
  })

  it('is what those before it cost the event loop', () => {
    const { it, enter, leave } = backlog()
    it.measure(0, 0)
    enter(150)
    leave(50)
    it.measure(250, 250)
    assert.equal(it.waitMs(MAIN), 500, 'a hundred at 5 ms')
    assert.equal(it.waitMs(MAIN, 60), 200, 'those that came later are not before it')
  })

  it('is for its own line what the slots of that line take, if that is longer', () => {
    const { it, enter, leave } = backlog()
    const slow = line('slow', 50)
    it.measure(0, 0)
    enter(150)
    leave(50)
    enter(20, slow)
    it.measure(250, 250)
    assert.deepEqual([it.waitMs(slow), it.waitMs(MAIN)], [1_000, 600])
  })

  it('does not grow with what a quiet loop does: dialogues that wait for a back end cost nothing', () => {
    const { it, enter, leave } = backlog()
    it.measure(0, 0)
    enter(500)
    leave(30)
    it.measure(1_000, 400)
    assert.equal(it.waitMs(MAIN), 0)
  })

  it('is known again after a rest, from what was measured last', () => {
    const { it, enter, leave } = backlog()
    it.measure(0, 0)
    enter(50)
    leave(50)
    it.measure(250, 250)
    it.measure(3_600_000, 4_000)
    enter(100)
    assert.equal(it.waitMs(MAIN), 500)
  })

  it('measures over as long as it takes to finish some: the first of a crowd are slow', () => {
    const { it, enter, leave } = backlog()
    it.measure(0, 0)
    enter(200)
    leave(5)
    it.measure(250, 250)
    assert.equal(it.waitMs(MAIN), 0)
    assert.ok(it.isDue(260), 'it waits for more')
    leave(95)
    it.measure(500, 500)
    assert.equal(it.waitMs(MAIN), 500, 'a hundred in 500 ms')
  })

  it('forgets what was, over a few measurements', () => {
    const { it, enter, leave } = backlog()
    let [nowMs, activeMs] = [0, 0]
    const round = (eachMs: number) => {
      enter(100)
      leave(100)
      it.measure((nowMs += 100 * eachMs), (activeMs += 100 * eachMs))
    }
    it.measure(0, 0)
    round(10)
    for (let n = 0; n < 12; n++) round(2.5)
    enter(100)
    assert.ok(Math.abs(it.waitMs(MAIN) - 250) < 20, `${it.waitMs(MAIN)} ms`)
  })

  it('is for the cap of the line where nothing takes longer', () => {
    const it = new Backlog()
    const capped = (capMs: number, slotMs: number) =>
      ({ ...line('main', Math.max(capMs, slotMs)), capWaitMs: (ahead: number) => ahead * capMs }) as Line
    assert.equal(it.isCapped(capped(10, 5)), false, 'nobody waits')
    for (let n = 0; n < 100; n++) it.enter(MAIN)
    assert.deepEqual([it.isCapped(capped(10, 5)), it.isCapped(capped(5, 10)), it.isCapped(MAIN)], [true, false, false])
  })
})
