import assert from 'node:assert/strict'
import { checkSource } from '../../../src/flow/check/check.ts'
import { parseTalks } from '../../../src/flow/talk/talk.ts'
import { describeFailure } from '../../../src/flow/talk/diff.ts'
import { playTalk } from '../../../src/flow/talk/player.ts'
import { storyboard } from '../../../src/flow/draw/storyboard.ts'
import type { CallWant } from '../../../src/flow/engine/advance.ts'
import { fileOf, flowOf, handset } from '../support.ts'

const PIN = '2580'
const SCREENS = `
  main: { menu: Hello, choices: [{ label: Accounts, to: pin }, { label: Bye, to: bye }] }
  pin: { input: 'PIN:', secret: true, pattern: '\\d{4}', to: open }
  open: { call: bank.open, with: { pin: '{answers.pin}', by: ussd }, to: rows, refused: { wrong: { to: pin, notice: Wrong PIN. } }, failed: { to: main, notice: Later. } }
  rows: { list: Accounts, from: data.open.rows, row: '{row.name}', to: sure, empty: bye }
  sure: { menu: 'Close {chosen.rows.name}?', choices: [{ label: 'Yes', to: bye }, { label: 'No', to: main }] }
  bye: { end: Bye }
`
const BANK = { is: 'data' as const, data: { rows: [{ name: 'Savings' }] } }
const found = (screens: string) =>
  checkSource({ file: 'test.yaml', text: fileOf(screens), catalogues: [] }).map(({ what }) => what)

describe('a secret answer', () => {
  it('reaches the call after it, and is in no snapshot that a dialogue rests on', async () => {
    const calls: CallWant[] = []
    const phone = handset(flowOf(SCREENS).flow, (want) => (calls.push(want), BANK))
    await phone.dial()
    await phone.answer('1')
    assert.equal((await phone.answer(PIN)).text, 'Accounts\n1. Savings')
    assert.deepEqual(calls[0]?.args, { pin: PIN, by: 'ussd' })
    assert.deepEqual(calls[0]?.hidden, ['pin'])
    assert.doesNotMatch(JSON.stringify(phone.snapshot()), /2580|secrets/)
  })

  for (const [how, outcome, text] of [
    ['refused', { is: 'refused', refusal: 'wrong' }, 'Wrong PIN.\nPIN:'],
    ['not answered', { is: 'failed', why: 'down' }, 'Later.\nHello\n1. Accounts\n2. Bye'],
  ] as const) {
    it(`is gone when the call is ${how}`, async () => {
      const phone = handset(flowOf(SCREENS).flow, () => outcome)
      await phone.dial()
      await phone.answer('1')
      assert.equal((await phone.answer(PIN)).text, text)
      assert.doesNotMatch(JSON.stringify(phone.snapshot()), /2580/)
    })
  }

  it('may be read by its own checks, and by no check of a later input: it is gone by then', () => {
    const twice = (rule: string) =>
      found(`
  main: { input: 'PIN:', secret: true, checks: [{ if: answers.main != 1234 }], to: again }
  again: { input: 'Again:', secret: true, checks: [{ if: '${rule}' }], to: open }
  open: { call: bank.open, with: { pin: '{answers.again}' }, to: bye }
  bye: { end: Bye }
`)
    assert.deepEqual(twice('answers.again != 1234'), [])
    assert.match(
      twice('answers.again == answers.main').join('\n'),
      /screen 'again' reads 'answers\.main', which is secret/,
    )
  })

  it('that breaks a rule is not kept either', async () => {
    const phone = handset(flowOf(SCREENS).flow)
    await phone.dial()
    await phone.answer('1')
    await phone.answer('25800')
    assert.doesNotMatch(JSON.stringify(phone.snapshot()), /2580/)
  })

  it('is asked for again when a lost dialogue is taken up behind it', async () => {
    const { flow } = flowOf(SCREENS)
    const phone = handset(flow, () => BANK)
    await phone.dial()
    for (const answer of ['1', PIN, '1']) await phone.answer(answer)
    const lost = phone.snapshot()
    assert.equal(lost.value, 'sure')
    assert.ok(flow.resumable(lost))
    const again = handset(flow, () => BANK)
    await again.dial({ resume: lost as never })
    assert.equal((await again.answer('1')).text, 'PIN:')
  })

  it('is never taken from what was dialled behind the code', async () => {
    const phone = handset(flowOf(SCREENS).flow, () => BANK)
    assert.equal((await phone.dial({ dialled: ['1', PIN] })).text, 'PIN:')
    assert.doesNotMatch(JSON.stringify(phone.snapshot()), /2580/)
  })

  it('is masked in the storyboard and in what a talk complains of', async () => {
    const compilation = flowOf(SCREENS)
    assert.match(storyboard(compilation), /\*\*\*\*/)
    assert.doesNotMatch(storyboard(compilation), /1111/)
    const text = `flow test\ncode *1#\nbackend bank.open {"rows":[]}\ndial *1#\n> 1\n> ${PIN}\ncalled bank.open {"pin":"0000"}`
    const failure = await playTalk(parseTalks('t.talk', text)[0]!, compilation.flow)
    assert.match(describeFailure(failure!), /"pin":"\*\*\*\*"/)
    assert.doesNotMatch(describeFailure(failure!), /2580/)
  })
})

describe('the check of secrets', () => {
  it('takes a secret that goes to a call at once', () => assert.deepEqual(found(SCREENS), []))

  for (const [why, from, into, says] of [
    [
      'shown in a text',
      'Close {chosen.rows.name}',
      'Close {answers.pin}',
      /'sure' reads 'answers.pin', which is secret/,
    ],
    [
      'remembered',
      'bye: { end: Bye }',
      "bye: { set: { a: '{answers.pin}' }, to: out }\n  out: { end: Bye }",
      /'bye' reads 'answers.pin', which is secret/,
    ],
    [
      'compared',
      'to: sure, empty: bye }',
      'to: ask, empty: bye }\n  ask: { branch: [{ if: answers.pin == 1, to: sure }], else: bye }',
      /'ask' reads 'answers.pin', which is secret/,
    ],
    [
      'used a question later',
      "choices: [{ label: 'Yes', to: bye }",
      "choices: [{ label: 'Yes', to: open }",
      /'open' may be reached without a fresh 'answers.pin'/,
    ],
    [
      'also an open answer',
      'bye: { end: Bye }',
      'bye: { input: Name, as: pin, to: out }\n  out: { end: Bye }',
      /and a secret input both write answers.pin/,
    ],
  ] as const) {
    it(`finds one that is ${why}`, () => {
      assert.ok(SCREENS.includes(from))
      assert.ok(
        found(SCREENS.replace(from, into)).some((what) => says.test(what)),
        found(SCREENS.replace(from, into)).join('\n'),
      )
    })
  }

  it('lets its own checks look at it', async () => {
    const screens = SCREENS.replace('to: open }', 'checks: [{ if: answers.pin != 1111, wrong: Not that. }], to: open }')
    assert.deepEqual(found(screens), [])
    const phone = handset(flowOf(screens).flow, () => BANK)
    await phone.dial()
    await phone.answer('1')
    assert.equal((await phone.answer('1111')).text, 'Not that.\nPIN:')
  })
})
