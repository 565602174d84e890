import assert from 'node:assert/strict'
import { ownPiece } from '../../src/base/cut.ts'
import { heldMb } from '../campaigns/judging/live-memory.ts'

const TEXTS = 300
const TEXT_UNITS = 100_000

/** Megabytes that pieces of `TEXTS` long texts hold. */
async function held(cut: (text: string) => string): Promise<number> {
  const before = await heldMb()
  const pieces = Array.from({ length: TEXTS }, (_, n) => cut(`${n}`.padStart(TEXT_UNITS, '.')))
  const after = await heldMb()
  assert.equal(pieces.length, TEXTS)
  return after - before
}

describe('a piece of a text', () => {
  for (const piece of ['', 'x', '0123456789ab', '0123456789abc', 'ş'.repeat(40), ' of its own'])
    it(`is the same text: '${piece}'`, () => assert.equal(ownPiece(`<${piece}>`.slice(1, -1)), piece))

  it('does not hold the text that it was cut from', async () => {
    const whole = (TEXTS * TEXT_UNITS) / 1_048_576
    const sliced = await held((text) => text.slice(10, 50))
    const own = await held((text) => ownPiece(text.slice(10, 50)))
    // The first is what V8 does by itself: if it no longer does, ownPiece goes.
    assert.ok(sliced > whole / 2 && own < whole / 10, `${sliced} and ${own} of ${whole} MB`)
  })
})
