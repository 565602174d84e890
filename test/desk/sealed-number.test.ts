import assert from 'node:assert/strict'
import { openedNumber, sealedNumber } from '../../src/desk/sealed-number.ts'

describe('a number in the address of a page', () => {
  const sealed = sealedNumber('the key of the fleet', '67570000001')

  it('is not seen there, and is the same number in each daemon', () => {
    assert.doesNotMatch(sealed, /6757|0001/)
    assert.ok(!Buffer.from(sealed, 'base64url').toString('latin1').includes('67570000001'))
    assert.equal(openedNumber('the key of the fleet', sealed), '67570000001')
    assert.notEqual(sealedNumber('the key of the fleet', '67570000001'), sealed)
  })
  it('is nothing under another key, or changed', () => {
    assert.equal(openedNumber('another key', sealed), undefined)
    const octets = Buffer.from(sealed, 'base64url')
    for (let at = 0; at < octets.length; at++) {
      const changed = Buffer.from(octets)
      changed[at]! ^= 1
      assert.equal(openedNumber('the key of the fleet', changed.toString('base64url')), undefined)
    }
    for (const other of ['', 'x', 'a'.repeat(4_000)])
      assert.equal(openedNumber('the key of the fleet', other), undefined)
  })
})
