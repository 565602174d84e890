import assert from 'node:assert/strict'
import { RecentMap } from '../../../src/base/memory/recent-map.ts'

describe('a Map that forgets what was not set for long', () => {
  it('knows the keys that were set last, as many as it should, and at most as many more', () => {
    const max = 50
    const map = new RecentMap<number, number>(max)
    const lastSet = new Map<number, number>()
    for (let n = 0; n < 5_000; n++) {
      const key = (n * n * 7 + (n % 13)) % 211
      map.set(key, n)
      lastSet.delete(key)
      lastSet.set(key, n)
      const recent = [...lastSet.keys()].toReversed()
      for (const known of recent.slice(0, max)) assert.equal(map.get(known), lastSet.get(known), `after ${n}`)
      assert.ok(recent.filter((known) => map.get(known) !== undefined).length <= 2 * max)
    }
  })

  it('never forgets a key that is set all the time, however many others come', () => {
    const map = new RecentMap<string, number>(2)
    for (let n = 0; n < 100; n++) {
      map.set('busy', n)
      map.set(`other ${n}`, n)
      assert.equal(map.get('busy'), n)
    }
  })

  it('knows the last key where it should know one', () => {
    const map = new RecentMap<string, number>(1)
    map.set('a', 1)
    map.set('a', 2)
    assert.equal(map.get('a'), 2)
    map.set('b', 1)
    map.set('c', 1)
    assert.deepEqual([map.get('a'), map.get('c')], [undefined, 1])
  })
})
