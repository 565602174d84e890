/** Rows that are picked (`where`, `sort`, `max`), and rows within texts (`rows`). */
import assert from 'node:assert/strict'
import { checkSource, vetFlow } from '../../../src/flow/check/check.ts'
import { compileFlow } from '../../../src/flow/load/compile.ts'
import { explore } from '../../../src/flow/explore/explorer.ts'
import { examineFlow } from '../../../src/flow/explore/examine.ts'
import { coverageOf } from '../../../src/flow/explore/coverage.ts'
import { fits } from '../../../src/ussd/text.ts'
import { type Json, USSD_PAGE } from '../../../src/ussd/vocabulary.ts'
import { fileOf, flowOf, handset } from '../support.ts'

const HEAD = 'start: all\nlanguages: [en, tpi]\nzone: Pacific/Port_Moresby'
const EXPECT =
  'expect: { rows: { is: rows, max: 900, fields: { id: 6, shop: 16, amount: 5, due: { is: date }, state: 6 } } }'
const LIST = `
  all: { call: bills.mine, once: false, ${EXPECT}, to: which }
  which:
    list: { en: 'Open bills:', tpi: 'Ol bil:' }
    from: data.all.rows
    where: row.state == open and row.amount > 0
    sort: -due
    row: '{row.shop}: {row.amount}'
    keep: [id]
    empty: none
    to: chosen
  chosen: { end: { en: 'Bill {chosen.which.id}', tpi: 'Bil {chosen.which.id}' } }
  none: { end: { en: No bills., tpi: I no gat bil. } }
`
interface Bill {
  id: string
  shop: string
  amount: number
  due: string
  state: string
}
const bill = (i: number, more: Partial<Bill> = {}): Json => ({
  id: `b${i}`,
  shop: `Shop ${i}`,
  amount: i,
  due: `2025-0${1 + (i % 9)}-1${i % 10}`,
  state: 'open',
  ...more,
})
const billsOf = (n: number, more?: Partial<Bill>) => Array.from({ length: n }, (_, i) => bill(i + 1, more))
const phoneOf = (screens: string, rows: readonly Json[], head = HEAD) =>
  handset(flowOf(screens, head).flow, () => ({ is: 'data', data: { rows: rows as Json[] } }))
const check = (screens: string, head = HEAD) => {
  const source = { file: 'test.yaml', text: fileOf(screens, head), catalogues: [] }
  return checkSource(source).map(({ severity, what, remedy, where }) => `${severity} ${where} ${what} (${remedy})`)
}
const vetted = (screens: string, head = HEAD) => {
  const { read } = flowOf(screens, head)
  return vetFlow(read).map(({ what, remedy, where }) => `${where} ${what} (${remedy})`)
}
const examined = (screens: string, head = HEAD) => {
  const compilation = flowOf(screens, head)
  return examineFlow(compilation, compilation.read).map(({ what }) => what)
}

describe('rows that a list picks', () => {
  it('are those for which the condition holds, in the order of a field', async () => {
    const rows = [
      bill(1, { due: '2025-05-01' }),
      bill(2, { state: 'paid' }),
      bill(3, { due: '2025-07-01' }),
      bill(4, { amount: 0 }),
      bill(5, { due: '2025-06-01' }),
    ]
    const phone = phoneOf(LIST, rows)
    assert.equal((await phone.dial({ language: 'tpi' })).text, 'Ol bil:\n1. Shop 3: 3\n2. Shop 5: 5\n3. Shop 1: 1')
    assert.equal((await phone.answer('2')).text, 'Bil b5')
  })

  it('may be none: of no row, or where the condition holds for none', async () => {
    assert.equal((await phoneOf(LIST, []).dial()).text, 'No bills.')
    assert.equal((await phoneOf(LIST, [bill(1, { state: 'paid' })]).dial()).text, 'No bills.')
    assert.equal((await phoneOf(LIST, [bill(1)]).dial()).text, 'Open bills:\n1. Shop 1: 1')
  })

  it('are looked for among a thousand', async () => {
    const rows = [...billsOf(999, { state: 'paid' }), bill(1000), bill(1001)]
    const phone = phoneOf(LIST, rows)
    assert.equal((await phone.dial()).text, 'Open bills:\n1. Shop 1000: 1000')
    assert.equal((await phone.answer('1')).text, 'Bill b1000')
    const many = phoneOf(
      LIST.replace('where: row.state == open and row.amount > 0', 'where: row.shop contains SHOP'),
      billsOf(1000),
    )
    const first = await many.dial()
    assert.match(first.text, /^Open bills:\n1\. Shop 89: 89\n2\. Shop 179: 179/)
  })

  it('are sorted by numbers, also in texts, by words as people sort them, and without the field last', async () => {
    const orderOf = async (sort: string, rows: Json[]) => {
      const screens = LIST.replace(', due: { is: date }', '')
        .replace('sort: -due', `sort: ${sort}`)
        .replace('row.state == open and row.amount > 0', 'row.id')
      const { text } = await phoneOf(screens, rows).dial()
      return [...text.matchAll(/\d\. (\S+):/g)].map(([, shop]) => shop)
    }
    const row = (shop: string, amount: Json) => ({ id: 'x', shop, amount, due: '2025-01-01', state: 'open' })
    const rows = [row('b', '10.5'), row('a', 9), row('d', -1), { id: 'x', shop: 'e' }, row('c', '9.25')]
    assert.deepEqual(await orderOf('amount', rows), ['d', 'a', 'c', 'b', 'e'])
    assert.deepEqual(await orderOf('-amount', rows), ['b', 'c', 'a', 'd', 'e'])
    const words = ['Zed', 'élan', 'Eve', 'Kiosk10', 'kiosk9'].map((shop) => row(shop, 1))
    assert.deepEqual(await orderOf('shop', words), ['élan', 'Eve', 'kiosk9', 'Kiosk10', 'Zed'])
  })

  it('are at most max, and pages and searches go over what was picked', async () => {
    const screens = LIST.replace('    empty:', '    max: 15\n    search: [shop]\n    empty:')
    const phone = phoneOf(screens, billsOf(40))
    let page = await phone.dial()
    const seen: string[] = []
    for (;;) {
      assert.ok(fits(page.text, USSD_PAGE))
      seen.push(...[...page.text.matchAll(/\d+\. (Shop \d+)/g)].map(([, shop]) => shop!))
      const more = /(\d+)\. More/.exec(page.text)?.[1]
      if (more === undefined) break
      page = await phone.answer(more)
    }
    assert.equal(seen.length, 15)
    assert.match((await phone.answer('shop 17')).text, /^Open bills:\n1\. Shop 17: 17\n2\. Show all$/)
    assert.match((await phone.answer('shop 30')).text, /^Nothing found/)
  })

  it('depend on what was answered before, and on the day', async () => {
    const screens = `
  all: { call: bills.mine, once: false, ${EXPECT}, to: word }
  word: { input: 'Shop:', length: { max: 12 }, to: which }
  which: { list: 'Due:', from: data.all.rows, where: row.shop contains answers.word and row.due >= today, sort: due, row: '{row.shop}', keep: [id], to: done, choices: [{ label: Again, key: '0', to: word }] }
  done: { exit: true }
`
    const rows = [
      bill(1, { shop: 'Café Lae', due: '2025-01-14' }),
      bill(2, { shop: 'CAFE Wau', due: '2025-01-16' }),
      bill(3, { shop: 'Cafe Lae', due: '2025-01-15' }),
    ]
    const phone = phoneOf(screens, rows, 'start: all\nlanguages: [en]')
    await phone.dial({ now: '2025-01-15T08:00:00Z' })
    assert.equal((await phone.answer('cafe')).text, 'Due:\n1. Cafe Lae\n2. CAFE Wau\n0. Again')
    await phone.answer('0')
    assert.equal((await phone.answer('wau')).text, 'Due:\n1. CAFE Wau\n0. Again')
  })

  it('are walked: none, some, and pages of them', () => {
    assert.deepEqual(check(LIST), [])
    assert.deepEqual(examined(LIST), [])
    const { pages } = explore(flowOf(LIST, HEAD), { language: 'en' })
    const shown = new Set(pages.filter(({ screen }) => screen === 'which').map(({ context }) => context.shown?.n))
    assert.ok(shown.has(1) && shown.size > 1, [...shown].join())
    const told = explore(flowOf(LIST, HEAD), { language: 'en' }).states[0]!.edges.filter(
      ({ to }) => to?.screen === 'none',
    )
    assert.ok(
      told.some((edge) => /says a row .*"state":"State "/.test(edge.told)),
      told.map((edge) => edge.told).join(),
    )
  })

  it('are covered by talks as any', async () => {
    const compilation = flowOf(LIST, HEAD)
    const coverage = coverageOf(compilation)
    const phone = handset(coverage.flow, () => ({ is: 'data', data: { rows: [bill(1, { state: 'paid' }), bill(2)] } }))
    await phone.dial()
    await phone.answer('1')
    assert.deepEqual(coverage.report().missing, ["screen 'none'"])
    assert.deepEqual(coverage.transitions().missing, [
      "screen 'all', no answer",
      "screen 'which', no rows",
      "screen 'none'",
    ])
  })

  it('are refused where the fields, the order or the condition cannot be', () => {
    const put = (was: string, now: string) => LIST.replace(was, now)
    assert.match(
      check(put('sort: -due', 'sort: -deu')).join('\n'),
      /warning test.yaml:\d+:\d+ .*does not list the field 'row.deu' under expect \(did you mean 'row.due'|due/,
    )
    assert.match(
      check(put('sort: -due', 'sort: due down')).join('\n'),
      /a field of the rows, such as at, or -at for the greatest first/,
    )
    assert.match(check(put('row.amount > 0', 'row.amount > >')).join('\n'), /error test.yaml:\d+:\d+ .*screen 'which'/)
    assert.match(check(put('row.amount > 0', 'vars.no == 1')).join('\n'), /nothing sets 'vars.no'/)
    assert.match(
      check(put("'Open bills:'", "'Open {row.shop}:'")).join('\n'),
      /'row' exists only in the row text and the where of rows/,
    )
    assert.match(check(put('where: row.state == open', 'where: row.due == 18:00')).join('\n'), /row.due.*18:00/)
  })

  it('may be more than are kept, which check says, with the remedy', () => {
    const unkept = LIST.replace('    keep: [id]\n', '')
    assert.match(
      vetted(unkept).join('\n'),
      /of up to 900 rows only the first 100 are kept, and nobody sees the others \(list the fields to keep/,
    )
    assert.doesNotMatch(vetted(LIST).join('\n'), /are kept/)
    assert.match(
      vetted(LIST.replace('max: 900', 'max: 5000')).join('\n'),
      /of up to 5000 rows only the first 1000 are kept/,
    )
    assert.match(
      vetted(unkept.replace(/ {4}where.*\n/, '').replace('sort: -due', 'max: 9')).join('\n'),
      /^(?!.*are kept)/s,
    )
  })
})

const STATEMENT = `
  all: { call: bank.statement, once: false, expect: { rows: { is: rows, max: 50, fields: { at: { is: date }, what: 12, amount: 7 } }, left: { is: number, max: 99999 } }, to: shown }
  shown:
    menu:
      en: |-
        Last payments:
        {rows}
        Left: {data.all.left, number, money}
      tpi: |-
        Ol las pe:
        {rows}
        I stap: {data.all.left, number, money}
    rows:
      from: data.all.rows
      where: row.amount != 0
      sort: -at
      max: 5
      row: { en: '{row.at, date} {row.what} {row.amount, number, money}', tpi: '{row.what} {row.at, date} {row.amount, number, money}' }
      none: { en: None yet., tpi: I no gat yet. }
    choices: [{ label: { en: Exit, tpi: Pinis }, to: bye }]
  bye: { exit: true }
`
const paid = (i: number, more: object = {}): Json => ({
  at: `2025-01-${String((i % 28) + 1).padStart(2, '0')}`,
  what: `Shop ${i}`,
  amount: -i,
  ...more,
})
const statement = (rows: Json[], screens = STATEMENT) =>
  handset(flowOf(screens, HEAD).flow, () => ({ is: 'data', data: { rows, left: 12.5 } }))
const paidOf = (n: number) => Array.from({ length: n }, (_, i) => paid(i + 1))

describe('rows within a text', () => {
  it('are a line each, picked and sorted, in the language of the dialogue', async () => {
    const rows = [paid(3), paid(1, { amount: 0 }), paid(9)]
    assert.equal(
      (await statement(rows).dial()).text,
      'Last payments:\n10/01/2025 Shop 9 -9.00\n04/01/2025 Shop 3 -3.00\nLeft: 12.50\n1. Exit',
    )
    assert.equal(
      (await statement(rows).dial({ language: 'tpi' })).text,
      'Ol las pe:\nShop 9 10/01/2025 -9.00\nShop 3 04/01/2025 -3.00\nI stap: 12.50\n1. Pinis',
    )
  })

  it('are none, one, or at most max of a thousand', async () => {
    assert.equal((await statement([]).dial()).text, 'Last payments:\nNone yet.\nLeft: 12.50\n1. Exit')
    assert.equal((await statement([paid(1)]).dial()).text.split('\n').length, 4)
    const phone = statement(paidOf(1000))
    const first = await phone.dial()
    assert.ok(fits(first.text, USSD_PAGE))
    const pages = [first.text]
    for (let more = /(\d+)\. More/.exec(pages[0]!)?.[1]; more !== undefined;) {
      const { text } = await phone.answer(more)
      pages.push(text)
      more = /(\d+)\. More/.exec(text)?.[1]
    }
    // Each line is whole on its page.
    assert.equal(pages.flatMap((text) => text.match(/^\d\d\/\d\d\/2025 Shop \d+ -\d+\.00$/gm) ?? []).length, 5)
    assert.equal((await phone.answer(/(\d)\. Exit/.exec(pages.at(-1)!)![1]!)).text, 'Thank you. Goodbye.')
  })

  it('cannot forge a line, and are no longer than the page, whatever they have in them', async () => {
    const screens = STATEMENT.replace('what: 12, ', '')
    const rows = [paid(1, { what: 'x\n1. Free money' }), paid(2, { what: 'y'.repeat(4000) })]
    const phone = statement(rows, screens)
    let { text } = await phone.dial()
    for (let i = 0; i < 60; i++) {
      assert.ok(fits(text, USSD_PAGE))
      assert.doesNotMatch(text, /^1\. Free/m)
      const more = /(\d+)\. More/.exec(text)?.[1]
      if (more === undefined) break
      text = (await phone.answer(more)).text
    }
    assert.match(text, /1\. Exit$/)
  })

  it('stand in an end, a notification, a prompt and an SMS, too', async () => {
    const rows = "rows: { from: data.all.rows, sort: -at, max: 2, row: '{row.what}', none: Nothing }"
    const of = (last: string) => `
  all: { call: bank.statement, once: false, expect: { rows: { is: rows, max: 50, fields: { at: { is: date }, what: 12 } } }, to: last }
  last: ${last}
${last.includes('to: bye') ? '  bye: { exit: true }' : ''}
`
    const head = 'start: all\nlanguages: [en]'
    const dial = (last: string, n: number) => {
      const wants: Json[] = []
      const phone = handset(flowOf(of(last), head).flow, (want) => {
        wants.push(want.args)
        return { is: 'data', data: { rows: paidOf(n) } }
      })
      return { phone, wants }
    }
    assert.equal((await dial(`{ end: "Last:\\n{rows}", ${rows} }`, 3).phone.dial()).text, 'Last:\nShop 3\nShop 2')
    assert.equal((await dial(`{ notify: "Last:\\n{rows}", ${rows}, to: bye }`, 0).phone.dial()).text, 'Last:\nNothing')
    const prompt = dial(`{ input: "{rows}\\nYour PIN:", ${rows}, length: { max: 4 }, to: bye }`, 2).phone
    assert.equal((await prompt.dial()).text, 'Shop 2\nShop 1\nYour PIN:')
    assert.equal((await prompt.answer('x'.repeat(9))).text.split('\n').length, 4)
    const { phone, wants } = dial(`{ sms: "Last: {rows}", ${rows}, to: bye }`, 1)
    await phone.dial()
    assert.deepEqual(wants.at(-1), { text: 'Last: Shop 1' })
    for (const last of [
      `{ end: "{rows}", ${rows} }`,
      `{ notify: "{rows}", ${rows}, to: bye }`,
      `{ sms: "{rows}", ${rows}, to: bye }`,
      `{ input: "{rows}", ${rows}, length: { max: 9 }, to: bye }`,
    ]) {
      assert.deepEqual(check(of(last), head), [], last)
      assert.deepEqual(examined(of(last), head), [], last)
    }
  })

  it('may be those of a part, with its own language and names', async () => {
    const part = `part: mini
spec: 1
languages: [en, tpi]
start: ask
screens:
  ask: { call: bank.statement, once: false, expect: { rows: { is: rows, max: 9, fields: { what: 12, amount: 5 } } }, to: least }
  least: { set: { least: 2 }, to: show }
  show:
    menu: { en: "Large:\\n{rows}", tpi: "Bikpela:\\n{rows}" }
    rows: { from: data.ask.rows, where: row.amount >= vars.least, max: 2, row: '{row.what}', none: { en: None, tpi: Nogat } }
    choices: [{ label: { en: Back, tpi: Go bek }, key: '0', to: out }]
  out: { return: done }
`
    const text = fileOf('  main: { flow: mini, to: bye }\n  bye: { exit: true }\n', 'start: main\nlanguages: [en, tpi]')
    const source = {
      file: 'test.yaml',
      text,
      catalogues: [],
      parts: [{ file: 'parts/mini.yaml', text: part, catalogues: [] }],
    }
    assert.deepEqual(checkSource(source), [])
    const rows = [1, 2, 3, 4].map((amount) => ({ what: `Shop ${amount}`, amount }))
    const phone = handset(compileFlow(source).flow, () => ({ is: 'data', data: { rows } }))
    assert.equal((await phone.dial({ language: 'tpi' })).text, 'Bikpela:\nShop 2\nShop 3\n0. Go bek')
    assert.equal((await phone.answer('0')).text, 'Tenkyu. Gutbai.')
  })

  it('are measured with as many and as long rows as there can be', () => {
    assert.deepEqual(check(STATEMENT), [
      "warning test.yaml:9:5 screen 'shown' in 'en' takes more than one page when its values are long (undefined)",
      "warning test.yaml:9:5 screen 'shown' in 'tpi' takes more than one page when its values are long (undefined)",
    ])
    assert.deepEqual(check(STATEMENT.replace(' max: 5\n', ' max: 2\n')), [])
    const notify = STATEMENT.replace('    menu:', '    notify:').replace(/    choices:.*\n/, '    to: bye\n')
    assert.match(check(notify).join('\n'), /long values are cut, because a notification must fit on one page/)
    const sms = STATEMENT.replace('    menu:', '    sms:').replace(/    choices:.*\n/, '    to: bye\n')
    assert.match(check(sms).join('\n'), /sends 2 SMS for one text/)
    assert.doesNotMatch(check(sms.replace(' max: 5\n', ' max: 2\n')).join('\n'), /sends/)
  })

  it('are walked, with none, some and many', () => {
    assert.deepEqual(examined(STATEMENT), [])
    const { pages } = explore(flowOf(STATEMENT, HEAD), { language: 'en', lengths: 'longest' })
    const texts = pages.filter(({ screen }) => screen === 'shown').map(({ want }) => want.text)
    assert.ok(texts.some((text) => text.includes('None yet.')))
    assert.ok(texts.some((text) => text.includes('More')))
  })

  it('are refused where they are not shown, or shown where there are none', () => {
    const put = (was: string, now: string) => check(STATEMENT.replace(was, now)).join('\n')
    assert.match(
      put('{rows}', 'Rows'),
      /error test.yaml:19:7 screen 'shown' has rows, but its text does not show them \(write \{rows\} where they stand\)/,
    )
    assert.match(
      put('label: { en: Exit,', "label: { en: '{rows}',"),
      /error .*\{rows\} stands where a screen has rows \(rows: \{ from/,
    )
    assert.match(put('None yet.', "'{row.what}'"), /'row' exists only in the row text/)
    assert.match(put(' max: 5\n', ' max: 500\n'), /max/)
    assert.match(put('      max: 5\n', ''), /max/)
    assert.match(put('from: data.all.rows', 'from: data.all.left'), /'data.all.left' is a number, but rows are needed/)
    assert.match(put('from: data.all.rows', 'from: data.al.rows'), /nothing sets 'data.al'/)
    assert.match(
      put('tpi: |-\n        Ol las pe:\n        {rows}', 'tpi: |-\n        Ol las pe:'),
      /the text in 'tpi' does not show rows/,
    )
    assert.match(put('{row.what} {row.amount', '{row.waht} {row.amount'), /does not list the field 'row.waht'/)
  })

  it('keep of each row only what the text reads', async () => {
    const phone = statement([paid(1, { secret: 'x', much: 'y'.repeat(1000) })])
    await phone.dial()
    assert.doesNotMatch(JSON.stringify(phone.snapshot()), /secret|yyy/)
  })
})
