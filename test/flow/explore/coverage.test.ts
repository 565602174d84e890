import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { checkSource } from '../../../src/flow/check/check.ts'
import { compileFlow } from '../../../src/flow/load/compile.ts'
import { coverageOf } from '../../../src/flow/explore/coverage.ts'
import { sourceOf } from '../../../src/flow/read/loader.ts'
import { exampleOf } from '../../../src/flow/expression/pattern-sample.ts'
import { parseTalks } from '../../../src/flow/talk/talk.ts'
import { playTalk } from '../../../src/flow/talk/player.ts'
import { proveFlow } from '../../../src/flow/explore/prove.ts'
import { explore } from '../../../src/flow/explore/explorer.ts'
import { fileOf, flowOf } from '../support.ts'

describe('coverage of a flow by talks', () => {
  const SHOP = `
  rows: { call: w.rows, to: main, refused: { shut: out } }
  main:
    list: Hi
    from: data.rows.rows
    row: '{row.name}'
    to: out
    choices: [{ label: Hidden, to: out, when: data.rows.more }, { label: Shown, to: out }]
    back: rows
  out: { exit: true }
`
  const played = async (...lines: string[]) => {
    const coverage = coverageOf(flowOf(SHOP, 'start: rows\nlanguages: [en]'))
    const [talk] = parseTalks('a.talk', ['backend w.rows {"rows": [{"name": "a"}]}', ...lines].join('\n'))
    assert.equal(await playTalk(talk!, coverage.flow), undefined)
    return coverage.report().missing
  }
  const [ROW, HIDDEN, SHOWN, BACK, SHUT] = [
    "screen 'main', a row",
    `screen 'main', choice 1 "Hidden"`,
    `screen 'main', choice 2 "Shown"`,
    "screen 'main', Back",
    "screen 'rows', refused: shut",
  ]

  it('knows a row from a choice, and a choice by what is on show', async () => {
    assert.deepEqual(await played('dial *1#', '> 1'), [SHUT, HIDDEN, SHOWN, BACK])
    assert.deepEqual(await played('dial *1#', '> 2'), [SHUT, ROW, HIDDEN, BACK])
    assert.deepEqual(await played('backend w.rows {"more": true, "rows": [{"name": "a"}]}', 'dial *1#', '> 2'), [
      SHUT,
      ROW,
      SHOWN,
      BACK,
    ])
  })

  it('knows Back, refusals, and that a wrong answer walks nothing', async () => {
    assert.deepEqual(await played('dial *1#', '> 3', '> 9'), [SHUT, ROW, HIDDEN, SHOWN, "screen 'out'"])
    assert.deepEqual(await played('refuse w.rows shut', 'dial *1#'), ["screen 'main'", ROW, HIDDEN, SHOWN, BACK])
  })

  it('knows a choice and a row by the words that are typed, where they may be', async () => {
    const missing = async (head: string, ...lines: string[]) => {
      const coverage = coverageOf(flowOf(SHOP, `start: rows\nlanguages: [en]\n${head}`))
      const [talk] = parseTalks(
        'a.talk',
        ['backend w.rows {"rows": [{"name": "Ant"}, {"name": "Bee"}]}', ...lines].join('\n'),
      )
      await playTalk(talk!, coverage.flow)
      return coverage.report().missing
    }
    assert.deepEqual(await missing('labels: true', 'dial *1#', '> SHO'), [SHUT, ROW, HIDDEN, BACK])
    assert.deepEqual(await missing('labels: true', 'dial *1#', '> bee'), [SHUT, HIDDEN, SHOWN, BACK])
    assert.deepEqual(await missing('', 'dial *1#', '> bee'), [SHUT, ROW, HIDDEN, SHOWN, BACK, "screen 'out'"])
  })

  for (const name of ['dental.talk', 'language.talk', 'topup.talk']) {
    it(`is full for ${name}`, async () => {
      const coverages = new Map<string, ReturnType<typeof coverageOf>>()
      for (const talk of parseTalks(name, readFileSync(`flows/${name}`, 'utf8'))) {
        const coverage = coverages.get(talk.flow) ?? coverageOf(compileFlow(await sourceOf('flows', talk.flow)))
        coverages.set(talk.flow, coverage)
        await playTalk(talk, coverage.flow)
      }
      for (const { report } of coverages.values()) assert.deepEqual(report().missing, [])
    })
  }
})

describe('an example for a pattern', () => {
  for (const pattern of [
    '\\d{4}',
    '[A-Z]{2}\\d{3,5}',
    '0[1-9]|1[0-2]',
    '(?:07|08)\\d{8}',
    '\\p{L}+',
    '[^0-9]{3}',
    'a?b*c+',
    '\\+675\\d{7,8}',
    '.{5}',
    '[-+]?\\d+',
  ]) {
    it(`matches ${pattern}`, () => {
      const example = exampleOf(pattern)
      assert.ok(example !== undefined && new RegExp(`^(?:${pattern})$`, 'u').test(example), example)
    })
  }

  it('keeps the length', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 30 }), (n) => exampleOf('\\d+', { min: n, max: n })?.length === n))
    assert.equal(exampleOf('\\d{2}', { min: 3, max: 3 }), undefined)
  })
})

describe('bounds of what calls answer', () => {
  const warnings = (expect: string, screens: string) =>
    checkSource({
      file: 'f.yaml',
      text: fileOf(`  main: { call: w.x, expect: ${expect}, to: out }\n${screens}`),
      catalogues: [],
    }).map(({ what }) => what)

  it('measure a text by the longest that it may be', () => {
    const out = "  out: { end: 'Your plan: {data.main.plan}' }"
    assert.deepEqual(warnings('{ plan: { is: text, max: 171 } }', out), [])
    assert.deepEqual(warnings('{ plan: { is: text, max: 172 } }', out), ["screen 'out' takes more than one page"])
  })

  it('measure an answer by the most characters that its pattern takes', () => {
    const warned = (rule: string) =>
      checkSource({
        file: 'f.yaml',
        text: fileOf(`  main: { input: 'Code:', ${rule}, to: out }
  out: { end: '${'{answers.main} '.repeat(6)}' }`),
        catalogues: [],
      }).length
    for (const pattern of ['[A-Z]{2}\\d{9,27}', '\\p{L}{29}', '(?:a|bc{5})[\\]x]{20,23}', '^\\w?\\+\\d{27}$', '.{29}'])
      assert.deepEqual(
        [pattern, warned(`pattern: '${pattern}'`), warned(`checks: [{ pattern: '${pattern}' }]`)],
        [pattern, 0, 0],
      )
    for (const pattern of ['\\d+', '\\d{30}', 'a{5,}', '[ab]{2}|x*', '(?:\\d{15}|b)(?:\\d{15})?', '\\d{15}[^\\]]{15}'])
      assert.deepEqual([pattern, warned(`pattern: '${pattern}'`)], [pattern, 1])
    assert.equal(warned("length: { min: 1, max: 20 }, pattern: '\\d+'"), 0)
  })

  it('measure the rows of a list', () => {
    const out =
      "  out: { list: Shops, from: data.main.rows, row: '{row.name}', to: end }\n  end: { end: '{chosen.out.name}', exit: true }"
    const found = (max: number) => warnings(`{ rows: { is: rows, fields: { name: ${max} } } }`, out)
    assert.ok(!found(100).some((what) => what.includes('not even one row')))
    assert.ok(found(170).some((what) => what.includes('not even one row')))
  })

  it('measure the row that a branch finds, and fields that are shown as numbers', () => {
    const rows = (max: number) => `{ rows: { is: rows, fields: { name: ${max}, n: ${max} } } }`
    const branch = (end: string) =>
      `  out: { over: data.main.rows, branch: [{ if: row.open, to: end }], as: one, else: end }\n  end: { end: '${end}' }`
    const measured = (max: number, end: string) =>
      warnings(rows(max), branch(end)).filter((what) => what.includes('more than one page'))
    assert.equal(measured(150, `{chosen.one.name} ${'x'.repeat(30)}`).length, 0)
    assert.equal(measured(160, `{chosen.one.name} ${'x'.repeat(30)}`).length, 1)
    // 9,999 and 999,999,999,999
    assert.equal(measured(4, `{chosen.one.n, number} ${'x'.repeat(172)}`).length, 0)
    assert.equal(measured(12, `{chosen.one.n, number} ${'x'.repeat(172)}`).length, 1)
  })

  const BANK = (expect: string, end: string) =>
    flowOf(`  main: { call: w.x, expect: ${expect}, to: which }
  which: { branch: [{ if: data.main.amount > 500, to: rich }, { if: data.main.amount > 50, to: fair }], else: poor }
  rich: { end: Rich }\n  fair: { end: '${end}' }\n  poor: { end: Poor }`)

  it('hold for what a flow is walked with: what no answer can be leads nowhere', () => {
    const proved = (max: number) =>
      proveFlow(BANK(`{ amount: { is: number, max: ${max} } }`, 'Fair'), () => 'f.yaml:1:1').map(({ what }) => what)
    assert.deepEqual(proved(500), ["synthetic answers do not reach screen 'rich'"])
    assert.deepEqual(proved(501), [])
  })

  it('make the longest that is walked: each value as long as it may be, and no longer', () => {
    const flow = BANK(
      '{ amount: { is: number, max: 100 }, plan: { is: text, max: 190 } }',
      '{data.main.amount, number} {data.main.plan}',
    )
    const fair = (lengths: 'likely' | 'longest') =>
      explore(flow, { language: 'en', lengths }).pages.filter(({ screen }) => screen === 'fair')
    assert.deepEqual(
      fair('likely').map(({ want }) => want.text),
      ['100 Plan'],
    )
    const longest = fair('longest')
    assert.match(longest[0]!.want.text, /^100 Planx+\n1\. More$/)
    assert.equal(longest.length, 2)
    assert.deepEqual(longest[0]!.trail, ['dial', '(w.x at its longest)'])
  })

  it('make the rows that are walked: no more than there can be, no longer than they can be', () => {
    const list = (rows: string) =>
      flowOf(`  main: { call: w.x, expect: { rows: ${rows} }, to: out }
  out: { list: Shops, from: data.main.rows, row: '{row.name}', to: end, empty: end }\n  end: { exit: true }`)
    const walked = (rows: string, lengths: 'likely' | 'longest') =>
      explore(list(rows), { language: 'en', lengths })
        .pages.filter(({ screen }) => screen === 'out')
        .map(({ want }) => want.text)
    assert.ok(walked('rows', 'likely').some((text) => text.includes('12. Name 12')))
    const few = walked('{ is: rows, max: 2, fields: { name: 40 } }', 'likely')
    assert.deepEqual(few, ['Shops\n1. 1 Name\n2. 2 Name'])
    const longest = walked('{ is: rows, max: 150, fields: { name: 40 } }', 'longest')
    assert.equal(
      longest[0],
      `Shops\n1. ${'1 Name'.padEnd(40, 'x')}\n2. ${'2 Name'.padEnd(40, 'x')}\n3. ${'3 Name'.padEnd(40, 'x')}\n4. More`,
    )
    assert.ok(
      longest.some((text) => text.includes('\n100. 100 Name')),
      'so that the widest numbers are walked',
    )
  })

  it('make a date of each row, and another time, however many there are', () => {
    const flow = flowOf(`  main: { call: w.x, expect: { rows: { is: rows, max: 60, fields: { at: 20 } } }, to: out }
  out: { list: Buses, from: data.main.rows, row: '{row.at, date}', to: times, empty: end }
  times: { list: Times, from: data.main.rows, row: '{row.at, time}', to: end, empty: end }\n  end: { exit: true }`)
    assert.deepEqual(
      proveFlow(flow, () => 'f.yaml:1:1').map(({ what }) => what),
      [],
    )
  })

  it('refuse no answer', () => {
    const { flow } = flowOf(
      "  main: { call: w.x, expect: { plan: { is: text, max: 2 } }, to: out }\n  out: { end: '{data.main.plan}' }",
    )
    const begun = flow.begin({
      msisdn: '1',
      code: '*1#',
      line: 'a',
      language: 'en',
      dialled: [],
      page: { septets: 182, ucs2: 80 },
    })
    assert.equal(
      (flow.want(flow.step(begun, { type: 'RESULT', data: { plan: 'long' } })) as { text: string }).text,
      'long',
    )
    assert.equal(
      (flow.want(flow.step(begun, { type: 'RESULT', data: { plan: 3 } })) as { text: string }).text,
      'Service busy. Please try again later.',
    )
  })
})
