/** Judgements on measurements that no simulator makes. */
import assert from 'node:assert/strict'
import {
  dialledAs,
  idForm,
  nextRate,
  rateFacts,
  receiptFacts,
  statsOf,
  windowFacts,
  type RateStep,
} from '../../../src/tools/doctor/judge.ts'

describe("the doctor's judgement", () => {
  it('tells how the id of a receipt is the id of the response', () => {
    const forms: [string, string, string][] = [
      ['123', '123', 'same'],
      ['1A2B', '1a2b', 'case'],
      ['0000000123', '123', 'zeros'],
      ['75BCD15', '123456789', 'hex-to-dec'],
      ['123456789', '75bcd15', 'dec-to-hex'],
      ['123456789', '0075BCD15', 'dec-to-hex'],
      ['abc', 'MC-7', 'unrelated'],
      ['1', '', 'unrelated'],
      ['', '', 'same'],
      ['ffffffffffffffffffff', '1208925819614629174706175', 'hex-to-dec'],
    ]
    for (const [response, receipt, form] of forms)
      assert.equal(idForm(response, receipt), form, `${response} ${receipt}`)
  })

  const sms = (id: string) => ({ id, answeredMs: 10, answeredOrder: 10 })
  const receipt = (tlvId: string, textId: string, atMs = 110, state = 'delivered') => ({
    tlvId,
    textId,
    state,
    atMs,
    order: atMs,
  })

  it('counts receipts by SMS, with those before the response, twice, and for nobody', () => {
    const facts = receiptFacts(
      [sms('a'), sms('b'), sms('c')],
      [receipt('', 'a', 5), receipt('', 'b', 60), receipt('', 'b', 70), receipt('', 'x')],
    )
    assert.deepEqual([facts.matched, facts.early, facts.repeats, facts.orphans, facts.carries], [2, 1, 1, 1, 'text'])
    assert.deepEqual(facts.delay, { min: 0, median: 50, max: 60 })
    assert.deepEqual(facts.forms, ['same'])
  })

  it('takes an intermediate state for no repeat', () => {
    const facts = receiptFacts([sms('a')], [receipt('a', '', 50, 'enroute'), receipt('a', '', 90)])
    assert.deepEqual(
      [facts.matched, facts.repeats, facts.states, facts.carries],
      [1, 0, ['enroute', 'delivered'], 'parameters'],
    )
  })

  it('prefers the plainest form: an id may be the decimal of one SMS and the hexadecimal of another', () => {
    const facts = receiptFacts([sms('10'), sms('16')], [receipt('', '10'), receipt('', '16')])
    assert.deepEqual([facts.forms, facts.matched], [['same'], 2])
  })

  it('says nothing of nothing', () => {
    assert.deepEqual(receiptFacts([sms('a')], []), {
      matched: 0,
      orphans: 0,
      early: 0,
      repeats: 0,
      forms: [],
      carries: 'nothing',
      delay: { min: 0, median: 0, max: 0 },
      states: [],
    })
    assert.deepEqual(statsOf([]), { min: 0, median: 0, max: 0 })
    assert.deepEqual(rateFacts([]), { best: 0 })
    assert.equal(windowFacts([]).accepted, 0)
  })

  it('counts what a window took, refused and left, and sees that responses wait for each other', () => {
    const flown = [
      { status: 0, ms: 10 },
      { status: 0, ms: 90 },
      { status: 0x14, ms: 5 },
      { status: 0x14, ms: 5 },
      { status: undefined, ms: 1_000 },
    ]
    const facts = windowFacts(flown)
    assert.deepEqual(
      [facts.accepted, [...facts.refused], facts.silent, facts.grows, facts.first, facts.last],
      [2, [[0x14, 2]], 1, true, 10, 90],
    )
    assert.equal(
      windowFacts([
        { status: 0, ms: 1 },
        { status: 0, ms: 5 },
      ]).grows,
      false,
      'five times of nothing is nothing',
    )
  })

  it('doubles the rate until it is throttled, then looks between, and ends', () => {
    for (const limit of [1, 2, 3, 5, 7, 8, 20, 33]) {
      const steps: RateStep[] = []
      for (let rate = nextRate(steps); rate !== undefined && rate < 1_000; rate = nextRate(steps)) {
        const throttled = Math.max(0, rate - limit)
        steps.push({ perSecond: rate, sent: rate, throttled, ...(throttled ? { status: 0x58 } : {}) })
        assert.ok(steps.length < 20)
      }
      const { best, worst, status } = rateFacts(steps)
      assert.ok(best <= limit && worst! > limit, `${limit}: ${best}..${worst}`)
      assert.equal(status, 0x58)
      if (limit > 2) assert.ok(best > limit / 2, `${limit}: ${best}`)
    }
  })

  it('does not believe a rate above one that was throttled', () => {
    assert.deepEqual(
      rateFacts([
        { perSecond: 8, sent: 8, throttled: 2, status: 0x14 },
        { perSecond: 10, sent: 10, throttled: 0 },
        { perSecond: 4, sent: 4, throttled: 0 },
      ]),
      { best: 4, worst: 8, status: 0x14 },
    )
  })

  it('tells how a dialled code was written', () => {
    assert.equal(dialledAs(Buffer.from('*123#'), '*123#'), 'unpacked')
    assert.equal(dialledAs(Buffer.from('002a0031003200330023', 'hex'), '*123#'), 'ucs2')
    // As one gives it to a modem: AT+CUSD=1,"AA180C3602".
    assert.equal(dialledAs(Buffer.from('aa180c3602', 'hex'), '*100#'), 'packed')
    assert.equal(dialledAs(Buffer.from('999999'), '*123#'), 'unclear')
    assert.equal(dialledAs(Buffer.alloc(0), '*123#'), 'unclear')
  })
})
