import assert from 'node:assert/strict'
import { readFlow } from '../../../src/flow/read/read.ts'
import { markedText } from '../../../src/flow/redraw/marked.ts'
import { isSecretScreen, redrawnScreen } from '../../../src/flow/redraw/screen.ts'

describe('a text without its values', () => {
  for (const [text, marked] of [
    ['Welcome', 'Welcome'],
    [
      'You have {data.balance.amount, number, money} {data.balance.currency}.',
      'You have {balance.amount} {balance.currency}.',
    ],
    ['{msisdn} at {data.slot.at, time}', '{msisdn} at {slot.at}'],
    ['{data.n, plural, one {# visit} other {# visits to {data.clinic}}} left', '{n} visits to {clinic} left'],
    ['{vars.kind, select, a {An {answers.x}} other {Other}}!', 'Other!'],
    ["It''s '{plain}' here", "It's {plain} here"],
    ['an { that is open', 'an { that is open'],
  ] as const)
    it(text, () => assert.equal(markedText(text), marked))
})

const FLOW = `
flow: topup
spec: 1
languages: [en, tpi]
start: main
keys: { back: "0" }
screens:
  main:
    menu: "Welcome {msisdn}\\nto Akiba"
    choices:
      - { label: Balance, to: balance }
      - { label: Loan, to: loan, when: "data.balance.amount > 5" }
      - { label: Airtime, to: amount }
      - { label: Help, key: "9", to: help }
  balance: { call: wallet.balance, to: slots, failed: sorry }
  amount: { input: "How much?", number: { min: 5, max: 20 }, to: help }
  pin: { input: "Your PIN:", secret: true, to: help }
  slots: { list: "Choose:", from: data.balance.rows, row: "{row.day, date} {row.name}", to: help, choices: [{ label: None, to: help }] }
  leave: { exit: true }
  loan: { end: "{data.balance.amount, number} is too little." }
  help: { end: "Call 100" }
  sorry: { end: "Busy" }
`

describe('a screen that was shown', () => {
  const { definition } = readFlow({
    file: 'topup.yaml',
    text: FLOW,
    catalogues: [{ file: 'topup.tpi.yaml', text: 'language: tpi\ntexts:\n  Balance: Mani\n  "How much?": "Hamas?"\n' }],
  })
  const drawn = (name: string, language = 'en') => redrawnScreen(definition, name, language)!

  it('is the built-in goodbye, in its language, where it has no text of its own', () => {
    const [english, tokPisin] = [drawn('leave').lines, drawn('leave', 'tpi').lines]
    assert.equal(english.length, 1)
    assert.match(english[0]!, /oodbye/)
    assert.notDeepEqual(tokPisin, english)
  })

  it('has its lines, its keys, and marks for values that are gone', () => {
    assert.deepEqual(drawn('main').lines, [
      'Welcome {msisdn}',
      'to Akiba',
      '1. Balance',
      '2. Loan (shown under a condition)',
      '3. Airtime',
      '9. Help',
      '0. Back',
    ])
    assert.deepEqual(drawn('loan').lines, ['{balance.amount} is too little.'])
    assert.deepEqual(drawn('slots').lines, ['Choose:', '1… {day} {name}', '…. None', '0. Back'])
  })

  it('is in the language of the dialogue, as far as it was translated', () => {
    assert.deepEqual(drawn('main', 'tpi').lines.slice(2, 4), ['1. Mani', '2. Loan (shown under a condition)'])
    assert.deepEqual(drawn('amount', 'tpi').lines, ['Hamas?', '0. Go bek'])
    assert.deepEqual(drawn('amount', 'xx').lines[0], 'How much?')
  })

  it('names what a key chose; behind a line that may not have been there, only probably', () => {
    assert.deepEqual(drawn('main').choice('1'), { label: 'Balance' })
    assert.deepEqual(drawn('main').choice('3'), { label: 'Airtime', isUnsure: true })
    assert.deepEqual(drawn('main').choice('9'), { label: 'Help' })
    assert.deepEqual(drawn('main').choice('0'), { label: 'Back' })
    assert.equal(drawn('main').choice('8'), undefined)
    assert.deepEqual(drawn('slots').choice('2'), { label: 'line 2 of the list' })
  })

  it('is known for asking a secret; one that the revision does not have is nothing', () => {
    assert.deepEqual([isSecretScreen(definition, 'pin'), isSecretScreen(definition, 'amount')], [true, false])
    assert.equal(redrawnScreen(definition, 'gone', 'en'), undefined)
  })
})
