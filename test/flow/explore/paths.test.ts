/** Talks made from each flow: they go as written, and take all transitions that there are. */
import assert from 'node:assert/strict'
import { compileFlow, type Compilation } from '../../../src/flow/load/compile.ts'
import { coverageOf } from '../../../src/flow/explore/coverage.ts'
import { flowNames, sourceOf } from '../../../src/flow/read/loader.ts'
import { talksOf } from '../../../src/flow/explore/paths.ts'
import { parseTalks } from '../../../src/flow/talk/talk.ts'
import { describeFailure } from '../../../src/flow/talk/diff.ts'
import { playTalk } from '../../../src/flow/talk/player.ts'
import { FOLDERS } from '../../support/example-flows.ts'
import { flowOf } from '../support.ts'

/** What no talk can take, and why. */
const NEVER: Record<string, string[]> = {
  // Nothing is seen before the first page that has the key.
  airtime: ["screen 'main', key Back", "screen 'poor', key Back"],
  market: ["screen 'main', key Back"],
  money: ["screen 'main', key Back"],
}

/** Plays all talks that are made; what they took of it all, by a count of its own. */
async function played(compilation: Compilation) {
  const coverage = coverageOf(compilation)
  const { text, missing, all, talks } = talksOf(compilation)
  for (const talk of parseTalks('made.talk', text)) {
    const failure = await playTalk(talk, coverage.flow)
    assert.equal(failure && describeFailure(failure), undefined)
  }
  const { missing: notTaken, all: counted } = coverage.transitions()
  assert.deepEqual([missing.map(({ name }) => name), all], [notTaken, counted])
  return { text, missing, talks, all, steps: coverage.report().missing }
}

describe('talks made from a flow', () => {
  for (const folder of FOLDERS) {
    it(`take all transitions of the flows in ${folder}, as written`, async () => {
      for (const name of await flowNames(folder)) {
        const { missing, steps } = await played(compileFlow(await sourceOf(folder, name)))
        assert.deepEqual(
          missing.map((one) => one.name),
          NEVER[name] ?? [],
          name,
        )
        assert.deepEqual(steps, [], name)
      }
    })
  }

  it('name what made-up answers do not lead to, and why', async () => {
    const { missing } = await played(
      flowOf(`
  main: { menu: Hi, choices: [{ label: Never, to: end, when: msisdn == 1 }, { label: Go, to: which }] }
  which: { branch: [{ if: msisdn == 1, to: end }], else: end }
  end: { exit: true }
`),
    )
    assert.deepEqual(
      missing.map(({ name, only }) => `${name}: ${only}`),
      [
        `screen 'main', choice 1 "Never": shown only if "msisdn == 1"`,
        `screen 'which', condition 1: no synthetic data make "msisdn == 1" true`,
      ],
    )
  })

  it('say what a back end answers before the key that has it called', async () => {
    const { text } = await played(
      flowOf(`
  main: { menu: Hi, choices: [{ label: Go, to: ask }] }
  ask: { call: w.ask, to: end, refused: { no: main } }
  end: { end: 'Done {data.ask.name}' }
`),
    )
    assert.match(text, /refuse w\.ask no\n> 1\n< Hi\n< 1\. Go\n/)
    assert.match(text, /backend w\.ask \{"name":"Name"\}\n> 1\n< Done Name\nended completed\n/)
  })

  it('take both sides of a branch, also where two conditions lead to one screen, and every arm over rows', async () => {
    const { missing, text } = await played(
      flowOf(`
  main: { call: w.ask, expect: { n: number }, to: which }
  which: { branch: [{ if: data.main.n > 5, to: end }, { if: data.main.n == 3, to: end }], else: rows }
  rows: { call: w.rows, expect: { rows: { is: rows, max: 9, fields: { state: 9 } } }, to: each }
  each: { over: data.rows.rows, branch: [{ if: row.state == new, to: end }, { if: row.state == old, to: end }], else: end, empty: end }
  end: { exit: true }
`),
    )
    assert.deepEqual(missing, [])
    assert.match(text, /talk screen 'which', condition 2\n/)
    assert.match(text, /talk screen 'each', no rows\n/)
  })

  it('break each check of an input alone, answer wrongly, and give up', async () => {
    const { missing, text } = await played(
      flowOf(`
  main:
    input: 'Day and number:'
    length: { min: 2, max: 20 }
    attempts: 3
    giveUp: never
    checks:
      - { length: { min: 8, max: 10 }, wrong: Eight signs. }
      - { pattern: '[0-9/]+', wrong: Digits. }
      - { date: { format: d/M/yyyy, min: today }, wrong: No day from now on. }
    to: card
  card: { input: 'Card:', checks: [{ checksum: luhn, wrong: Not a card. }, { oneOf: ['18', '26'], wrong: Not ours. }], to: end }
  never: { end: Too often. }
  end: { exit: true }
`),
    )
    assert.deepEqual(missing, [])
    assert.match(text, /talk screen 'main', check 3 \(date\) broken\n(.*\n){3}> [\d/]{8,10}\n< No day from now on\.\n/)
    assert.equal(text.match(/talk screen 'never'|talk screen 'main', too many wrong answers/g)?.length, 1)
  })

  it('press the keys for Back and Home, type labels and letters', async () => {
    const { missing, text } = await played(
      flowOf(
        `
  main: { menu: Hi, choices: [{ label: Towns, to: towns }, { label: Leave, to: end }] }
  towns: { call: w.towns, expect: { rows: rows }, to: town }
  town: { list: 'Town:', from: data.towns.rows, row: '{row.name}', keep: [name], search: [name], to: sure, empty: end }
  sure: { menu: 'Here?', choices: [{ label: 'Yes', to: end }] }
  end: { exit: true }
`,
        "start: main\nlanguages: [en]\nlabels: true\nkeys: { back: '0', home: '00' }",
      ),
    )
    assert.deepEqual(
      missing.map(({ name }) => name),
      ["screen 'main', key Back"],
    )
    for (const way of ['key Back', 'key Home', 'a choice by its words', 'letters'])
      assert.match(text, new RegExp(`talk screen '(town|sure|main)', ${way}\n`))
  })

  it('stop at a limit of a flow with many places, and say so', () => {
    const vars = Array.from({ length: 12 }, (_, i) => `{ label: s${i}, to: main, set: { v${i}: 1 } }`)
    const ways = Array.from({ length: 12 }, (_, i) => `{ label: w${i}, to: out, when: vars.v${i} == 1 }`)
    const flow = flowOf(
      `  main: { menu: Hi, choices: [${[...vars, ...ways].join(', ')}, { label: x, to: out }] }\n  out: { exit: true }`,
    )
    const { cut, missing } = talksOf(flow, 20)
    assert.deepEqual([cut, missing.map(({ name }) => name)], [true, []])
  })
})
