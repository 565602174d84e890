import assert from 'node:assert/strict'
import { TurnoverMap } from '../../../src/base/memory/turnover-map.ts'

describe('a Map whose keys come and go', () => {
  it('is like any other Map, through thousands of keys', () => {
    const map = new TurnoverMap<number, string>()
    const plain = new Map<number, string>()
    for (let n = 0; n < 5_000; n++) {
      const key = (n * 7) % 1_013
      if (n % 3 === 0) assert.equal(map.delete(key), plain.delete(key))
      if (n % 5 > 0) {
        map.set(key, `${n}`)
        plain.set(key, `${n}`)
      }
      assert.equal(map.get(key), plain.get(key))
      assert.equal(map.has(key), plain.has(key))
      assert.equal(map.size, plain.size)
    }
    assert.deepEqual([...map], [...plain], 'in the same order')
    assert.deepEqual([...map.keys()], [...plain.keys()])
    assert.deepEqual([...map.values()], [...plain.values()])
    map.clear()
    assert.deepEqual([map.size, [...map], map.get(7)], [0, [], undefined])
  })
})
