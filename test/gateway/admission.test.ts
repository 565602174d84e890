import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Admission, createOverload } from '../../src/gateway/admission.ts'

const JOHN = '67570000001'
const MARY = '67570000002'
const ACCESS = new Map([
  ['open', { allow: [], deny: ['67571'] }],
  ['closed', { allow: ['675', '679'], deny: ['67571'] }],
])
const everybody = () => undefined

describe('the rate of one subscriber', () => {
  it('lets a burst through, then so many a second, and forgets no debt of a flooder', () => {
    const overload = createOverload({ perSecond: 5, burst: 10 }, everybody)
    const taken = (count: number, atMs: number) =>
      Array.from({ length: count }, () => overload.inTime(JOHN, atMs)).filter(Boolean).length
    assert.equal(taken(100, 1_000), 10)
    assert.equal(taken(100, 1_200), 1)
    assert.equal(taken(100, 2_200), 5)
    assert.equal(overload.inTime(MARY, 2_200), true)
    assert.equal(taken(100, 60_000), 10)
  })

  it('never lets more through than burst and rate allow, however messages are spaced', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 20 }),
        fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 200 }),
        (perSecond, burst, gaps) => {
          const overload = createOverload({ perSecond, burst }, everybody)
          let nowMs = 5_000
          let taken = 0
          for (const gap of gaps) {
            nowMs += gap
            if (overload.inTime(JOHN, nowMs)) taken++
          }
          assert.ok(taken <= burst + ((nowMs - 5_000) / 1_000) * perSecond + 1e-6)
          assert.ok(taken >= Math.min(gaps.length, burst))
        },
      ),
    )
  })

  it('a clock that is set back shuts nobody out, not even for one message', () => {
    const overload = createOverload({ perSecond: 5, burst: 10 }, everybody)
    overload.inTime(JOHN, 10_000_000)
    assert.equal(overload.inTime(JOHN, 1_000), true)
    for (let i = 0; i < 50; i++) overload.inTime(JOHN, 1_000)
    assert.equal(overload.inTime(JOHN, 1_000), false)
    assert.equal(overload.inTime(JOHN, 1_000 + 200), true)
  })

  it('remembers a bounded number of subscribers, and the flooder among them', () => {
    const overload = createOverload({ perSecond: 1, burst: 2 }, everybody, 10)
    for (let i = 0; i < 1_000; i++) {
      overload.inTime(JOHN, 1_000)
      overload.inTime(String(67_571_000_000 + i), 1_000)
    }
    assert.equal(overload.inTime(JOHN, 1_000), false)
    // Heard long ago and forgotten: as new.
    assert.equal(overload.inTime('67571000000', 1_000), true)
    assert.equal(overload.inTime('67571000000', 1_000), true)
    assert.equal(overload.inTime('67571000000', 1_000), false)
  })
})

describe('who gets a dialogue', () => {
  const TURN_MS = 8_000
  function admitting(isCapped = false) {
    const counted: string[] = []
    const admission = new Admission({
      overload: { mayDial: () => true },
      services: [{ code: '*123#', flow: 'dental' }],
      limits: { turnsMax: 10, openMax: 10, turnMs: TURN_MS },
      texts: { busy: 'Busy.', overload: 'Busy', unknownCode: 'Unknown' },
      metrics: { count: (_, labels) => void counted.push(labels!.limit!) },
      underWay: () => 0,
      isCapped: () => isCapped,
    })
    const dial = (waitMs: number) => admission.turnedAway({ code: '*123#' } as never, { name: 'main' } as never, waitMs)
    return { counted, dial }
  }

  it('is who can be served within the time of a turn; another is told, and counted', () => {
    const { dial, counted } = admitting()
    assert.equal(dial(TURN_MS), null)
    assert.deepEqual(counted, [])
    assert.deepEqual(dial(TURN_MS + 1), { result: 'overload', text: 'Busy', mayBeStatus: true })
    assert.deepEqual(counted, ['turn_ms'])
  })

  it('is counted apart where it is the cap of the line that would hold the screen back', () => {
    const { dial, counted } = admitting(true)
    assert.equal(dial(TURN_MS), null)
    assert.deepEqual(dial(TURN_MS + 1), { result: 'overload', text: 'Busy', mayBeStatus: true })
    assert.deepEqual(counted, ['submits_per_second'])
  })
})

describe('who may dial', () => {
  const overload = createOverload({ perSecond: 1, burst: 1 }, (line) => ACCESS.get(line))

  it('is everybody where nothing is said, and on lines that nothing is known of', () => {
    assert.equal(overload.mayDial('4915100000', 'open'), true)
    assert.equal(overload.mayDial(JOHN, 'door'), true)
  })

  it('denied goes before allowed', () => {
    assert.equal(overload.mayDial(JOHN, 'closed'), true)
    assert.equal(overload.mayDial('67571000001', 'closed'), false)
    assert.equal(overload.mayDial('67571000001', 'open'), false)
    assert.equal(overload.mayDial('4915100000', 'closed'), false)
  })
})
