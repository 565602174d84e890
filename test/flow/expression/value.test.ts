/**
 * Worked-out values in flows: where they may stand, what becomes of those that cannot be, and what the check says of
 * them.
 */
import assert from 'node:assert/strict'
import { checkSource } from '../../../src/flow/check/check.ts'
import { compileFlow } from '../../../src/flow/load/compile.ts'
import { proveFlow } from '../../../src/flow/explore/prove.ts'
import { readFlow, type FlowFiles } from '../../../src/flow/read/read.ts'
import { compileValue } from '../../../src/flow/expression/value.ts'
import type { Json } from '../../../src/ussd/vocabulary.ts'
import { sentence } from '../../../src/base/errors.ts'
import { fileOf, flowOf, handset } from '../support.ts'

const said = (screens: string, parts: FlowFiles[] = [], head?: string) =>
  checkSource({ file: 'f.yaml', text: fileOf(screens, head), catalogues: [], parts }).map(
    ({ severity, where, what, remedy }) => `${severity} ${where} ${what}${remedy ? ` (${remedy})` : ''}`,
  )

const FEE = `
  main: { call: w.x, expect: { n: number, rows: rows }, to: fee }
  fee: { set: { each: '= round(100 / data.main.n, 2)', many: '= length(data.main.rows)' }, to: shown, failed: { to: none, notice: 'Nobody: {data.main.n}.' } }
  shown: { end: '{vars.each, number, money} of {vars.many}' }
  none: { menu: Alone, choices: [{ label: 'Half of {vars.each}', to: half }], back: half }
  half: { end: x }`

const ANSWER: Json = { rows: [{ price: 1.1, name: 'a' }, { price: 2.2 }], more: [{ name: 'b' }], other: 1 }
const answered = (data: Json) => handset(flowOf(FEE).flow, () => ({ is: 'data', data })).dial()

describe('a value that is worked out in a flow', () => {
  it('is set, and shown', async () => {
    assert.deepEqual(await answered({ n: 3, rows: [{}, {}] }), {
      do: 'end',
      text: '33.33 of 2',
      screen: 'shown',
      reason: 'completed',
    })
  })

  it('that cannot be leads to `failed`, with nothing of the screen set', async () => {
    const phone = handset(flowOf(FEE).flow, () => ({ is: 'data', data: { n: 0, rows: [] } }))
    assert.equal(((await phone.dial()) as { text: string }).text, 'Nobody: 0.\nAlone\n1. Half of \n2. Back')
    assert.deepEqual(phone.snapshot().context.vars, {})
  })

  it('that cannot be ends the dialogue without `failed`, by an error that names the screen and the value', async () => {
    const flow = flowOf(FEE.replace(/, failed: .*\}\n/, ' }\n').replaceAll(/ {2}(none|half):.*\n?/g, '')).flow
    await assert.rejects(
      handset(flow, () => ({ is: 'data', data: { n: 0, rows: [] } })).dial(),
      /screen 'fee': '= round\(100 \/ data.main.n, 2\)' cannot be computed: division by zero/,
    )
  })

  it('may be an argument, what a choice sets, and what a part takes and gives', async () => {
    const part = {
      file: 'parts/pay.yaml',
      catalogues: [],
      text: `part: pay
spec: 1
languages: [en]
start: sure
takes: { amount: number }
screens:
  sure: { set: { fee: "= max(vars.amount * 0.01, 0.5)" }, to: send }
  send: { call: w.pay, with: { all: '= {vars.amount} + vars.fee', say: "= concat('vars.fee ', vars.fee)" }, to: paid }
  paid: { return: paid, give: { cost: '= vars.amount + vars.fee' } }
`,
    }
    const text = fileOf(`
  main: { menu: Buy, choices: [{ label: Two, to: pay, set: { n: '= 1 + 1' } }, { label: None, to: pay, set: { n: 0 } }], back: done }
  pay: { flow: pay, with: { amount: '= vars.n * 7.35' }, gives: { cost: cost }, to: done }
  done: { end: 'Cost {vars.cost}' }`)
    const source = { file: 'f.yaml', text, catalogues: [], parts: [part] }
    const calls: unknown[] = []
    const phone = handset(compileFlow(source).flow, ({ args }) => {
      calls.push(args)
      return { is: 'data', data: {} }
    })
    await phone.dial()
    assert.equal(((await phone.answer('1')) as { text: string }).text, 'Cost 15.2')
    assert.deepEqual(calls, [{ all: 15.2, say: 'vars.fee 0.5' }])
  })

  it('that cannot be ends the dialogue also as an argument, and as what a choice sets', async () => {
    const called = flowOf(
      "\n  main: { call: w.x, to: pay }\n  pay: { call: w.pay, with: { n: '= 1 / data.main.n' }, to: z }\n  z: { end: x }",
    ).flow
    await assert.rejects(
      handset(called, () => ({ is: 'data', data: { n: 0 } })).dial(),
      /screen 'pay': .* cannot be computed/,
    )
    const chosen = handset(
      flowOf(
        "\n  main: { menu: A, choices: [{ label: B, to: z, set: { n: '= 1 / vars.n' } }, { label: C, to: main, set: { n: 0 } }] }\n  z: { end: x }",
      ).flow,
    )
    await chosen.dial()
    await chosen.answer('2')
    await assert.rejects(chosen.answer('1'), /screen 'main': .* division by zero/)
  })

  it('keeps of rows the fields that it reads, and no others', async () => {
    const flow = flowOf(`
  main: { call: w.x, to: fee }
  fee: { set: { sum: "= sum(data.main.rows, 'price')", many: '= length(data.main.more)' }, to: shown }
  shown: { menu: '{vars.sum}, {vars.many}', choices: [{ label: Again, to: fee }, { label: End, to: end }] }
  end: { end: x }`).flow
    const phone = handset(flow, () => ({ is: 'data', data: ANSWER }))
    assert.match(((await phone.dial()) as { text: string }).text, /^3\.3, 1\n/)
    assert.deepEqual(phone.snapshot().context.data, { main: { rows: [{ price: 1.1 }, { price: 2.2 }], more: [{}] } })
  })
})

describe('the check of worked-out values', () => {
  it('points at the character, in each way of quoting, with a caret', () => {
    const [plain, single, double, folded] = said(`
  main: { call: w.x, expect: { name: text }, to: a }
  a: { set: { x: = data.main.name * 2, y: '= concat(''a'', data.main.name * 2)', z: "= 1 + data.main.name", w: "= 1 +\\x20data.main.name" }, to: b }
  b: { end: 'x' }`)
    assert.equal(
      plain,
      "error f.yaml:7:20 screen 'a': 'data.main.name' is a text, but a number is needed (use number(data.main.name) if it holds a number)",
    )
    assert.match(single!, /^error f\.yaml:7:60 screen 'a': 'data.main.name' is a text/)
    assert.match(double!, /^error f\.yaml:7:92 screen 'a': 'data.main.name' is a text/)
    // What is written otherwise than it reads is pointed at as a whole.
    assert.match(folded!, /^error f\.yaml:7:112 screen 'a': 'data.main.name' is a text/)
    const [problem] = checkSource({
      file: 'f.yaml',
      catalogues: [],
      text: fileOf('  main: { set: { x: "= 1 + \'a\'" }, to: a }\n  a: { end: x }'),
    })
    assert.equal(
      sentence(problem!),
      "  f.yaml:6:28: screen 'main': 'a' is a text, but a number is needed (write a number without quotes)\n      = 1 + 'a'\n            ^",
    )
  })

  const CALL = 'main: { call: w.x, expect: { n: number, t: text, r: rows, b: boolean }, to: a }\n  z: { end: x }\n  a: '
  const ROWS: [value: string, expected: RegExp | null][] = [
    ['= data.main.n * 2', null],
    ['= data.main.other * 2', null],
    ['= number(data.main.t) * 2', null],
    ["= data.main.t == 'x'", null],
    ['= data.main.t * 2', /'data.main.t' is a text, but a number is needed \(use number\(data.main.t\) if it/],
    ['= data.main.r + 1', /'data.main.r' is a list of rows, but a number is needed \(use length\(data.main.r\) or sum/],
    ['= data.main.b + 1', /'data.main.b' is true or false, but a number is needed/],
    ['= upper(data.main.n)', /'data.main.n' is a number, but a text is needed \(use concat\(data.main.n\)\)/],
    ['= length(data.main.n)', /is a number, but a list of rows or a text is needed/],
    ["= sum(data.main.t, 'x')", /'data.main.t' is a text, but a list of rows is needed/],
    ['= days(today(), data.main.n)', /'data.main.n' is a number, but a date is needed/],
    ['= concat(data.main.r)', /'data.main.r' is a list of rows, but a text or a number is needed \(use join/],
    ['= upper(data.main.n + 1)', /'data.main.n \+ 1' is a number, but a text is needed/],
    ['= data.main.n + 1 == word', /compares 'data.main.n \+ 1', a number, with "word", a text/],
    ['= data.mian.n + 1', /'data.mian' \(did you mean 'main'\?\)/],
    ['= data.main.n + vars.v', null],
    ['= vars.t + 1', /'vars.t' is a text, but a number is needed/],
    ['= data.main.n +', /a value is missing at the end/],
  ]
  for (const [value, expected] of ROWS) {
    it(`${expected ? 'refuses' : 'takes'} ${value}`, () => {
      const found = said(
        `  ${CALL}{ set: { v: 1, t: "= concat('a')" }, to: b }\n  b: { set: { x: ${JSON.stringify(value)} }, to: z }`,
      )
      if (expected) assert.match(found.join('\n'), expected)
      else assert.deepEqual(found, [])
    })
  }

  it('holds both sides of a condition against each other', () => {
    const branch = (condition: string) => said(`  ${CALL}{ branch: [{ if: "${condition}", to: z }], else: z }`)
    assert.deepEqual(branch('data.main.n + 1 > length(data.main.t) and not (data.main.b or data.main.n * 2 < 3)'), [])
    assert.match(
      branch('data.main.n + data.main.t > 3').join(),
      /f\.yaml:8:38 .*'data.main.t' is a text, but a number is needed/,
    )
    assert.match(
      branch('data.main.n + 1').join(),
      /'data.main.n \+ 1' is neither true nor false \(compare it with a value\)/,
    )
    assert.match(branch('1 + 1 == 2').join(), /reads no value: it is the same for every subscriber/)
  })

  it('refuses a value of another type than a part takes', () => {
    const part = {
      file: 'parts/p.yaml',
      catalogues: [],
      text: 'part: p\nspec: 1\nlanguages: [en]\nstart: a\ntakes: { n: number }\nscreens: { a: { return: x } }',
    }
    const call = (value: string) => said(`  main: { flow: p, with: { n: "${value}" }, to: z }\n  z: { end: x }`, [part])
    assert.deepEqual(call('= 1 + 1'), [])
    assert.match(call("= concat('a')").join(), /passes "= concat\('a'\)" as 'n' to part 'p', which takes a number/)
  })

  it('lets no secret be worked with, but in the call right behind it', () => {
    const pin = (screen: string) => said(`  main: { input: PIN, secret: true, to: a }\n  a: ${screen}\n  z: { end: x }`)
    assert.deepEqual(pin("{ call: pin.verify, with: { pin: '= trim(answers.main)' }, to: z }"), [])
    assert.match(pin("{ set: { x: '= concat(answers.main)' }, to: z }").join(), /reads 'answers.main', which is secret/)
  })

  it('walks with a zero where something is divided by, unless the flow says where that leads', () => {
    const proved = (screens: string) => {
      const source = { file: 'f.yaml', text: fileOf(screens), catalogues: [] }
      return proveFlow(compileFlow(source), readFlow(source).at).map(({ what, shown }) => `${what} [${shown}]`)
    }
    assert.deepEqual(proved(FEE), [])
    const bare = proved(
      "\n  main: { call: w.x, expect: { n: number }, to: fee }\n  fee: { set: { each: '= 100 / data.main.n' }, to: z }\n  z: { end: '{vars.each}' }",
    )
    assert.match(
      bare.join('\n'),
      /'= 100 \/ data.main.n' cannot be computed: division by zero \[dial > \(w.x says n is 0\)\]/,
    )
    assert.deepEqual(
      proved(
        "\n  main: { input: N, number: { min: 1, max: 9 }, to: fee }\n  fee: { set: { each: '= 100 / answers.main' }, to: z }\n  z: { end: '{vars.each}' }",
      ),
      [],
    )
    assert.deepEqual(
      proved(
        "\n  main: { call: w.x, to: fee }\n  fee: { set: { n: \"= sum(data.main.rows, 'price') + days(today(), data.main.at)\" }, to: z }\n  z: { end: '{vars.n}' }",
      ),
      [],
    )
  })

  it('measures pages by the bounds of what is worked out', () => {
    const end = (value: string, text: string) =>
      said(`
  main: { input: N, number: { min: 1, max: 2000 }, to: call }
  call: { call: w.x, expect: { fee: { is: number, max: 20 }, t: { is: text, max: 10 }, r: { is: rows, max: 5, fields: { name: 8, price: 3 } } }, to: a }
  a: { set: { v: ${JSON.stringify(value)} }, to: z }
  z: { end: '${text}' }`)
    const filled = (chars: number, slot: string) => 'x'.repeat(182 - chars) + slot
    // The text with the value fits just so, and with one character less of room it does not.
    const rows: [value: string, shown: string, chars: number][] = [
      ['= answers.main + data.call.fee', '{vars.v, number}', '2,020'.length],
      ['= answers.main * 10', '{vars.v, number}', '20,000'.length],
      ['= answers.main / 4', '{vars.v, number}', '500'.length],
      ['= min(answers.main * 99, 50)', '{vars.v, number}', '50'.length],
      ["= sum(data.call.r, 'price')", '{vars.v, number}', '5,000'.length],
      ["= join(data.call.r, 'name', '--')", '{vars.v}', 50],
      ["= concat('K', data.call.t)", '{vars.v}', 11],
      ['K{data.call.t}', '{vars.v}', 11],
      ['= upper(data.call.t)', '{vars.v}', 10],
      ['= length(data.call.r)', '{vars.v, number}', 1],
      ['= data.call.other + 1', '{vars.v, number}', '999,999,999,999,999'.length],
      ['= vars.v + 1', '{vars.v, number}', '999,999,999,999,999'.length],
      ['abc', '{vars.v}', 3],
      ['= round(answers.main / 3, 2)', '{vars.v}', '-667.00'.length + 0],
    ]
    for (const [value, shown, chars] of rows) {
      assert.deepEqual(
        end(value, filled(chars, shown)).filter((one) => /page/.test(one)),
        [],
        value,
      )
      assert.match(end(value, filled(chars - 1, shown)).join(), /takes more than one page/, value)
    }
  })
})

describe('a text that is put together', () => {
  it('cannot double from screen to screen', () => {
    const value = compileValue('{vars.x}{vars.x}', { name: 'more', zone: 'UTC' })
    const worked = compileValue('= concat(vars.x, vars.x)', { name: 'more', zone: 'UTC' })
    const scope = (x: string) => ({ context: { vars: { x } } }) as never
    for (const one of [value, worked]) {
      assert.equal(String(one(scope('a'.repeat(8_192)))).length, 16_384)
      assert.throws(() => one(scope('a'.repeat(8_193))), /screen 'more': .* makes a text of more than 16384 characters/)
    }
  })
})
