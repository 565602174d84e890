/** Every state and every edge of a flow, found once. */
import assert from 'node:assert/strict'
import { compileFlow } from '../../../src/flow/load/compile.ts'
import { explore, pagesFrom, pathTo } from '../../../src/flow/explore/explorer.ts'
import { sourceOf } from '../../../src/flow/read/loader.ts'
import { flowOf } from '../support.ts'

describe('the explorer', () => {
  it('comes by every screen of the flows that come along, without a fault', async () => {
    for (const name of ['dental', 'topup', 'language']) {
      const compilation = compileFlow(await sourceOf('flows', name))
      for (const language of compilation.flow.languages) {
        const found = explore(compilation, { language })
        assert.deepEqual([found.faults, found.isCut], [[], false])
      }
    }
  })

  it('stops a flow of many pages at its limit and says so', function () {
    this.timeout(120_000)
    const vars = Array.from({ length: 12 }, (_, i) => `{ label: s${i}, to: main, set: { v${i}: 1 } }`)
    const ways = Array.from({ length: 12 }, (_, i) => `{ label: w${i}, to: out, when: vars.v${i} == 1 }`)
    const found = explore(
      flowOf(
        `  main: { menu: Hi, choices: [${[...vars, ...ways].join(', ')}, { label: x, to: out }] }\n  out: { exit: true }`,
      ),
      { language: 'en' },
    )
    assert.equal(found.isCut, true)
  })

  it('finds calls that follow each other without end of a turn', () => {
    const calls = Array.from({ length: 10 }, (_, i) => `  c${i}: { call: w.x, to: c${i + 1} }`)
    const found = explore(flowOf([...calls, '  c10: { exit: true }'].join('\n'), 'start: c0\nlanguages: [en]'), {
      language: 'en',
    })
    assert.deepEqual(
      [found.faults[0]?.screen, found.faults[0]?.what],
      ['c8', 'more than 8 calls without a question between them'],
    )
  })

  it('tries two fields of an answer together: a condition may be asked only where another holds', () => {
    const found = explore(
      flowOf(`  main: { call: w.x, expect: { done: boolean }, to: next }
  next: { branch: [{ if: data.main.done, to: out }, { if: { and: [data.main.crop == other, not data.main.name] }, to: name }], else: out }
  name: { input: 'Name:', to: out }\n  out: { exit: true }`),
      { language: 'en' },
    )
    assert.deepEqual(found.pages.find(({ screen }) => screen === 'name')?.trail, [
      'dial',
      '(w.x says done is false, name is false)',
    ])
  })

  it('finds a code with a check digit where the examples of the rule have other lengths', () => {
    const found = explore(
      flowOf(
        `  main: { input: 'Code:', checks: [{ pattern: '\\d{12}' }, { checksum: luhn }], to: out }\n  out: { exit: true }`,
      ),
      { language: 'en' },
    )
    assert.deepEqual(
      found.pages.map(({ screen }) => screen),
      ['main', 'out'],
    )
  })

  it('types numbers on both sides of a comparison where a rule of signs takes them', () => {
    const screens = (rule: string) => `  main: { input: 'Acres:', ${rule}, to: which }
  which: { branch: [{ if: answers.main > 50, to: big }], else: small }\n  big: { end: Big }\n  small: { end: Small }`
    for (const rule of ["pattern: '\\d+'", "checks: [{ pattern: '\\d+' }]", 'length: { max: 3 }'])
      assert.deepEqual(
        explore(flowOf(screens(rule)), { language: 'en' })
          .pages.map(({ screen }) => screen)
          .toSorted(),
        ['big', 'main', 'small'],
        rule,
      )
  })

  it('finds a fault of a screen that is passed through there, not where the answer was given', () => {
    const found = explore(
      flowOf(`  main: { input: 'Day:', pattern: '[a-z]+', to: sum }
  sum: { set: { n: '= 1 + answers.main' }, to: end }\n  end: { end: 'In all {vars.n}' }`),
      { language: 'en' },
    )
    assert.deepEqual(
      found.faults.map(({ screen, what }) => [screen, what.startsWith('screen')]),
      [['sum', false]],
    )
  })

  it('acknowledges notifications', () => {
    const found = explore(flowOf('  main: { notify: Hi, to: out }\n  out: { end: Bye }'), { language: 'en' })
    assert.deepEqual(
      found.pages.map((page) => [page.id, page.trail.join(' > ')]),
      [
        ['main', 'dial'],
        ['out', 'dial > (shown)'],
      ],
    )
  })

  it('leads an edge to the pages that its own calls may lead to, and to no others that meet it there', () => {
    const found = explore(
      flowOf(`  main: { menu: Hi, choices: [{ label: One, to: first }, { label: Two, to: second }] }
  first: { call: w.first, to: second, refused: { no: no } }\n  second: { call: w.second, to: done }
  done: { end: Done }\n  no: { end: No }`),
      { language: 'en' },
    )
    const led = found.pages[0]!.edges.map((edge) => [
      edge.told,
      pagesFrom(edge)
        .map(({ id }) => id)
        .toSorted(),
    ])
    assert.deepEqual(led, [
      ['1', ['_busy', 'done', 'no']],
      ['2', ['_busy', 'done']],
    ])
  })

  it('tries wrong answers only where everything is asked for, and knows that they lead nowhere', () => {
    const flow = flowOf("  main: { input: 'Number:', number: { min: 1, max: 2 }, to: out }\n  out: { end: Bye }")
    const refused = (everything: boolean) =>
      explore(flow, { language: 'en', everything }).pages[0]!.edges.filter(({ isRefused }) => isRefused)
    assert.deepEqual(refused(false), [])
    const wrong = refused(true)
    assert.ok(wrong.some(({ told }) => told === '3'))
    assert.ok(wrong.every(({ from, to }) => to === from))
  })

  it('tells the way to each state by its edges', () => {
    const { pages } = explore(flowOf('  main: { notify: Hi, to: out }\n  out: { end: Bye }'), { language: 'en' })
    assert.deepEqual(
      pages.map((page) => pathTo(page).map(({ told }) => told)),
      [[], ['(shown)']],
    )
  })
})
