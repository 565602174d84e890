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

const LIMITS: PartLimits = { partsMax: 10, textsMax: 2, octetsMax: 100_000, keepMs: 1_000, copyMs: 100 }

describe('the parts of a long SMS of a subscriber', () => {
  let held: HeldDeps | null
  let nowMs: number
  let limits: PartLimits
  beforeEach(() => {
    held = null
    nowMs = 0
    limits = LIMITS
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
  function left<T>({ held: next, result }: Changed<T>): T {
    held = next && (JSON.parse(JSON.stringify(next)) as HeldDeps)
    return result
  }
  const add = (one: SmsPartIn) => {
    const { is, text, gaveUp } = left(addPart(held, one, nowMs, limits))
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

  it('are bounded in octets, whatever parts and texts there are: what was handled goes first, then the oldest', () => {
    limits = { ...LIMITS, partsMax: 40, textsMax: 8, octetsMax: 8_192 }
    const octets = () => Buffer.byteLength(JSON.stringify(held ?? ''))
    // The largest parts that a PDU can carry, of as many texts as may wait.
    for (let reference = 0; reference < 16; reference++) {
      for (let sequence = 1; sequence < 40; sequence++) {
        add(part(reference, sequence, 'ก'.repeat(1_000), { total: 40 }))
        assert.ok(octets() <= limits.octetsMax, String(octets()))
      }
    }
    held = null
    assert.equal(add(part(1, 1, 'x'.repeat(8_192))), 'too-large large 1')
    assert.equal(held, null)
    for (const [reference, text] of [
      [1, 'old'],
      [2, 'new'],
    ] as const) {
      nowMs += 10
      assert.equal(add(part(reference, 1, text.repeat(1_000))), 'part')
    }
    add(part(3, 1, 'a'))
    add(part(3, 2, 'b'))
    end(part(3, 2, 'b'))
    assert.equal(add(part(4, 1, 'y'.repeat(1_700))), 'part')
    assert.deepEqual(
      held!.texts.map(({ reference }) => reference),
      [1, 2, 4],
      'only a copy of 3 is not recognised any more',
    )
    assert.equal(add(part(5, 1, 'z'.repeat(3_000))), 'part large 1')
    assert.deepEqual(
      held!.texts.map(({ reference }) => reference),
      [2, 4, 5],
    )
    assert.equal(add(part(2, 2, '!')), `whole ${'new'.repeat(1_000)}!`)
  })

  it('of one text that is whole and long are joined', () => {
    limits = { ...LIMITS, partsMax: 40, octetsMax: 8_192 }
    const told = Array.from({ length: 40 }, (_, i) => add(part(1, i + 1, 'x'.repeat(153), { total: 40 })))
    assert.equal(told.at(-1), `whole ${'x'.repeat(40 * 153)}`)
  })

  it('are not collected where there are more than anybody reads', () => {
    assert.equal(add(part(1, 1, 'A', { total: 11 })), 'too-many')
    assert.equal(held, null)
  })
})
