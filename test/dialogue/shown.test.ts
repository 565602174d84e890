import assert from 'node:assert/strict'
import { mayBeSecret, shownRecord, withoutDialled } from '../../src/dialogue/shown.ts'
import type { DialogueRecord } from '../../src/dialogue/types.ts'
import type { JsonObject } from '../../src/ussd/vocabulary.ts'

const ROUTES = [{ code: '*150#' }, { code: '*384*1#' }]
const record = (context: JsonObject | null, more: Partial<DialogueRecord> = {}): DialogueRecord => ({
  key: { group: 'g', msisdn: '67570000001' },
  epoch: 'e',
  status: 'resting',
  network: '*150*4711#:7',
  turn: 2,
  revision: 'safe@0',
  code: '*150*4711#',
  line: 'l',
  snapshot: context && { value: 'main', context },
  answer: { kind: 'input', text: '4711', step: null },
  reply: null,
  returnPath: { from: [1, 1, '67570000001'], to: [0, 1, '*150*4711#'], serviceType: '', carrier: '' },
  openedMs: 0,
  touchedMs: 0,
  ended: null,
  ...more,
})

describe('a dialogue as it is handed out', () => {
  it('is known to have no secret in its answer only when it has asked for none, and its screens are our own', () => {
    assert.equal(mayBeSecret(record({})), false)
    assert.equal(mayBeSecret(record({ gate: 'pin' })), true)
    assert.equal(mayBeSecret(record(null)), true, 'nothing is known of it yet')
    assert.equal(mayBeSecret(record({}, { revision: 'app:shop@0' })), true)
  })

  it('has of codes what their services have, wherever they stand', () => {
    const context = {
      code: '*150*4711#',
      dialled: ['4711'],
      resume: { value: 'x', context: { code: '*384*1*4711#', dialled: [] } },
      answers: { sum: 5 },
    }
    const shown = shownRecord(record({ ...context, gate: 'pin' }), ROUTES)
    assert.doesNotMatch(JSON.stringify(shown), /4711/)
    assert.deepEqual(
      [shown.code, shown.returnPath.to[2], shown.network, shown.answer.text],
      ['*150*#', '*150*#', '*150*#:7', '****'],
    )
    const within = shown.snapshot!.context as typeof context
    assert.deepEqual([within.code, within.resume.context.code, within.answers], ['*150*#', '*384*1*#', { sum: 5 }])
  })

  it('keeps an answer that is no secret, and a record without a code behind', () => {
    const plain = record(
      { code: '*150#', dialled: [] },
      {
        code: '*150#',
        network: '7',
        returnPath: { from: [1, 1, '1'], to: [0, 1, ''], serviceType: '', carrier: '' },
        answer: { kind: 'input', text: '2', step: null },
      },
    )
    assert.deepEqual(shownRecord(plain, ROUTES), plain)
  })

  it('has nothing that was entered in an application, which needs it where a promise is kept', () => {
    const vars = { text: '1*4711', input: '4711', said: 'Your PIN?', state: {} }
    const app = record({ code: '*384*1*4711#', dialled: [], vars }, { revision: 'app:shop@0', code: '*384*1*4711#' })
    assert.doesNotMatch(
      JSON.stringify(
        shownRecord({ ...app, network: '7', returnPath: { ...app.returnPath, to: [0, 1, '384'] } }, ROUTES),
      ),
      /4711/,
    )
    assert.equal(withoutDialled(app.snapshot!, app.revision, ROUTES), app.snapshot)
    assert.deepEqual(
      withoutDialled({ value: 'x', context: { code: '*150*4711#', dialled: ['4711'] } }, 'safe@0', ROUTES),
      { value: 'x', context: { code: '*150*#', dialled: [] } },
    )
  })
})
