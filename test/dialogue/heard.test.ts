/** What a dialogue remembers of the messages before its last one. */
import assert from 'node:assert/strict'
import { classifyAnswer } from '../../src/dialogue/classify.ts'
import type { DialogueEntry } from '../../src/dialogue/entry.ts'
import { hasCounted, HEARD_MAX, heardWith, isSteady, wasHeard } from '../../src/dialogue/heard.ts'
import type { Answer, Taking } from '../../src/dialogue/types.ts'
import { LIMITS, PATH, T0 } from '../contract/dialogue-fixture.ts'

const key = (text: string, step: number | null, isStalled = false): Answer => ({
  kind: 'input',
  text,
  step,
  ...(isStalled ? { isStalled } : {}),
})
const BEGIN: Answer = { kind: 'begin', text: '', step: 0 }

const RESTED: DialogueEntry = {
  key: { group: 'main', msisdn: '67570000001' },
  epoch: 'E1',
  status: 'resting',
  network: '17',
  turn: 1,
  revision: 'shop@1',
  code: '*123#',
  line: 'akiba',
  snapshot: { value: 'main', context: {} },
  answer: BEGIN,
  reply: { action: 'continue', text: 'How many?', step: 1, link: 'link-a' },
  returnPath: PATH,
  openedMs: T0,
  touchedMs: T0,
  ended: null,
  version: 'mine',
  confirmed: true,
  past: [],
  untilMs: null,
  previous: null,
}

/** A dialogue that has heard all these; the last one is its answer. */
function after(first: Answer, ...keys: Answer[]): DialogueEntry {
  let entry: DialogueEntry = { ...RESTED, answer: first }
  for (const answer of keys) entry = { ...entry, heard: heardWith(entry, answer.step), turn: entry.turn + 1, answer }
  return entry
}

function taken(answer: Answer): Taking {
  const { key: of, network, line, returnPath } = RESTED
  const from = { key: of, network, code: '', line, link: 'link-a', returnPath }
  return { ...from, answer, token: 't', nowMs: T0 + 9_000, leaseUntilMs: T0 + 12_000, epoch: '' }
}

describe('what a dialogue has heard', () => {
  it('is four characters a message, the same in every release: its step, whether that stalled, and a print of its text', () => {
    const entry = after(BEGIN, key('2', 2), key('1', 2, true), key('', 127), { ...key('', 4), kind: 'notify-ack' })
    assert.equal(entry.heard, '00H602kJ82RQ7fxB')
    assert.equal(after({ ...BEGIN, step: null }, key('1', 2)).heard, '--H6')
    assert.equal(after(BEGIN, key('1', 2), key('1', null)).heard, '', 'a network that has no counter')
  })
  it('has no print of what may be a secret: its step alone tells then', () => {
    const asked = { ...RESTED, turn: 2, heard: '00H6', answer: key('1234', 2) }
    for (const snapshot of [{ context: { gate: 'pin' } }, null]) {
      const heard = heardWith({ ...asked, snapshot }, 4)
      assert.equal(heard, '00H602**')
      assert.equal(wasHeard({ ...asked, turn: 3, heard }, key('9', 2)), true)
      assert.equal(wasHeard({ ...asked, turn: 3, heard }, key('1234', 3)), false)
    }
    assert.notEqual(heardWith({ ...asked, revision: 'app:shop', snapshot: { context: {} } }, 4), '00H602**')
  })
  it('is the last sixteen messages, by step and text, without the last one', () => {
    const many = Array.from({ length: HEARD_MAX + 1 }, (_, n) => key(`text ${n}`, n + 10))
    const entry = after(BEGIN, ...many)
    assert.equal(entry.heard?.length, HEARD_MAX * 4)
    assert.deepEqual(
      [0, 1, 15, 16].map((n) => wasHeard(entry, many[n]!)),
      [true, true, true, false],
    )
    assert.equal(wasHeard(after(BEGIN, ...many, key('1', 40)), many[0]!), false, 'forgotten')
    assert.equal(wasHeard(entry, key('text 1', 12)), false)
    assert.equal(wasHeard(entry, key('text 2', 11)), false)
    assert.equal(wasHeard(entry, { ...key('text 1', 11), kind: 'notify-ack' }), false)
  })
  it('is not known where a daemon of an earlier release wrote, which reads a key a little behind as a copy', () => {
    const { heard: _, ...earlier } = after(BEGIN, key('2', 2), key('1', 4))
    assert.equal(wasHeard(earlier, key('2', 2)), undefined)
    assert.equal(wasHeard({ ...earlier, turn: 4, heard: heardWith(earlier, 6) }, key('2', 2)), undefined)
    for (const [step, is] of [
      [2, 'repeat'],
      [1, 'repeat'],
      [116, 'repeat'],
      [115, 'next'],
      [6, 'next'],
    ] as const)
      assert.equal(classifyAnswer(earlier, taken(key('9', step)), LIMITS).is, is, String(step))
    const stalled = { ...earlier, answer: key('1', 4, true) }
    assert.equal(classifyAnswer(stalled, taken(key('9', 2)), LIMITS).is, 'next')
  })
  it('shows that the network counts: two steps of keys differ, or the first key came a turn after the begin', () => {
    assert.equal(hasCounted(after(BEGIN, key('1', 2))), true)
    assert.equal(hasCounted(after({ ...BEGIN, step: 127 }, key('1', 1))), true)
    assert.equal(hasCounted(after(BEGIN, key('1', 2, true))), false)
    assert.equal(hasCounted(after(BEGIN, key('1', 1), key('2', 1, true))), false, 'it numbers the begin otherwise')
    assert.equal(hasCounted(after(BEGIN, key('1', 1), key('2', 2))), true)
    assert.equal(hasCounted(after({ ...BEGIN, step: null }, key('1', 4, true), key('1', 3, true))), true)
    assert.equal(hasCounted(after({ ...BEGIN, step: null }, key('1', 2))), false)
    const { heard: _, ...earlier } = after(BEGIN, key('1', 2), key('1', 4))
    assert.equal(hasCounted(earlier), false)
  })
  it('shows whether it has only counted on', () => {
    assert.equal(isSteady(after({ ...BEGIN, step: 9 }, key('1', 2), key('1', 4), key('1', 3 + 65))), true)
    assert.equal(isSteady(after(BEGIN, key('1', 120), key('1', 1))), true)
    assert.equal(isSteady(after(BEGIN, key('1', 4), key('1', 3), key('1', 6))), false)
    assert.equal(isSteady(after(BEGIN, key('1', 4), key('2', 4, true), key('1', 6))), false)
    assert.equal(isSteady(after(BEGIN, key('1', 4), key('1', 4))), false)
  })
})

describe('a key where the counter is of no use', () => {
  it('is none of before: the network says one step for all keys, or our replies have no step', () => {
    for (const isStalled of [true, false]) {
      const entry = after(BEGIN, key('1', 1), key('2', 1, isStalled))
      const unreplied = isStalled ? entry : { ...entry, reply: { ...entry.reply!, step: null } }
      for (const text of ['1', '2'])
        assert.equal(classifyAnswer(unreplied, taken(key(text, 1)), LIMITS).is, 'next', `${isStalled} ${text}`)
    }
  })
})
