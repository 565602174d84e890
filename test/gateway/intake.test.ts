import assert from 'node:assert/strict'
import { createIntake } from '../../src/gateway/intake.ts'

const turnOfTheLoop = () => new Promise<void>((done) => void setImmediate(done))

describe('how requests are taken up', () => {
  it('a few in one turn of the event loop, the others in order in those that follow', async () => {
    const { takeUp } = createIntake({ now: () => 0, perTurn: { least: 3, most: 3 } })
    const begun: number[] = []
    const all = Array.from({ length: 7 }, (_, n) => takeUp(async () => void begun.push(n)))
    assert.deepEqual(begun, [0, 1, 2], 'at once, as far as they go')
    await turnOfTheLoop()
    assert.deepEqual(begun, [0, 1, 2, 3, 4, 5])
    all.push(takeUp(async () => void begun.push(7)))
    await turnOfTheLoop()
    await Promise.all(all)
    assert.deepEqual(begun, [0, 1, 2, 3, 4, 5, 6, 7], 'one that comes later does not overtake')
  })
  it('does not wait for those that it has begun', async () => {
    const { takeUp } = createIntake({ now: () => 0, perTurn: { least: 1, most: 1 } })
    const hung = takeUp(() => new Promise<void>(() => undefined))
    assert.equal(await Promise.race([hung, takeUp(async () => 'next')]), 'next')
  })
  it('hands back what a request answers, or its failure, and goes on', async () => {
    const { takeUp } = createIntake({ now: () => 0, perTurn: { least: 1, most: 1 } })
    const failing = takeUp(async () => {
      throw new Error('its own')
    })
    const [failed, answered] = await Promise.allSettled([failing, takeUp(async () => 5)])
    assert.equal((failed as PromiseRejectedResult).reason.message, 'its own')
    assert.deepEqual(answered, { status: 'fulfilled', value: 5 })
    for (let turn = 0; turn < 3; turn++) await turnOfTheLoop()
    assert.equal(await takeUp(async () => 'after a rest'), 'after a rest')
  })
  it('takes up more while the turns of the loop are short, and few again after a long one', async () => {
    let nowMs = 0
    let begun = 0
    const { takeUp } = createIntake({ now: () => nowMs, perTurn: { least: 10, most: 30 } })
    for (let n = 0; n < 200; n++) void takeUp(async () => void begun++)
    const turns: number[] = []
    for (const tookMs of [1, 1, 1, 1, 1, 50, 1]) {
      nowMs += tookMs
      const before = begun
      await turnOfTheLoop()
      await Promise.resolve()
      turns.push(begun - before)
    }
    assert.deepEqual(turns, [15, 20, 25, 30, 30, 10, 15])
  })
})
