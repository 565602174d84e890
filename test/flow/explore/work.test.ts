/** What a walk costs, as work that is counted: a page is laid out once for what it shows, and each way is stepped once. */
import assert from 'node:assert/strict'
import type { CompiledFlow, FlowSnapshot } from '../../../src/flow/engine/types.ts'
import { explore } from '../../../src/flow/explore/explorer.ts'
import type { Compilation } from '../../../src/flow/load/compile.ts'
import { compileIn } from '../../../src/flow/text/compiled-texts.ts'
import { TALK_MSISDN, WALKED_AT } from '../../../src/flow/engine/answer-checks.ts'
import { USSD_PAGE } from '../../../src/ussd/vocabulary.ts'
import { flowOf } from '../support.ts'

const ROW = '{row.name} for K{row.price, number, money}'
const offers = () =>
  flowOf(
    `
  main: { menu: Welcome, choices: [{ label: Offers, to: offers }, { label: More offers, to: other }] }
  other: { menu: Others, choices: [{ label: Offers, to: offers }] }
  offers: { call: shop.offers, once: false, expect: { rows: { is: rows, max: 12, fields: { name: 20 } } }, to: offer }
  offer: { list: 'Offers:', from: data.offers.rows, row: '${ROW}', keep: [name], to: deal, empty: main }
  deal: { menu: 'Take {chosen.offer.name}?', choices: [{ label: Yes, to: taken }] }
  taken: { end: Thank you. }`,
    "start: main\nlanguages: [en]\nkeys: { back: '0', home: '00' }",
  )

/** Counts how often this text of the flow is written from now on. */
function counting({ definition }: Compilation, words: string): () => number {
  const message = compileIn(definition, words, 'en')
  if (typeof message === 'string') throw new Error(message)
  const { say } = message
  let n = 0
  message.say = (...how) => (n++, say(...how))
  return () => n
}

const ROWS = Array.from({ length: 12 }, (_, i) => ({ name: `Offer number ${i + 1}`, price: i + 1 }))

describe('the work of a dialogue', () => {
  it('writes the rows of the pages shown, and two that no longer fit, once, however often it goes back', () => {
    const compilation = offers()
    const { flow } = compilation
    const written = counting(compilation, ROW)
    let at: FlowSnapshot = flow.begin({
      msisdn: TALK_MSISDN,
      code: '*1#',
      line: 'a',
      language: 'en',
      dialled: [],
      page: USSD_PAGE,
      now: WALKED_AT,
    })
    const press = (text: string) => (at = flow.step(at, { type: 'ANSWER', text }))
    press('1')
    at = flow.step(at, { type: 'RESULT', data: { rows: ROWS } })
    const { n } = at.context.shown as { n: number }
    assert.ok(written() <= n + 2)
    press(String(n + 1))
    const second = at.context.shown as { n: number; more: boolean }
    assert.ok(second.more)
    const both = written()
    assert.ok(both <= n + second.n + 2 && both < ROWS.length)
    press('0')
    press(String(n + 1))
    assert.match((flow.want(at) as { text: string }).text, /Offer number 7/)
    press('0')
    press('1')
    assert.equal(at.value, 'deal')
    press('0')
    assert.equal(written(), both)
  })
})

describe('the work of a walk', () => {
  /** The flow with the number of its steps and of the pages asked for. */
  function counted(compilation: Compilation) {
    const count = { steps: 0, wants: 0 }
    const flow: CompiledFlow = {
      ...compilation.flow,
      step: (...how) => (count.steps++, compilation.flow.step(...how)),
      want: (...how) => (count.wants++, compilation.flow.want(...how)),
    }
    return { compilation: { ...compilation, flow }, count }
  }

  it('is one step for each way, and one page for each state and each answer of a call', () => {
    const { compilation, count } = counted(offers())
    const { states } = explore(compilation, { language: 'en' })
    const edges = states.flatMap((state) => state.edges)
    const known = edges.filter((edge) => edge.from.want.do === 'call' && edge.to && edge.to.by !== edge)
    assert.equal(count.steps, edges.length)
    assert.equal(count.wants, states.length + known.length)
  })

  it('writes the rows of each answer once', () => {
    const compilation = offers()
    const written = counting(compilation, ROW)
    const { states } = explore(compilation, { language: 'en' })
    const answers = states
      .filter(({ want }) => want.do === 'call')
      .flatMap(({ edges }) => edges.flatMap(({ events }) => events))
    const rows = answers.reduce(
      (sum, event) => sum + (event.type === 'RESULT' ? (event.data as { rows: unknown[] }).rows.length : 0),
      0,
    )
    assert.ok(rows > 0)
    assert.equal(written(), rows)
  })
})
