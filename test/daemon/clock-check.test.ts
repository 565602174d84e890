import assert from 'node:assert/strict'
import { carriedTime } from '../../src/base/time/wall-clock.ts'
import { createClockCheck } from '../../src/daemon/clock-check.ts'
import { fakeClock } from '../support/clock.ts'

/** A machine whose clock is `aheadMs` ahead of its stores, and what it logs. */
function machine({ redisMs = 0, postgresMs = 0, wayMs = 0 } = {}) {
  const clock = fakeClock()
  const logged: string[] = []
  const at = { wall: 0, redis: redisMs, postgres: postgresMs, isAway: false, gauges: [] as unknown[] }
  const note = (level: string) => (_: object, message: string) => void logged.push(`${level}: ${message}`)
  const asked = (store: 'redis' | 'postgres') => async () => {
    if (at.isAway) throw new Error('away')
    if (wayMs > 0) await clock.advance(wayMs)
    return clock.now() - at[store]
  }
  let read = (): unknown => undefined
  const { wall, now } = carriedTime({ now: () => clock.now() + at.wall, steady: () => clock.now() })
  const check = createClockCheck({
    wall,
    stores: { redis: asked('redis'), postgres: asked('postgres') },
    clock,
    log: { error: note('error'), warn: note('warn'), info: note('info'), debug: note('debug') },
    metrics: { gauges: (_name, _help, _labels, values) => void (read = values) },
  })
  return { check, clock, at, logged, time: now, gauges: () => read() }
}

describe('the clock of the machine against those of the stores', () => {
  it('is right within a second either way, and is not known before the stores were asked', async () => {
    for (const ms of [-1_000, 0, 1_000]) {
      const { check, logged, gauges } = machine({ redisMs: ms, postgresMs: ms })
      assert.deepEqual([check.isKnown(), check.isRight()], [false, true])
      await check.start()
      assert.deepEqual([check.isKnown(), check.isRight(), logged], [true, true, []])
      assert.deepEqual(gauges(), [
        { labels: { store: 'redis' }, value: ms / 1_000 },
        { labels: { store: 'postgres' }, value: ms / 1_000 },
      ])
      check.stop()
    }
  })
  it('is wrong an hour or two seconds off, which is said once, and right again when it is', async () => {
    for (const ms of [3_600_000, -3_600_000, 2_000]) {
      const { check, clock, at, logged } = machine({ redisMs: ms, postgresMs: ms })
      await check.start()
      await clock.advance(20_000)
      assert.deepEqual([check.isKnown(), check.isRight(), check.state().ok], [false, false, false])
      assert.deepEqual(logged, ['error: the clock of this machine is wrong: no turns, no SMS'])
      at.redis = at.postgres = 0
      await clock.advance(5_000)
      assert.deepEqual([check.isKnown(), check.isRight()], [true, true])
      assert.equal(logged.at(-1), 'info: the clock of this machine is right again')
      check.stop()
    }
  })
  it('is wrong at once where it was set: nobody waits for the next look', async () => {
    const { check, clock, at } = machine()
    await check.start()
    at.wall = 3_600_000
    assert.equal(check.isRight(), false)
    await clock.advance(0)
    assert.equal(check.isRight(), false, 'it was looked at, and is an hour ahead')
    at.wall = 0
    assert.equal(check.isRight(), false, 'set again')
    await clock.advance(0)
    assert.equal(check.isRight(), true)
    check.stop()
  })
  it('does not move the time of a running turn when it is set, until it was found right', async () => {
    const { check, clock, at, time } = machine()
    const aheadMs = () => time() - clock.now()
    assert.equal(aheadMs(), 0)
    await check.start()
    for (const ms of [3_600_000, -3_600_000]) {
      at.wall = ms
      await clock.advance(300)
      assert.equal(aheadMs(), 0, 'not looked at yet')
      assert.equal(check.isRight(), false)
      await clock.advance(20_000)
      assert.equal(aheadMs(), 0, 'looked at, and wrong')
    }
    at.wall = 300
    await clock.advance(5_000)
    assert.deepEqual([aheadMs(), check.isRight()], [300, true], 'set a little, as NTP does')
    at.isAway = true
    at.wall = 3_600_000
    await clock.advance(5_000)
    assert.equal(aheadMs(), 300, 'nobody says that it is right')
    check.stop()
  })
  it('is told as it is until a store was asked for the first time', async () => {
    const { check, at, clock, time } = machine()
    at.wall = -60_000
    assert.equal(time() - clock.now(), -60_000)
    await check.start()
    assert.deepEqual([check.isRight(), time() - clock.now()], [false, -60_000])
    check.stop()
  })
  it('is held by what a store said last while that is away, also where the clock was set meanwhile', async () => {
    const { check, clock, at } = machine()
    await check.start()
    at.isAway = true
    await clock.advance(20_000)
    assert.equal(check.isRight(), true)
    at.wall = 60_000
    check.isRight()
    await clock.advance(0)
    assert.equal(check.isRight(), false)
    assert.deepEqual(check.state().aheadMs, { redis: 60_000, postgres: 60_000 })
    check.stop()
  })
  it('is trusted after ten questions where no store tells its time: one may forbid it', async () => {
    const { check, clock, at } = machine()
    at.isAway = true
    await check.start()
    await clock.advance(4_000)
    assert.deepEqual([check.isKnown(), check.isRight()], [false, true])
    await clock.advance(1_000)
    assert.equal(check.isKnown(), true)
    check.stop()
  })
  it('is not blamed for a long way to the store', async () => {
    const { check } = machine({ redisMs: 1_500, postgresMs: 0, wayMs: 3_000 })
    await check.start()
    assert.equal(check.isRight(), true)
    check.stop()
  })
  it('is said where Redis and Postgres differ', async () => {
    const { check, logged } = machine({ redisMs: -800, postgresMs: 800 })
    await check.start()
    assert.deepEqual([check.isRight(), logged], [true, ['warn: the clocks of Redis and Postgres differ']])
    check.stop()
  })
})
