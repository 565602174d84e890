import assert from 'node:assert/strict'
import { checkSource, vetFlow } from '../../../src/flow/check/check.ts'
import { proveFlow } from '../../../src/flow/explore/prove.ts'
import { readFlow } from '../../../src/flow/read/read.ts'
import { isOfType, wrongFields } from '../../../src/flow/terms/value-types.ts'
import type { Json } from '../../../src/ussd/vocabulary.ts'
import { fileOf, flowOf, handset } from '../support.ts'

const FIELDS =
  '{ name: { is: text, max: 12 }, amount: { is: money, min: 0, max: 9999 }, at: date, note: { is: text, max: 9, optional: true } }'
const screens = (fields = FIELDS) => `
  mine: { call: shop.bills, once: false, expect: { rows: { is: rows, max: 100, fields: ${fields} } }, to: total, failed: sorry }
  total: { set: { all: "= sum(data.mine.rows, 'amount')" }, to: list, failed: sorry }
  list:
    list: { en: 'In all {vars.all, number, money}', tpi: 'Olgeta {vars.all, number, money}' }
    from: data.mine.rows
    row: '{row.name} {row.amount, number, money} {row.at, date}'
    to: told
    as: bill
    empty: none
  told: { end: '{chosen.bill.name}: {chosen.bill.amount, number, money}{chosen.bill.note}' }
  none: { end: { en: No bills., tpi: I no gat. } }
  sorry: { end: { en: Not now., tpi: Nogat nau. } }
`
const HEAD = 'start: mine\nlanguages: [en, tpi]'
const checked = (from: string | RegExp, to: string) => {
  const source = { file: 'test.yaml', text: fileOf(screens().replace(from, to), HEAD), catalogues: [] }
  const found = checkSource(source).filter(({ rule }) => rule !== 'untranslated')
  return found.map(({ severity, where, what, remedy }) => ({ severity, where, what, remedy }))
}
const row = (i: number, more: Json = {}) => ({ name: `B${i}`, amount: i, at: '2025-05-10', ...(more as object) })
const rowsOf = (n: number) => Array.from({ length: n }, (_, i) => row(i + 1))
const dialled = async (rows: Json, language = 'en') => {
  const phone = handset(flowOf(screens(), HEAD).flow, () => ({ is: 'data', data: { rows } }))
  const want = await phone.dial({ language })
  return want.text
}

describe('typed fields of rows', () => {
  it('are what they say, also in a flow without a fault', () => {
    assert.deepEqual(checked('', ''), [])
    const { definition } = readFlow({ file: 'test.yaml', text: fileOf(screens(), HEAD), catalogues: [] })
    assert.ok(definition)
    const compilation = flowOf(screens(), HEAD)
    assert.deepEqual(
      proveFlow(compilation, () => '').filter(({ severity }) => severity === 'error'),
      [],
    )
  })

  for (const [what, from, to, says, remedy] of [
    ['a sum of texts', "'amount')", "'name')", /sum adds up 'name', but that is a text/, /number or money/],
    ['a sum of dates', "'amount')", "'at')", /sum adds up 'at', but that is a date/, /number or money/],
    ['a date as a number', '{row.at, date}', '{row.at, number}', /'row\.at' as a number, but it is a date/, /without/],
    ['money as a date', '{row.at, date}', '{row.amount, date}', /'row\.amount' as a date, but it is money/, /correct/],
    [
      'money as it comes',
      '{row.amount, number, money}',
      '{row.amount}',
      /money, as the back end writes/,
      /\{row\.amount, number, money\}/,
    ],
    ['a date as it comes', '{row.at, date}', '{row.at}', /a date, as the back end writes it/, /\{row\.at, date\}/],
    ['no such type', 'at: date', 'at: day', /'at' is not a number or one of text, number, money, date, boolean/, /./],
  ] as const) {
    it(`finds ${what}, with its line and what to write`, () => {
      const [found] = checked(from, to)
      assert.ok(found, 'nothing was found')
      assert.match(found.what, says)
      assert.match(found.remedy ?? found.what, remedy)
      assert.match(found.where, /^test\.yaml:\d+:\d+$/)
    })
  }

  it('finds comparisons of types that do not go together', () => {
    const which = (condition: string) =>
      checked(/ {2}told: .*/, `  told: { branch: [{ if: "${condition}", to: none }], else: sorry }`).map(
        ({ what }) => what,
      )
    assert.deepEqual(which('chosen.bill.amount > 100'), [])
    assert.deepEqual(which('chosen.bill.at >= today()'), [])
    assert.deepEqual(which("chosen.bill.at >= '2025-01-01'"), [])
    assert.match(which("chosen.bill.at >= '18:00'")[0]!, /a date, with "18:00", a text/)
    assert.match(which('chosen.bill.at > chosen.bill.amount')[0]!, /a date, with 'chosen\.bill\.amount', a number/)
    assert.match(which('chosen.bill.amount == many')[0]!, /a number, with "many", a text/)
    assert.match(which('chosen.bill.name > chosen.bill.amount')[0]!, /a text, with 'chosen\.bill\.amount', a number/)
  })

  it('bound what reaches a call that changes something', () => {
    const pay = (min: string) => {
      const text = fileOf(
        screens(FIELDS.replace('min: 0', min)).replace(
          / {2}told: .*/,
          "  told: { call: shop.pay, once: true, with: { amount: '{chosen.bill.amount}' }, to: none }",
        ),
        HEAD,
      )
      return vetFlow(readFlow({ file: 'test.yaml', text, catalogues: [] })).flatMap(({ rule, what }) =>
        rule === 'negative' ? [what] : [],
      )
    }
    assert.deepEqual(pay('min: 0'), [])
    assert.match(pay('min: -50')[0]!, /'chosen\.bill\.amount' to shop\.pay/)
  })

  it('let the walk meet a row that lacks what is optional, and a negative amount', () => {
    const faults = (fields: string) => {
      const whole = screens(fields).replace('to: list, failed: sorry }', 'to: list }')
      return proveFlow(flowOf(whole, HEAD), () => '').map(({ what }) => what)
    }
    assert.deepEqual(faults(FIELDS), [])
    assert.match(faults(FIELDS.replace('max: 9999', 'max: 9999, optional: true'))[0]!, /a number is missing/)
    const divided = (min: string) => {
      const told = "  told: { set: { each: '= 100 / (chosen.bill.amount + 50)' }, to: none }"
      const compilation = flowOf(screens(FIELDS.replace('min: 0', min)).replace(/ {2}told: .*/, told), HEAD)
      return proveFlow(compilation, () => '').map(({ what }) => what)
    }
    assert.deepEqual(divided('min: 0'), [])
    assert.match(divided('min: -50')[0]!, /division by zero/)
  })

  it('make an answer of another type no answer, whatever the number of rows', async () => {
    assert.equal(await dialled([]), 'No bills.')
    assert.equal(await dialled([], 'tpi'), 'I no gat.')
    assert.match(await dialled([row(1)], 'tpi'), /^Olgeta 1\.00\n1\. B1 1\.00 10\/05\/2025$/)
    assert.equal(await dialled(rowsOf(1000)), 'Not now.', 'a sum of 1,000 rows is not known: no more than 100 are kept')
    assert.match(await dialled(rowsOf(99)), /^In all 4,950\.00\n1\. B1 1\.00/)
    for (const wrong of [{ amount: 'much' }, { amount: 1.005 }, { at: 'soon' }, { name: 7 }, { at: null }])
      assert.equal(await dialled([row(1), row(2, wrong)]), 'Not now.', JSON.stringify(wrong))
    assert.match(await dialled([row(1, { amount: '19.95' })]), /B1 19\.95/)
  })

  it('say for the operators which field it was', () => {
    const { flow } = flowOf(screens(), HEAD)
    const snapshot = flow.begin({
      msisdn: '1',
      code: '*1#',
      line: 'a',
      language: 'en',
      dialled: [],
      page: { septets: 182, ucs2: 80 },
    })
    const useless = flow.useless!(snapshot, { is: 'data', data: { rows: [row(1), row(2, { at: 'x', amount: null })] } })
    assert.deepEqual(useless, { lacks: ['rows.amount', 'rows.at'] })
  })

  it('take a thousand rows within the time of one turn of the loop, and dates of the calendar only', () => {
    const rows = Array.from({ length: 1000 }, (_, i) => row(i))
    const begun = process.cpuUsage()
    for (const each of rows) assert.deepEqual(wrongFields(each, { amount: 'money', at: 'date', name: 'text' }), [])
    assert.ok(process.cpuUsage(begun).user < 1_000_000)
    for (const good of [
      '2025-05-10',
      '2024-02-29',
      '2025-05-10T09:00',
      '2025-05-10T09:00:00.000Z',
      '2025-05-10T09:00+10:00',
    ])
      assert.ok(isOfType('date', good), good)
    for (const bad of [
      '2025-02-29',
      '10/05/2025',
      '2025-13-01',
      '2025-05-10T24:00',
      '2025-05',
      '',
      'now',
      1_767_097_800_000,
    ])
      assert.ok(!isOfType('date', bad), String(bad))
    for (const good of [0, 12, 12.5, -3.25, '19.95', 0.1 + 0.2]) assert.ok(isOfType('money', good), String(good))
    for (const bad of ['', 'a', 1.005, Number.NaN, 1e16, null]) assert.ok(!isOfType('money', bad), String(bad))
  })

  it('may come from the file of the back end', () => {
    const backend = (fields: string) => `
backend: shop
spec: 1
operations:
  bills: { does: reads, answers: { rows: { is: rows, max: 100, fields: ${fields} } }, refusals: {} }
`
    const vetted = (own: string, theirs: string) => {
      const text = fileOf(screens(own), HEAD)
      const backends = [{ file: 'backends/shop.yaml', text: backend(theirs) }]
      return vetFlow(readFlow({ file: 'test.yaml', text, catalogues: [], backends })).map(({ what }) => what)
    }
    assert.deepEqual(vetted(FIELDS, FIELDS), [])
    assert.match(
      vetted(FIELDS, FIELDS.replace('at: date', 'at: text'))[0]!,
      /'at' to be a date, but shop\.bills answers with a text/,
    )
    assert.deepEqual(vetted('{ name: 12 }', FIELDS), [])
  })

  it('are types of answers and of what parts take, too', () => {
    const part = {
      file: 'parts/pay.yaml',
      text: `part: pay\nspec: 1\nlanguages: [en]\nstart: out\ntakes: { sum: money, due: date }\nscreens:\n  out: { return: done }\n`,
      catalogues: [],
    }
    const said = (sum: string, due: string) =>
      checkSource({
        file: 'test.yaml',
        text: fileOf(`  main: { flow: pay, with: { sum: ${sum}, due: ${due} }, to: end }\n  end: { exit: true }`),
        catalogues: [],
        parts: [part],
      }).map(({ what }) => what)
    assert.deepEqual(said('12.5', "'2025-05-10'"), [])
    assert.match(said('much', "'2025-05-10'")[0]!, /which takes money there/)
    assert.match(said('12.5', 'soon')[0]!, /passes "soon" as 'due'/)
    const asked = (is: string, shown: string) =>
      checkSource({
        file: 'test.yaml',
        text: fileOf(
          `  main: { call: shop.x, once: false, expect: { it: ${is} }, to: end }\n  end: { end: '${shown}' }`,
        ),
        catalogues: [],
      }).map(({ what }) => what)
    assert.deepEqual(asked('money', '{data.main.it, number, money}'), [])
    assert.match(asked('money', '{data.main.it}')[0]!, /money, as the back end writes it/)
    assert.deepEqual(asked('date', '{data.main.it, date}'), [])
    assert.match(asked('date', '{data.main.it, number}')[0]!, /as a number, but it is a date/)
  })
})
