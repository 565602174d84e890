/** A message whose decision came too late: another write was faster, and something else stands in the store by now. */
import assert from 'node:assert/strict'
import { decidedAgain, type Classified } from '../../src/dialogue/classify.ts'
import type { DialogueEntry } from '../../src/dialogue/entry.ts'
import type { Answer, Taking } from '../../src/dialogue/types.ts'

const KEY: Answer = { kind: 'input', text: '1', step: null }
const OTHER: Answer = { ...KEY, text: '2' }

function entry(more: Partial<DialogueEntry> = {}): DialogueEntry {
  return { epoch: 'e1', turn: 3, status: 'resting', network: '', answer: KEY, reply: null, ...more } as DialogueEntry
}

/** What a message is that was thought to be the next answer. */
function again(first: DialogueEntry | undefined, now: DialogueEntry | undefined, answer: Answer = KEY): string {
  const next: Classified = { is: 'next', entry: entry({ turn: 4 }), mayBeCopy: false }
  const found = decidedAgain(first, now, next, { answer } as Taking)
  return found === next ? 'as before' : found.is
}

describe('a message that is decided again', () => {
  it('is what it was where nothing went on: no turn, or nothing was there to go on', () => {
    assert.equal(again(entry(), entry({ status: 'taken' })), 'as before')
    assert.equal(again(undefined, entry()), 'as before')
    assert.equal(again(entry({ status: 'ended' }), entry({ turn: 4 })), 'as before')
  })
  it('is what it was if it is a dial, whatever stands there by now', () => {
    const dial: Answer = { ...KEY, kind: 'begin' }
    assert.equal(again(entry(), entry({ turn: 9 }), dial), 'as before')
    assert.equal(again(entry(), undefined, dial), 'as before')
  })
  it('is dropped where its dialogue has ended, or another one has begun', () => {
    assert.equal(again(entry(), undefined), 'busy')
    assert.equal(again(entry(), entry({ status: 'ended' })), 'busy')
    assert.equal(again(entry(), entry({ epoch: 'e2' })), 'busy')
  })
  it('is a copy, or too early, where its dialogue went on', () => {
    assert.equal(again(entry(), entry({ turn: 4 })), 'repeat')
    assert.equal(again(entry(), entry({ turn: 4, answer: OTHER })), 'busy')
  })
  it('answers a screen that is gone where the store is behind after a failover', () => {
    assert.equal(again(entry(), entry({ turn: 2 })), 'unknown')
  })
})
