/** A copy of an entry, and the network numbers of past dialogues. */
import assert from 'node:assert/strict'
import { copyOf, pastUntilMs, pastWith, type DialogueEntry } from '../../src/dialogue/entry.ts'

/** Each field that there is: a new one must be here, and then in the copy. */
const WHOLE: Required<DialogueEntry> = {
  key: { group: 'test', msisdn: '67570000001' },
  epoch: 'e1',
  status: 'resting',
  network: '0102',
  turn: 3,
  revision: 'dental@9f2c01ab77de',
  code: '*123#',
  line: 'line1',
  snapshot: { at: 'main' },
  answer: { kind: 'input', text: '1', step: 2, isStalled: true },
  reply: { action: 'continue', text: 'Welcome', step: 3, link: 'l1' },
  returnPath: { from: [1, 1, '123'], to: [1, 1, '67570000001'], dialect: 'test' } as never,
  openedMs: 1,
  touchedMs: 2,
  ended: 'completed',
  version: 'v1',
  confirmed: false,
  past: ['0101', 5],
  untilMs: 7,
  previous: null,
  takeovers: 1,
  heard: '0',
  track: { path: 'main:1/4', waitMs: 4_000, backendMs: 0 },
  ifLeft: { key: 'k' },
}

describe('an entry', () => {
  it('is copied with all that it has, and nothing that it has not', () => {
    assert.deepEqual(copyOf(WHOLE), WHOLE)
    const { heard: _heard, track: _track, ifLeft: _ifLeft, ...plain } = WHOLE
    assert.deepEqual(Object.keys(copyOf(plain)).toSorted(), Object.keys(plain).toSorted())
  })

  it('knows until when a past number counts, and forgets the oldest', () => {
    const past = ['b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'].reduce(
      (all, network, n) => pastWith(all, network, n),
      pastWith([], 'a', 100),
    )
    assert.equal(pastUntilMs(past, 'j'), 8)
    assert.equal(pastUntilMs(past, 'a'), undefined)
    assert.equal(past.length % 2, 0)
  })
})
