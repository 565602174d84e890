import assert from 'node:assert/strict'
import { checkSource, vetFlow } from '../../../src/flow/check/check.ts'
import { talksOf } from '../../../src/flow/explore/paths.ts'
import { proveFlow } from '../../../src/flow/explore/prove.ts'
import { readFlow } from '../../../src/flow/read/read.ts'
import { describeFailure } from '../../../src/flow/talk/diff.ts'
import { playTalk } from '../../../src/flow/talk/player.ts'
import { parseTalks } from '../../../src/flow/talk/talk.ts'
import type { Json } from '../../../src/ussd/vocabulary.ts'
import { fileOf, flowOf, handset } from '../support.ts'

const LIST = `
  main: { call: book.recent, once: false, expect: { rows: { is: rows, max: 5, fields: { name: { is: text, max: 8 }, number: { is: text, max: 11 } } } }, to: whom }
  whom:
    list: { en: 'To whom (line, or the number)?', tpi: 'Long husat?' }
    from: data.main.rows
    row: '{row.name}'
    as: to
    typed:
      value: number
      checks:
        - { phone: { country: '675', digits: [8] }, wrong: { en: No number of ours., tpi: Namba i no stret. } }
        - { if: 'answers.to != {msisdn}', wrong: { en: That is you., tpi: Em yu. } }
    choices: [{ label: { en: Cancel, tpi: Lusim }, to: out }]
    to: told
  told: { end: { en: 'To {answers.to}.', tpi: 'Long {answers.to}.' } }
  out: { exit: true }
`
const HEAD = 'start: main\nlanguages: [en, tpi]'
const MENU = `
  main:
    menu: How much (10-500)?
    as: amount
    choices: [{ label: K10, to: pay, value: 10 }, { label: K50, to: pay, value: '50' }, { label: Cancel, to: out }]
    typed: { to: pay, number: { min: 10, max: 500 }, wrong: '{answers.amount.min} to {answers.amount.max}.' }
  pay: { call: shop.pay, with: { amount: '{answers.amount}' }, once: true, to: told, failed: out }
  told: { end: 'Paid {answers.amount, number, money}.' }
  out: { exit: true }
`
const source = (screens: string, head?: string) => ({ file: 'test.yaml', text: fileOf(screens, head), catalogues: [] })
const problems = (screens: string, head?: string) => {
  const found = checkSource(source(screens, head)).map(({ where, what, remedy = '' }) => `${where} ${what} (${remedy})`)
  return found.length > 0 ? found : proveFlow(flowOf(screens, head), () => '').map(({ what }) => what)
}
const row = (i: number) => ({ name: `N${i}`, number: `${70_000_100 + i}` })
const rowsOf = (n: number) => Array.from({ length: n }, (_, i) => row(i + 1))
async function dialled(rows: Json) {
  const phone = handset(flowOf(LIST, HEAD).flow, () => ({ is: 'data', data: { rows } }))
  const first = await phone.dial({ msisdn: '67570000001' })
  return { first, phone }
}

describe('a line, or what is typed in its place', () => {
  it('is one answer under one name, whichever way it came', async () => {
    for (const [answer, said] of [
      ['2', 'To 67570000102.'],
      ['7000 0102', 'To 67570000102.'],
      ['3', 'Thank you. Goodbye.'],
    ]) {
      const { first, phone } = await dialled(rowsOf(2))
      assert.equal(first.text, 'To whom (line, or the number)?\n1. N1\n2. N2\n3. Cancel')
      assert.equal((await phone.answer(answer!)).text, said)
    }
  })

  it('is held against the same rules, and what is wrong is said above the question', async () => {
    const { phone } = await dialled(rowsOf(1))
    const head = 'To whom (line, or the number)?\n1. N1\n2. Cancel'
    assert.equal((await phone.answer('99')).text, `No number of ours.\n${head}`)
    assert.equal((await phone.answer('70000001')).text, `That is you.\n${head}`)
    assert.equal((await phone.answer('70000101')).text, 'To 67570000101.')
  })

  it('shows no row that could not be typed, and never more than nine', async () => {
    const none = 'To whom (line, or the number)?\n1. Cancel'
    assert.equal((await dialled([])).first.text, none)
    assert.equal(
      (
        await dialled([
          { name: 'You', number: '70000001' },
          { name: 'Odd', number: '12' },
        ])
      ).first.text,
      none,
    )
    const { first, phone } = await dialled(rowsOf(1000))
    assert.match(first.text, /\n9\. N9\n10\. Cancel$/)
    assert.equal((await phone.answer('11')).text.split('\n')[0], 'No number of ours.')
    assert.equal(
      (await dialled([...rowsOf(0), { name: 'Odd', number: '12' }, row(1)])).first.text,
      none.replace('1. C', '1. N1\n2. C'),
    )
  })

  it('speaks the second language', async () => {
    const phone = handset(flowOf(LIST, HEAD).flow, () => ({ is: 'data', data: { rows: rowsOf(1) } }))
    assert.equal((await phone.dial({ language: 'tpi', msisdn: '67570000001' })).text, 'Long husat?\n1. N1\n2. Lusim')
    assert.match((await phone.answer('70000001')).text, /^Em yu\.\n/)
    assert.equal((await phone.answer('1')).text, 'Long 67570000101.')
  })

  it('may stand beside written choices, whose values are kept like it', async () => {
    const paid: Json[] = []
    for (const answer of ['1', '2', '499']) {
      const phone = handset(flowOf(MENU).flow, ({ args }) => (paid.push(args.amount!), { is: 'data', data: {} }))
      assert.equal((await phone.dial()).text, 'How much (10-500)?\n1. K10\n2. K50\n3. Cancel')
      if (answer === '499') assert.match((await phone.answer('501')).text, /^10 to 500\.\nHow much/)
      await phone.answer(answer)
    }
    assert.deepEqual(paid, [10, 50, 499])
  })

  it('passes the checks, the walk and the money checks as an input does', () => {
    assert.deepEqual(problems(LIST, HEAD), [])
    assert.deepEqual(problems(MENU), [])
    const vetted = (screens: string) =>
      vetFlow(readFlow(source(screens))).flatMap(({ rule, what }) => (rule === 'negative' ? [what] : []))
    assert.deepEqual(vetted(MENU), [])
    assert.match(
      vetted(MENU.replace('min: 10, ', '').replace('{answers.amount.min} to ', ''))[0]!,
      /'answers\.amount' to shop\.pay/,
    )
    assert.deepEqual(
      checkSource(source(MENU.replace('answers.amount, number', 'answers.amuont, number'))).map(({ what }) => what),
      ["screen 'told': nothing sets 'answers.amuont'"],
    )
  })

  it('is a transition of its own, which written talks take', async () => {
    for (const [screens, head, screen] of [
      [LIST, HEAD, 'whom'],
      [MENU, undefined, 'main'],
    ] as const) {
      const compilation = flowOf(screens, head)
      const { text, missing } = talksOf(compilation)
      const lacking = missing.map(({ name }) => name).filter((name) => name.startsWith(`screen '${screen}'`))
      assert.deepEqual(lacking, [], text)
      for (const talk of parseTalks('made.talk', text)) {
        const failure = await playTalk(talk, compilation.flow)
        assert.equal(failure && describeFailure(failure), undefined)
      }
    }
  })

  for (const [what, screens, head, says] of [
    [
      'numbers of lines that could be typed',
      MENU.replace('min: 10, max', 'min: 2, max').replace('value: 10', 'value: 20'),
      undefined,
      /prints 2, and that could also be typed/,
    ],
    [
      'a free text beside lines',
      LIST.replace(/ {6}checks:[\s\S]*? {4}choices/, '    choices'),
      HEAD,
      /prints 1, and that could also be typed/,
    ],
    ['a list without a name for the answer', LIST.replace('    as: to\n', ''), HEAD, /has typed but no as/],
    [
      'a value that breaks the rules',
      MENU.replace('value: 10', 'value: 5'),
      undefined,
      /choice 1 is never shown, because its value 5 breaks/,
    ],
    [
      'a value without typed',
      MENU.replace(/ {4}typed: .*\n/, ''),
      undefined,
      /value of choice 1 has no effect without typed/,
    ],
    [
      'search beside typed',
      LIST.replace('    as: to', '    as: to\n    keep: [name]\n    search: [name]'),
      HEAD,
      /search and typed exclude each other/,
    ],
    [
      'a misspelt rule',
      MENU.replace('number: {', 'nubmer: {'),
      undefined,
      /unknown key 'nubmer'.*did you mean 'number'/,
    ],
    [
      'bounds that nothing meets',
      MENU.replace('min: 10, max: 500', 'min: 10, max: 5'),
      undefined,
      /no value lies between 10 and 5/,
    ],
  ] as const) {
    it(`finds ${what}`, () => {
      const found = problems(screens, head)
      assert.ok(
        found.some((one) => says.test(one)),
        found.join('\n'),
      )
    })
  }
})
