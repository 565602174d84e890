/** Who has so many SMS due that others wait for them; and where the next claim begins. */
import assert from 'node:assert/strict'
import { Crowds } from '../../../src/sms/outbox/crowds.ts'
import { Heads } from '../../../src/sms/outbox/heads.ts'
import type { ClaimedRow } from '../../../src/sms/outbox/rows.ts'

let serial = 0
const row = (msisdn: string, more: Partial<ClaimedRow> = {}): ClaimedRow =>
  ({
    id: String(++serial),
    owed_line: 'a',
    kind: 'k',
    has_more: true,
    kinds: 1,
    is_again: false,
    msisdn,
    ...more,
  }) as ClaimedRow
const rows = (n: number, msisdn: string, more: Partial<ClaimedRow> = {}) =>
  Array.from({ length: n }, () => row(msisdn, more))
const others = (n: number) => Array.from({ length: n }, (_, i) => row(`o${i}`))

describe('a crowd', () => {
  const told = (crowds: Crowds, all: ClaimedRow[], nowMs = 0) =>
    crowds.among(all, nowMs).map(({ line, kind, msisdn, alone }) => `${line} ${kind} ${msisdn}${alone ? ' alone' : ''}`)
  it('is more than three of twenty of one line and kind; all of them are one who may be alone', () => {
    assert.deepEqual(told(new Crowds(), [...rows(4, 'x'), ...others(16)]), ['a k x'])
    assert.deepEqual(told(new Crowds(), [...rows(3, 'x'), ...others(17)]), [])
    assert.deepEqual(told(new Crowds(), [...rows(4, 'x'), ...others(15)]), [], 'not twenty yet')
    assert.deepEqual(told(new Crowds(), [...rows(10, 'x'), ...rows(10, 'y')]), ['a k x', 'a k y'])
    assert.deepEqual(told(new Crowds(), rows(20, 'x')), ['a k x alone'])
    assert.deepEqual(told(new Crowds(), [...rows(10, 'x', { kind: 'l' }), ...rows(10, 'x')]), [], 'two kinds')
    assert.deepEqual(told(new Crowds(), [...rows(10, 'x', { owed_line: 'b' }), ...rows(10, 'x')]), [], 'two lines')
  })
  it('is counted over claims, each sample by itself, and not beyond one that took all that was due', () => {
    const crowds = new Crowds()
    assert.deepEqual(told(crowds, [...rows(3, 'x'), ...others(10)]), [])
    assert.deepEqual(told(crowds, [row('x'), ...others(6)]), ['a k x'])
    assert.deepEqual(told(crowds, rows(19, 'x'), 5_000), [], 'the next sample')
    assert.deepEqual(told(crowds, [row('y', { has_more: false })], 5_000), [], 'nobody else is due')
    assert.deepEqual(told(crowds, rows(19, 'x'), 5_000), [], 'counted anew')
    assert.deepEqual(told(crowds, [row('x')], 5_000), ['a k x alone'])
  })
  it('is told once a second; one that nobody was told of does not count for that', () => {
    const crowds = new Crowds()
    assert.deepEqual(told(crowds, others(20), 0), [])
    assert.equal(told(crowds, rows(20, 'x'), 1).length, 1)
    assert.equal(told(crowds, rows(20, 'x'), 1_000).length, 0)
    assert.equal(told(crowds, rows(20, 'x'), 1_001).length, 1)
    assert.equal(told(crowds, rows(20, 'x', { kind: 'l' }), 1_001).length, 1, 'another kind has its own second')
  })
  it('is counted of 256 lines and kinds at once', () => {
    const crowds = new Crowds()
    for (let n = 0; n < 256; n++) crowds.among([row('x', { kind: `k${n}` })], 0)
    assert.deepEqual(told(crowds, rows(20, 'x', { kind: 'new' })), [])
    assert.deepEqual(told(crowds, rows(19, 'x', { kind: 'k7' })), ['a k7 x alone'])
  })
})

describe('where a claim begins', () => {
  const wants = (named: Record<string, number> = {}, other = 10) => ({ named, other })
  const at = (line: string, kind: string, id: string, more: Partial<ClaimedRow> = {}) =>
    row('x', { owed_line: line, kind, id, since: `s${id}`, ...more })
  const head = (line: string, kind: string, id: string) => ({ line, kind, since: `s${id}`, id })
  const begins = (heads: Heads, of = wants(), nowMs = 0) => JSON.parse(heads.for(of, nowMs) ?? 'null') as unknown
  const after = (claimed: ClaimedRow[], of = wants()) => {
    const heads = new Heads()
    assert.equal(begins(heads, of), null)
    heads.claimed(claimed, null, { wants: of, nowMs: 0 })
    return heads
  }
  it('is behind the last of each kind, for a fifth of a second', () => {
    const heads = after([
      at('a', 'k', '1', { kinds: 2 }),
      at('a', 'l', '2', { kinds: 2 }),
      at('a', 'k', '3', { kinds: 2 }),
    ])
    const known = [head('a', 'k', '3'), head('a', 'l', '2')]
    assert.deepEqual(begins(heads), known)
    assert.deepEqual(begins(heads, wants(), 199), known)
    assert.equal(begins(heads, wants(), 200), null)
  })
  it('is the start where something is wanted of which nothing is known', () => {
    const heads = after([at('a', 'k', '1')])
    assert.deepEqual(begins(heads, wants({ b: 0 })), [head('a', 'k', '1')], 'of b nothing is wanted')
    assert.equal(begins(heads, wants({ b: 1 })), null)
    assert.equal(begins(heads, wants({ a: 1 }, 1)), null, 'of the others nothing is known then')
    assert.deepEqual(begins(heads, wants({ a: 1 }, 0)), [head('a', 'k', '1')])
  })
  it('is the start where a kind was not claimed, or was left as it is; and for a kind that has no more', () => {
    assert.equal(begins(after([at('a', 'k', '1', { kinds: 2 })])), null)
    assert.equal(begins(after([at('a', 'k', '1'), at('a', 'k', '2', { is_again: true })])), null)
    assert.equal(begins(after([at('a', 'k', '1', { is_again: true }), at('a', 'k', '2')])), null)
    const heads = after([at('a', 'k', '1', { kinds: 2 }), at('a', 'l', '2', { kinds: 2, has_more: false })])
    assert.deepEqual(begins(heads), [head('a', 'k', '1')])
  })
  it('moves on with each claim behind it, and stays for lines of which nothing was wanted', () => {
    const both = wants({ a: 5, b: 5 }, 0)
    const heads = after([at('a', 'k', '1'), at('b', 'k', '2')], both)
    const only = wants({ a: 5, b: 0 }, 0)
    heads.claimed([at('a', 'k', '3')], '[]', { wants: only, nowMs: 150 })
    assert.deepEqual(begins(heads, both, 199), [head('b', 'k', '2'), head('a', 'k', '3')])
    assert.equal(begins(heads, both, 200), null, 'its time is that of the claim from the start')
    heads.claimed([at('a', 'k', '4')], null, { wants: both, nowMs: 200 })
    assert.equal(begins(heads, both, 201), null, 'of b nothing is known any more')
  })
  it('is the start after it was told that more is due', () => {
    const heads = after([at('a', 'k', '1')])
    heads.forget()
    assert.equal(begins(heads), null)
  })
})
