import assert from 'node:assert/strict'
import { Recent } from '../../src/base/recent.ts'

describe('what was set last', () => {
  it('keeps at least so many keys, at most twice as many, and of one key the newest value', () => {
    const recent = new Recent<string, number>(3)
    assert.equal(recent.get('a'), undefined)
    for (const [n, key] of ['a', 'b', 'c', 'a', 'd'].entries()) recent.set(key, n)
    assert.deepEqual(
      ['a', 'b', 'c', 'd'].map((key) => recent.get(key)),
      [3, 1, 2, 4],
    )
    recent.set('e', 5)
    assert.deepEqual(
      ['a', 'b', 'c', 'd', 'e'].map((key) => recent.get(key)),
      [3, undefined, undefined, 4, 5],
      'what was set again is kept longer',
    )
    for (let n = 0; n < 1_000; n++) recent.set('z', n)
    assert.deepEqual([recent.get('z'), recent.get('a')], [999, 3], 'one key pushes out none')
  })
})
