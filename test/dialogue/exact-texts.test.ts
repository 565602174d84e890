import assert from 'node:assert/strict'
import { isCut, TEXTS_OCTETS_MAX, type TurnTexts, typedIn, withTexts } from '../../src/dialogue/exact-texts.ts'
import { NO_TRACK, playedStep } from '../../src/dialogue/track.ts'
import { APP_LEAD } from '../../src/flow/engine/index.ts'
import type { Want } from '../../src/flow/engine/types.ts'
import { ask, flowOf, RECORD } from './turn-support.ts'

const open = { typed: null, isSecret: false }

describe('exact texts of a dialogue', () => {
  it('have by turn what was typed and what was shown; of a secret screen nothing', () => {
    const one = withTexts([], 1, open, 'Welcome')
    const two = withTexts(one, 2, { typed: '1', isSecret: true }, 'Your PIN:')
    assert.deepEqual(two, [
      [1, null, 'Welcome'],
      [2, '1', null],
    ])
    assert.equal(isCut(two), false)
  })

  it('are bounded by octets, not characters, and say once where they were cut', () => {
    let texts: TurnTexts[] = []
    const page = 'é'.repeat(500)
    for (let turn = 1; turn < 40; turn++) texts = withTexts(texts, turn, open, page)
    assert.equal(texts.length, TEXTS_OCTETS_MAX / 1_000 + 1)
    assert.deepEqual(texts.at(-1), [0, null, null])
    assert.equal(isCut(texts), true)
  })

  it('go along with the way of the dialogue, and are not made where none are kept', () => {
    assert.equal('texts' in playedStep(NO_TRACK, { backendMs: 1 }, 1, 'Welcome'), false)
    const track = playedStep(NO_TRACK, { backendMs: 0, exact: open }, 1, 'Welcome')
    assert.deepEqual(track.texts, [[1, null, 'Welcome']])
    assert.equal(playedStep(track, { backendMs: 0 }, 2, 'Bye').texts, track.texts)
  })

  it('have what was typed only where it cannot be a secret', () => {
    const { flow } = flowOf('shop', 'shop@1', {
      asked: ask,
      pin: { ...(ask as Extract<Want, { do: 'ask' }>), secret: true },
    })
    const snapshot = (value: string, context: object = {}) => ({ value, context }) as typeof RECORD.snapshot
    assert.equal(typedIn(flow, RECORD), '2')
    assert.equal(typedIn(flow, { ...RECORD, snapshot: snapshot('pin') }), null, 'a secret screen')
    assert.equal(typedIn(flow, { ...RECORD, snapshot: snapshot('asked', { gate: 'x' }) }), null, 'a late copy of it')
    assert.equal(typedIn(flow, { ...RECORD, revision: `${APP_LEAD}shop` }), null, 'an application says nothing')
    assert.equal(
      typedIn(flow, { ...RECORD, answer: { kind: 'begin', text: '99', step: null } }),
      null,
      'behind the code',
    )
    assert.equal(typedIn(flow, { ...RECORD, snapshot: null }), null)
  })
})
