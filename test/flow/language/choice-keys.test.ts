import assert from 'node:assert/strict'
import { checkSource, vetFlow } from '../../../src/flow/check/check.ts'
import { coverageOf } from '../../../src/flow/explore/coverage.ts'
import { explore } from '../../../src/flow/explore/explorer.ts'
import { proveFlow } from '../../../src/flow/explore/prove.ts'
import { fits } from '../../../src/ussd/text.ts'
import { USSD_PAGE } from '../../../src/ussd/vocabulary.ts'
import { fileOf, flowOf, handset } from '../support.ts'

const HEAD = 'start: all\nlanguages: [en, tpi]'
const SHOP = `
  all: { call: shop.rows, once: false, expect: { rows: rows }, to: goods }
  goods:
    list: { en: 'Goods:', tpi: 'Ol samting:' }
    from: data.all.rows
    row: '{row.name}'
    keep: [name]
    to: taken
    labels: true
    choices:
      - { label: { en: Cheapest, tpi: I no dia }, to: taken }
      - { label: { en: Exit, tpi: Pinis }, key: '00', to: bye }
      - { label: { en: Help, tpi: Helpim }, key: '99', to: help, when: language == en }
  taken: { end: { en: 'You take {chosen.goods.name}.', tpi: 'Yu kisim {chosen.goods.name}.' } }
  help: { end: { en: Call 123., tpi: Ringim 123. } }
  bye: { exit: true }
`
const rowsOf = (n: number) => Array.from({ length: n }, (_, i) => ({ name: `Good ${i + 1}` }))
const shop = (n: number, compiled = flowOf(SHOP, HEAD)) =>
  handset(compiled.flow, () => ({ is: 'data', data: { rows: rowsOf(n) } }))
const problems = (screens: string, head = HEAD) =>
  checkSource({ file: 'test.yaml', text: fileOf(screens, head), catalogues: [] })
    .map(({ what, remedy, where }) => `${where} ${what} (${remedy})`)
    .join('\n')

describe('keys of single choices', () => {
  it('stand under the numbered lines, in the language of the dialogue', async () => {
    assert.equal((await shop(1).dial()).text, 'Goods:\n1. Good 1\n2. Cheapest\n00. Exit\n99. Help')
    assert.equal((await shop(1).dial({ language: 'tpi' })).text, 'Ol samting:\n1. Good 1\n2. I no dia\n00. Pinis')
  })

  it('work on every page, beside any number of rows', async () => {
    for (const n of [0, 1, 1000]) {
      const phone = shop(n)
      const first = await phone.dial()
      assert.match(first.text, /\n00\. Exit\n99\. Help$/)
      assert.ok(fits(first.text, USSD_PAGE))
      const more = /(\d+)\. More/.exec(first.text)?.[1]
      assert.equal(more !== undefined, n === 1000)
      if (more !== undefined) assert.match((await phone.answer(more)).text, /\n00\. Exit\n99\. Help$/)
      assert.equal((await phone.answer('99')).text, 'Call 123.')
    }
  })

  it('are pressed as they are printed, or by their words; what is not shown cannot be pressed', async () => {
    const phone = shop(2)
    await phone.dial()
    assert.equal((await phone.answer('hel')).text, 'Call 123.')
    const other = shop(2)
    await other.dial({ language: 'tpi' })
    const wrong = await other.answer('99')
    assert.equal(wrong.text, 'Namba i no stret. Plis traim gen:\n1. Good 1\n2. Good 2\n3. I no dia\n00. Pinis')
    assert.equal((await other.answer('00')).text, 'Tenkyu. Gutbai.')
  })

  it('can be dialled', async () => {
    assert.equal((await shop(3).dial({ dialled: ['99'] })).text, 'Call 123.')
  })

  it('never are the number of a row: rows from there on are not shown, and check says so', async () => {
    const phone = shop(1000)
    let page = await phone.dial()
    let last = 0
    for (let more = /(\d+)\. More/.exec(page.text)?.[1]; more; more = /(\d+)\. More/.exec(page.text)?.[1]) {
      page = await phone.answer(more)
      last = Number(/(\d+)\. Cheapest/.exec(page.text)?.[1] ?? 0)
    }
    assert.equal(last, 96)
    const found = vetFlow(flowOf(SHOP, HEAD).read).map(({ what }) => what)
    assert.match(found.join('\n'), /the rows have no bound, and only 95 are shown/)
    const bounded = SHOP.replace('rows: rows', 'rows: { is: rows, max: 95, fields: { name: 20 } }')
    assert.doesNotMatch(
      vetFlow(flowOf(bounded, HEAD).read)
        .map(({ what }) => what)
        .join('\n'),
      /only 95/,
    )
    const over = SHOP.replace('rows: rows', 'rows: { is: rows, max: 99, fields: { name: 20 } }')
    assert.match(
      vetFlow(flowOf(over, HEAD).read)
        .map(({ what }) => what)
        .join('\n'),
      /of up to 99 rows, and only 95/,
    )
  })

  it('are walked and counted as covered', async () => {
    const compilation = flowOf(SHOP, 'start: all\nlanguages: [en]')
    assert.deepEqual(
      proveFlow(compilation, () => ''),
      [],
    )
    const { pages } = explore(compilation, { language: 'en' })
    const keys = pages.filter(({ screen }) => screen === 'goods').flatMap(({ edges }) => edges.map(({ told }) => told))
    assert.ok(keys.includes('00') && keys.includes('99'))
    const coverage = coverageOf(compilation)
    const phone = shop(1, { ...compilation, flow: coverage.flow })
    await phone.dial()
    await phone.answer('99')
    await phone.dial()
    await phone.answer('exit')
    const { missing } = coverage.report()
    assert.deepEqual(missing, ["screen 'goods', a row", `screen 'goods', choice 1 "Cheapest"`, "screen 'taken'"])
  })

  it('that cannot be told apart are refused, with the line and a remedy', () => {
    const menu = (choices: string) => `  main: { menu: Hi, choices: [${choices}] }\n  bye: { exit: true }\n`
    const head = "start: main\nlanguages: [en]\nkeys: { home: '00' }"
    const of = (choices: string) => problems(menu(choices), head)
    assert.match(
      of("{ label: A, key: '0', to: bye }, { label: B, key: '0', to: bye }"),
      /test.yaml:7:\d+ .*two choices have the key 0 \(give one/,
    )
    assert.match(
      of("{ label: A, to: bye }, { label: B, key: '3', to: bye }"),
      /the key 3 may be the number of another line \(up to 3\) \(use a larger number, or a key such as '03'\)/,
    )
    assert.equal(of("{ label: A, to: bye }, { label: B, key: '4', to: bye }"), '')
    assert.match(
      of("{ label: A, key: '00', to: bye }"),
      /the key 00 goes back or home, so nobody can choose by it \(give the choice another key\)/,
    )
    assert.match(of('{ label: A, key: 99, to: bye }'), /a key in quotes, such as '00'/)
    assert.match(of("{ label: A, key: '1234', to: bye }"), /one to three of 0-9, \* and #/)
    assert.match(of(`{ label: ${'Long words '.repeat(9)}, key: '0', to: bye }`), /take more than half of a page/)
    const typed = menu("{ label: A, key: '99', to: bye }").replace(
      'choices:',
      'as: n, typed: { number: { min: 1, max: 100 }, to: bye }, choices:',
    )
    assert.match(problems(typed, head), /the key 99 chooses a line, so nobody can answer 99/)
    const list = SHOP.replace("key: '99'", "key: '3'")
    assert.match(problems(list), /the key 3 may be the number of another line/)
  })

  it('keep their room when values are long', async () => {
    const screens = `
  main: { input: 'Name:', to: menu }
  menu: { menu: Hello, choices: [{ label: One, to: bye }, { label: 'Send to {answers.main}', key: '0', to: bye }] }
  bye: { exit: true }
`
    const phone = handset(flowOf(screens, 'start: main\nlanguages: [en]').flow)
    await phone.dial()
    const { text } = await phone.answer('x'.repeat(160))
    assert.ok(fits(text, USSD_PAGE))
    assert.match(text, /^Hello\n1\. One\n0\. Send to x{60,}$/)
  })
})
