import assert from 'node:assert/strict'
import { drawFlow } from '../../../src/flow/draw/mermaid.ts'
import { proveFlow } from '../../../src/flow/explore/prove.ts'
import { explore } from '../../../src/flow/explore/explorer.ts'
import { xstateJson } from '../../../src/flow/draw/xstate-json.ts'
import type { Json } from '../../../src/ussd/vocabulary.ts'
import { compileFlow } from '../../../src/flow/load/compile.ts'
import { fileOf, flowOf, handset } from '../support.ts'

const SCREENS = `
  main: { call: loans.mine, expect: { rows: { is: rows, fields: { id: 9, due: 3, state: 9 } }, limit: number }, to: which }
  which:
    over: data.main.rows
    branch:
      - { if: { and: [ row.state == open, row.due < 0 ] }, to: late }
      - { if: 'row.due > {data.main.limit}', to: far }
      - { if: { not: 'row.state in [closed, lost]' }, to: runs }
    as: loan
    keep: [id]
    else: other
    empty: none
  late: { end: 'Late {chosen.loan.id}' }
  far: { end: 'Far {chosen.loan.id}' }
  runs: { end: 'Runs {chosen.loan.id}' }
  other: { end: Others }
  none: { end: None }
`
const shown = async (rows: Json, screens = SCREENS) => {
  const phone = handset(flowOf(screens).flow, () => ({ is: 'data', data: { rows, limit: 30 } }))
  return { text: (await phone.dial()).text, context: phone.snapshot().context }
}
const row = (id: string, state: string, due: number) => ({ id, state, due, owner: 'kept nowhere' })

describe('a branch over rows', () => {
  it('takes the first condition that some row holds, and the first such row', async () => {
    assert.equal(
      (await shown([row('a', 'open', 5), row('b', 'open', 40), row('c', 'open', -1), row('d', 'open', -9)])).text,
      'Late c',
    )
    assert.equal((await shown([row('a', 'open', 5), row('b', 'closed', 40)])).text, 'Far b')
    assert.equal((await shown([row('a', 'lost', 5), row('b', 'open', 5)])).text, 'Runs b')
  })

  it('leads elsewhere when no row holds, and when there is none, or no list', async () => {
    assert.equal((await shown([row('a', 'lost', 5)])).text, 'Others')
    assert.equal((await shown([])).text, 'None')
    assert.equal(
      (await shown([], SCREENS.replace('    empty: none\n', '').replace('none: { end: None }', ''))).text,
      'Others',
    )
  })

  it('keeps what it says of the row, and of all rows what is read', async () => {
    const again = SCREENS.replace(
      "{ end: 'Late {chosen.loan.id}' }",
      "{ menu: 'Late {chosen.loan.id}', choices: [{ label: Again, to: which }] }",
    )
    const { context } = await shown([row('a', 'open', -1)], again)
    assert.deepEqual(context.chosen, { loan: { id: 'a' } })
    assert.deepEqual((context.data as { main: { rows: Json } }).main.rows, [{ id: 'a', state: 'open', due: -1 }])
  })

  it('looks at a hundred rows of a thousand', async () => {
    const rows = Array.from({ length: 1000 }, (_, i) =>
      row(String(i), i === 99 ? 'open' : i === 100 ? 'open' : 'lost', i === 100 ? -1 : 1),
    )
    assert.equal((await shown(rows)).text, 'Runs 99')
  })

  it('is walked by rows made up for each of its ways', () => {
    const compilation = flowOf(SCREENS.replace("'row.due > {data.main.limit}'", 'row.due > 30'))
    assert.deepEqual(compilation.warnings, [])
    assert.deepEqual(
      proveFlow(compilation, () => ''),
      [],
    )
    assert.deepEqual(
      [...new Set(explore(compilation, { language: 'en' }).pages.map(({ screen }) => screen))].toSorted(),
      ['_busy', 'far', 'late', 'none', 'other', 'runs'],
    )
  })

  it('is drawn, and a guard of the statechart', () => {
    const { definition } = flowOf(SCREENS)
    assert.match(drawFlow(definition), /state "which - branch over data\.main\.rows" as s_which/)
    assert.match(drawFlow(definition), /s_which --> s_none : empty/)
    const { states } = xstateJson(definition) as {
      states: Record<string, { always: { guard?: { params: object } }[] }>
    }
    assert.deepEqual(states.which?.always[1]?.guard?.params, {
      if: 'row.due > {data.main.limit}',
      over: 'data.main.rows',
    })
  })

  it('works in a part, under names of its own', async () => {
    const part = `part: loan\nspec: 1\nlanguages: [en]\nstart: main\nscreens:${SCREENS.replace("end: 'Late {chosen.loan.id}'", "return: late, give: { id: '{chosen.loan.id}' }")}`
    const text = fileOf("  main: { flow: loan, gives: { id: id }, to: done }\n  done: { end: 'Done {vars.id}' }")
    const compilation = compileFlow({
      file: 'test.yaml',
      text,
      catalogues: [],
      parts: [{ file: 'parts/loan.yaml', text: part, catalogues: [] }],
    })
    const phone = handset(compilation.flow, () => ({ is: 'data', data: { rows: [row('a', 'open', -1)], limit: 30 } }))
    assert.equal((await phone.dial()).text, 'Done a')
    assert.deepEqual(phone.snapshot().context.chosen, { main_loan: { id: 'a' } })
  })
})
