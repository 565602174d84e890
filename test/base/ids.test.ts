/** Ids that we mint: unlike each other, sorted by time, and chance never given out twice. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { pooled, randomWords, uuidV7 } from '../../src/base/ids.ts'

describe('a minted id', () => {
  it('is a UUID of version 7 that begins with its time', () => {
    const id = uuidV7(0x01968a2e7c00, () => new Uint8Array(10).fill(0xff))
    assert.equal(id, '01968a2e-7c00-7fff-bfff-ffffffffffff')
  })

  it('sorts by time', () => {
    const ids = [1, 255, 256, 1_746_054_000_000, 1_746_054_000_001].map((ms) => uuidV7(ms, randomBytes))
    assert.deepEqual(ids.toSorted(), ids)
  })
})

describe('pooled chance', () => {
  const counted = () => {
    let next = 0
    const asked: number[] = []
    const random = (octets: number) => {
      asked.push(octets)
      return Uint8Array.from({ length: octets }, () => next++ & 0xff)
    }
    return { random, asked }
  }

  it('gives every octet out once, in pieces of the size that is asked for', () => {
    const { random, asked } = counted()
    const take = pooled(random, 20)
    const pieces = [take(9), take(9), take(9), take(9)]
    assert.deepEqual(
      pieces.map((piece) => piece.length),
      [9, 9, 9, 9],
    )
    const given = pieces.flatMap((piece) => [...piece])
    assert.equal(new Set(given).size, given.length)
    assert.deepEqual(asked, [20, 20])
  })

  it('leaves what was given alone when the pool is filled again', () => {
    const take = pooled(counted().random, 8)
    const first = take(8)
    const before = [...first]
    take(8)
    assert.deepEqual([...first], before)
  })

  it('gives more than the pool holds', () => {
    assert.equal(pooled(counted().random, 8)(50).length, 50)
  })
})

describe('random words', () => {
  it('are cut from one block, each octet in one word, and none comes twice', () => {
    let calls = 0
    const random = (octets: number) => {
      calls++
      return randomBytes(octets)
    }
    const next = randomWords(random, 9)
    const words = Array.from({ length: 1_000 }, next)
    assert.equal(new Set(words).size, 1_000)
    assert.equal(calls, Math.ceil(1_000 / 256))
    assert.ok(words.every((word) => /^[A-Za-z0-9_-]{12}$/.test(word)))
    const counting = randomWords((octets) => Uint8Array.from({ length: octets }, (_, n) => n & 0xff), 3)
    assert.deepEqual([counting(), counting()], ['AAEC', 'AwQF'])
  })
})
