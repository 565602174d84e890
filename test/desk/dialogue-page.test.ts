/** The page of one dialogue, where its exact texts are kept and where they are not. */
import assert from 'node:assert/strict'
import { dialogueBody, type DialogueNow, type ToldDialogue } from '../../src/desk/pages/dialogue.ts'
import { en } from '../../src/desk/words/en.ts'
import { fr } from '../../src/desk/words/fr.ts'

const STEP = { key: null, seconds: 3, at: '2026-11-30T00:05:03.000Z' }
const TOLD = {
  epoch: '01a229c4-e7e0-7000-8000-000000000001',
  kind: 'dialogue',
  isOpen: false,
  openedAt: '2026-11-30T00:05:00.000Z',
  endedAt: '2026-11-30T00:05:18.000Z',
  line: 'operator-a',
  code: '*384#',
  flow: 'topup@9f2c01ab77de',
  language: 'en',
  channel: 'ussd',
  instance: 'd1',
  turns: 3,
  totalMs: 18_000,
  waitMs: 8_000,
  backendMs: 0,
  reason: 'completed',
  why: 'the flow came to its end',
  steps: [
    { ...STEP, screen: 'amount', lines: ['How much, {name}?'], isExact: true, typed: '<15>' },
    { ...STEP, screen: 'pin', lines: ['Your PIN, {name}:'], isSecret: true },
  ],
  calls: [],
  isCut: false,
  last: { screen: 'done', lines: ['Bought {amount}'] },
} as ToldDialogue

function page(one: ToldDialogue, words: DialogueNow['words'] = en): string {
  const now = { words, nowMs: 0, zone: 'UTC', shown: '675****01', sealed: 'x', told: [one] } as unknown as DialogueNow
  return String(dialogueBody(now))
}

describe('the page of one dialogue', () => {
  it('has what was typed, and texts word for word, where they are kept; a secret is none of them', () => {
    const shown = page(TOLD)
    assert.match(shown, /<pre>How much, \{name\}\?<\/pre>/, 'a brace that was shown is no mark')
    assert.match(shown, /Typed <kbd>&lt;15&gt;<\/kbd>/)
    assert.match(shown, /<mark [^>]+>\{name\}<\/mark>:[\s\S]+a secret was typed: it is not kept/)
    assert.match(shown, /Word for word, except screens that ask for a secret/)
    assert.match(page(TOLD, fr), /Tapé <kbd>/)
  })

  it('says where they cannot be opened, and where there was no room for all', () => {
    const steps = TOLD.steps.map(({ isExact: _exact, typed: _typed, ...step }) => step)
    const bare = { ...TOLD, steps }
    assert.match(page(bare), /Nothing that was typed is kept/)
    assert.match(page({ ...bare, texts: 'sealed' }), /their key is not there/)
    assert.match(page({ ...TOLD, texts: 'cut' }), /There was no room for all exact texts/)
    assert.match(page({ ...TOLD, texts: 'cut' }, fr), /Il n’y avait pas de place/)
  })
})
