import assert from 'node:assert/strict'
import { gate } from '../../../src/base/tasks/semaphore.ts'
import { settle } from '../../support/clock.ts'

describe('a gate', () => {
  it('is never over, and the others follow in their order', async () => {
    const gated = gate(2)
    const begun: number[] = []
    const ends: (() => void)[] = []
    const all = [0, 1, 2, 3].map((n) =>
      gated(() => {
        begun.push(n)
        return new Promise<number>((done) => ends.push(() => done(n)))
      }),
    )
    await settle()
    assert.deepEqual(begun, [0, 1])
    ends[1]!()
    await settle()
    const late = gated(async () => begun.push(9))
    await settle()
    assert.deepEqual(begun, [0, 1, 2])
    ends[0]!()
    await settle()
    assert.deepEqual(begun, [0, 1, 2, 3])
    for (const end of ends.slice(2)) end()
    assert.deepEqual(await Promise.all(all), [0, 1, 2, 3])
    await late
    assert.deepEqual(begun, [0, 1, 2, 3, 9])
  })

  it('is free again where what had it failed', async () => {
    const gated = gate(1)
    await assert.rejects(
      gated(() => Promise.reject(new Error('no'))),
      /no/,
    )
    assert.equal(await gated(async () => 'yes'), 'yes')
  })
})
