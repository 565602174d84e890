import assert from 'node:assert/strict'
import {
  addPart,
  endText,
  expireTexts,
  type Changed,
  type HeldDeps,
  type PartLimits,
  type SmsPartIn,
} from '../../../src/sms/inbox/parts.ts'

const LIMITS: PartLimits = { partsMax: 10, textsMax: 2, keepMs: 1_000, copyMs: 100 }

describe('the parts of a long SMS of a subscriber', () => {
  let held: HeldDeps | null
  let nowMs: number
  beforeEach(() => {
    held = null
    nowMs = 0
  })

  const part = (reference: number, sequence: number, text: string, more: Partial<SmsPartIn> = {}): SmsPartIn => ({
    group: 'g',
    msisdn: '67570000001',
    to: '123',
    reference,
    total: 2,
    sequence,
    text,
    ...more,
  })
  /** Each value goes through JSON, as on its way to a store. */
  function left<T>({ held: next, told }: Changed<T>): T {
    held = next && (JSON.parse(JSON.stringify(next)) as HeldDeps)
    return told
  }
  const add = (one: SmsPartIn) => {
    const { is, text, gaveUp } = left(addPart(held, one, nowMs, LIMITS))
    return [
      is,
      text,
      ...Object.entries(gaveUp)
        .filter(([, n]) => n > 0)
        .map(([why, n]) => `${why} ${n}`),
    ]
      .filter(Boolean)
      .join(' ')
  }
  const end = (one: SmsPartIn) => left(endText(held, one, nowMs, LIMITS))

  it('are joined in their order, in whatever order they come, and a copy changes nothing', () => {
    assert.equal(add(part(1, 2, 'B')), 'part')
    assert.equal(add(part(1, 2, 'B')), 'repeat')
    assert.equal(add(part(1, 1, 'A')), 'whole AB')
  })

  it('are told apart by reference, number of parts, and where they were sent', () => {
    add(part(1, 1, 'A'))
    assert.equal(add(part(2, 2, 'B')), 'part')
    held = null
    add(part(1, 1, 'A'))
    assert.equal(add(part(1, 2, 'B', { to: '124' })), 'part')
    held = null
    add(part(1, 1, 'A'))
    assert.equal(add(part(1, 2, 'B', { total: 3 })), 'part')
  })

  it('are whole again for whoever gets a copy, until the text has been dealt with', () => {
    add(part(1, 1, 'A'))
    add(part(1, 2, 'B'))
    assert.equal(add(part(1, 2, 'B')), 'whole AB', 'the daemon that had it has died')
    end(part(1, 2, 'B'))
    assert.equal(add(part(1, 2, 'B')), 'repeat')
    assert.equal(add(part(1, 1, 'A')), 'repeat')
    assert.doesNotMatch(JSON.stringify(held), /"A"|"B"/, 'no text is kept')
    nowMs = 100
    assert.equal(add(part(1, 1, 'A')), 'part', 'a copy no more')
  })

  it('begin anew where a reference has come round', () => {
    add(part(1, 1, 'A'))
    assert.equal(add(part(1, 1, 'other')), 'part replaced 1')
    assert.equal(add(part(1, 2, 'B')), 'whole otherB')
    end(part(1, 2, 'B'))
    assert.equal(add(part(1, 1, 'third')), 'part', 'what was dealt with is not given up')
  })

  it('are given up when their time is over, and the oldest where there are too many', () => {
    add(part(1, 1, 'A'))
    nowMs = 500
    add(part(2, 1, 'A'))
    assert.equal(add(part(3, 1, 'A')), 'part over 1')
    assert.equal(add(part(1, 2, 'B')), 'part over 1', 'its beginning is gone')
    nowMs = 1_500
    assert.equal(add(part(4, 1, 'A')), 'part expired 2')
    nowMs = 2_499
    assert.deepEqual(left(expireTexts(held!, nowMs, LIMITS)), { msisdn: '67570000001', group: 'g', expired: 0 })
    nowMs = 2_500
    assert.deepEqual(left(expireTexts(held!, nowMs, LIMITS)), { msisdn: '67570000001', group: 'g', expired: 1 })
    assert.equal(held, null)
  })

  it('say when somebody must look again', () => {
    nowMs = 500
    const first = addPart(null, part(1, 1, 'A'), nowMs, LIMITS)
    assert.deepEqual([first.dueMs, first.liveMs], [1_500, 1_000])
    nowMs = 600
    const { dueMs, liveMs } = addPart(first.held, part(2, 1, 'A'), nowMs, LIMITS)
    assert.deepEqual([dueMs, liveMs], [1_500, 900])
  })

  it('are not collected where there are more than anybody reads', () => {
    assert.equal(add(part(1, 1, 'A', { total: 11 })), 'too-many')
    assert.equal(held, null)
  })
})
