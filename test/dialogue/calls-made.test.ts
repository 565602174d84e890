import assert from 'node:assert/strict'
import fc from 'fast-check'
import { CALLS_CHARS_MAX, callSaid, callsMadeIn, withCalls, type CallMade } from '../../src/dialogue/calls-made.ts'

const CALL: CallMade = {
  turn: 2,
  n: 0,
  backend: 'wallet',
  operation: 'topup',
  changes: true,
  said: 'data',
  ms: 240,
  atMs: 4310,
}

describe('the calls of a dialogue', () => {
  it('are written short, and read as they were made', () => {
    assert.equal(withCalls('', [CALL]), '2.0!wallet.topup=data/240@4310')
    fc.assert(
      fc.property(
        fc.array(
          fc.record(
            {
              turn: fc.nat(99),
              n: fc.nat(9),
              backend: fc.constantFrom('wallet', 'dental-2', '_sms'),
              operation: fc.constantFrom('topup', 'next.page', 'Balance_1'),
              changes: fc.boolean(),
              said: fc.constantFrom('data', 'held', 'refused:slot-taken', 'failed:late'),
              ms: fc.nat(90_000),
              atMs: fc.nat(900_000),
            },
            { noNullPrototype: true },
          ),
          { maxLength: 8 },
        ),
        (made) => assert.deepEqual(callsMadeIn(withCalls('', made)), made),
      ),
    )
  })

  it('are bounded, and say where they were cut', () => {
    const many = withCalls(
      '',
      Array.from({ length: 100 }, (_, n) => ({ ...CALL, turn: n })),
    )
    assert.ok(many.length <= CALLS_CHARS_MAX, String(many.length))
    assert.match(many, / \+$/)
    assert.equal(withCalls(many, [CALL]), many)
    assert.ok(callsMadeIn(many).length > 10)
  })

  it('say what became of each, and nothing that a back end may have made up', () => {
    assert.equal(callSaid(null), 'held')
    assert.equal(callSaid({ is: 'data', data: { secret: 1 } }), 'data')
    assert.equal(callSaid({ is: 'refused', refusal: 'slot-taken' }), 'refused:slot-taken')
    assert.equal(callSaid({ is: 'failed', why: 'late' }), 'failed:late')
    assert.doesNotMatch(callSaid({ is: 'refused', refusal: 'no money / of 67570000001 @1' }), /[\s/@]|67570000001/)
  })
})
