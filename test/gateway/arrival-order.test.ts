import assert from 'node:assert/strict'
import { ArrivalOrder } from '../../src/gateway/arrival-order.ts'

describe('the order of messages', () => {
  it('of one subscriber is that of their arrival, and each is decided alone', async () => {
    const order = new ArrivalOrder()
    const told: string[] = []
    const slow = () => new Promise<void>((done) => setImmediate(done))
    const message = (name: string) => async () => {
      told.push(`${name} begins`)
      await slow()
      told.push(`${name} done`)
      return name
    }
    assert.deepEqual(await Promise.all(['a', 'b', 'c'].map((name) => order.after('ann', message(name)))), [
      'a',
      'b',
      'c',
    ])
    assert.deepEqual(
      told,
      ['a', 'b', 'c'].flatMap((name) => [`${name} begins`, `${name} done`]),
    )
  })

  it('says nothing of other subscribers', async () => {
    const order = new ArrivalOrder()
    const never = order.after('ann', () => new Promise(() => undefined))
    assert.equal(await order.after('bob', async () => 'served'), 'served')
    void never
  })

  it('goes on behind one that failed, whose failure is its own', async () => {
    const order = new ArrivalOrder()
    const failed = order.after('ann', async () => Promise.reject(new Error('store')))
    const next = order.after('ann', async () => 'served')
    await assert.rejects(failed, /store/)
    assert.equal(await next, 'served')
  })

  it('is kept only while a message waits', async () => {
    const order = new ArrivalOrder()
    await Promise.all(['ann', 'ann', 'bob'].map((name) => order.after(name, async () => undefined)))
    assert.equal(order.waiting(), 0)
  })
})
