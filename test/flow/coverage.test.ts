import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { checkSource } from '../../src/flow/check.ts'
import { compileFlow } from '../../src/flow/compile.ts'
import { coverageOf } from '../../src/flow/coverage.ts'
import { sourceOf } from '../../src/flow/loader.ts'
import { exampleOf } from '../../src/flow/pattern-example.ts'
import { parseTalks } from '../../src/flow/talk.ts'
import { playTalk } from '../../src/flow/talk-player.ts'
import { walkFlow } from '../../src/flow/walk.ts'
import { fileOf, flowOf } from './support.ts'

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
    "screen 'main', a row", `screen 'main', choice 1 "Hidden"`, `screen 'main', choice 2 "Shown"`,
    "screen 'main', Back", "screen 'rows', refused: shut",
  ]

  it('knows a row from a choice, and a choice by what is on show', async () => {
    assert.deepEqual(await played('dial *1#', '> 1'), [SHUT, HIDDEN, SHOWN, BACK])
    assert.deepEqual(await played('dial *1#', '> 2'), [SHUT, ROW, HIDDEN, BACK])
    assert.deepEqual(await played('backend w.rows {"more": true, "rows": [{"name": "a"}]}', 'dial *1#', '> 2'), [SHUT, ROW, SHOWN, BACK])
  })

  it('knows Back, refusals, and that a wrong answer walks nothing', async () => {
    assert.deepEqual(await played('dial *1#', '> 3', '> 9'), [SHUT, ROW, HIDDEN, SHOWN, "screen 'out'"])
    assert.deepEqual(await played('refuse w.rows shut', 'dial *1#'), ["screen 'main'", ROW, HIDDEN, SHOWN, BACK])
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

describe('a walk', () => {
  it('comes by every screen of the flows that come along, without a fault', async () => {
    for (const name of ['dental', 'topup', 'language']) {
      const compilation = compileFlow(await sourceOf('flows', name))
      for (const language of compilation.flow.languages) {
        const walk = walkFlow(compilation, language)
        assert.deepEqual([walk.faults, walk.cut], [[], false])
      }
    }
  })

  it('stops a flow of many pages at its limit and says so', function () {
    this.timeout(120_000)
    const vars = Array.from({ length: 12 }, (_, i) => `{ label: s${i}, to: main, set: { v${i}: 1 } }`)
    const ways = Array.from({ length: 12 }, (_, i) => `{ label: w${i}, to: out, when: vars.v${i} == 1 }`)
    const walk = walkFlow(flowOf(`  main: { menu: Hi, choices: [${[...vars, ...ways].join(', ')}, { label: x, to: out }] }\n  out: { exit: true }`), 'en')
    assert.equal(walk.cut, true)
  })

  it('finds calls that follow each other without end of a turn', () => {
    const calls = Array.from({ length: 10 }, (_, i) => `  c${i}: { call: w.x, to: c${i + 1} }`)
    const walk = walkFlow(flowOf([...calls, '  c10: { exit: true }'].join('\n'), 'start: c0\nlanguages: [en]'), 'en')
    assert.deepEqual([walk.faults[0]?.screen, walk.faults[0]?.what], ['c8', 'over 8 calls without a question between'])
  })

  it('acknowledges notifications', () => {
    const walk = walkFlow(flowOf("  main: { notify: Hi, to: out }\n  out: { end: Bye }"), 'en')
    assert.deepEqual(walk.pages.map((page) => [page.id, page.trail.join(' > ')]), [['main', 'dial'], ['out', 'dial > (shown)']])
  })
})

describe('an example for a pattern', () => {
  for (const pattern of ['\\d{4}', '[A-Z]{2}\\d{3,5}', '0[1-9]|1[0-2]', '(?:07|08)\\d{8}', '\\p{L}+', '[^0-9]{3}', 'a?b*c+', '\\+675\\d{7,8}', '.{5}', '[-+]?\\d+']) {
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
    checkSource({ file: 'f.yaml', text: fileOf(`  main: { call: w.x, expect: ${expect}, to: out }\n${screens}`), catalogues: [] }).map(({ what }) => what)

  it('measure a text by the longest that it may be', () => {
    const out = "  out: { end: 'Your plan: {data.main.plan}' }"
    assert.deepEqual(warnings('{ plan: { is: text, max: 171 } }', out), [])
    assert.deepEqual(warnings('{ plan: { is: text, max: 172 } }', out), ["screen 'out' takes more than one page"])
  })

  it('measure the rows of a list', () => {
    const out = "  out: { list: Shops, from: data.main.rows, row: '{row.name}', to: end }\n  end: { end: '{chosen.out.name}', exit: true }"
    const found = (max: number) => warnings(`{ rows: { is: rows, fields: { name: ${max} } } }`, out)
    assert.ok(!found(100).some((what) => what.includes('not even one row')))
    assert.ok(found(170).some((what) => what.includes('not even one row')))
  })

  it('refuse no answer', () => {
    const { flow } = flowOf("  main: { call: w.x, expect: { plan: { is: text, max: 2 } }, to: out }\n  out: { end: '{data.main.plan}' }")
    const begun = flow.begin({ msisdn: '1', code: '*1#', line: 'a', language: 'en', dialled: [], page: { septets: 182, ucs2: 80 } })
    assert.equal((flow.want(flow.step(begun, { type: 'RESULT', data: { plan: 'long' } })) as { text: string }).text, 'long')
    assert.equal((flow.want(flow.step(begun, { type: 'RESULT', data: { plan: 3 } })) as { text: string }).text, 'Service busy. Please try again later.')
  })
})
