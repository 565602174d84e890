/** Stepping a dialogue on a shared footing against xstate's own `transition`, which builds everything anew. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import fc from 'fast-check'
import { initialTransition, transition, type Snapshot } from 'xstate'
import {
  beginDialogue,
  dialogueMachine,
  stepDialogue,
  type DialogueEvent,
  type DialogueMachine,
  type Screen,
} from '../../../machines/dialogue.ts'
import { begunBy, passedBy } from '../../../machines/passed.ts'
import { compileFlow } from '../../../src/flow/load/compile.ts'
import { sourceOf } from '../../../src/flow/read/loader.ts'
import { USSD_PAGE, type Json } from '../../../src/ussd/vocabulary.ts'
import { root } from '../../style/tree.ts'
import { flowOf } from '../support.ts'

const compiledFlow = async (name: string) => compileFlow(await sourceOf(join(root, 'flows'), name)).machine

const DIAL = { msisdn: '67570000001', code: '*1#', line: 'a', language: 'en', dialled: [], page: USSD_PAGE }
const INPUT = { ...DIAL, resume: null }

/** Where xstate's own `transition`, which builds everything anew, leads by the same event. */
function steppedByXstate({ chart }: DialogueMachine, from: string, to: string): string {
  const plain = { status: 'active', value: from, context: {}, children: {}, historyValue: {}, tags: [] }
  const before = chart.restoreSnapshot(plain as unknown as Snapshot<unknown>, undefined as never)
  const event = {
    type: from === to && !chart.getTransitionData(before, { type: `to ${to}` })?.length ? 'stay' : `to ${to}`,
  }
  assert.ok(chart.getTransitionData(before, event)?.length, `${from} has no edge ${event.type}`)
  return String(transition(chart, before, event)[0].value)
}

const event: fc.Arbitrary<DialogueEvent> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .constantFrom('1', '2', '3', '4', '0', '10', 'Mary Kila', '')
      .map((text) => ({ type: 'ANSWER' as const, text })),
  },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom(null, {}, { rows: [] }, { amount: 5, currency: 'PGK', rows: [{ id: 'a', name: 'A', price: 1 }] })
      .map((data) => ({ type: 'RESULT' as const, data: data as Json })),
  },
  fc.constant({ type: 'FAILED' as const, why: 'down' }),
  fc.constant({ type: 'REFUSED' as const, refusal: 'insufficient', data: null }),
  fc.constant({ type: 'ACK' as const }),
)

/** The result, or that it threw. */
function tried<T>(run: () => T): { is: T } | { threw: true } {
  try {
    return { is: run() }
  } catch {
    return { threw: true }
  }
}

const TWO = {
  file: 'two.yaml',
  text: 'flow: two\nspec: 1\nstart: a\nlanguages: [en]\nscreens: { a: { end: A } }',
  catalogues: [],
}

describe('a step of a dialogue', () => {
  it('that shows on a later page what is no date says just that', () => {
    const { flow } = flowOf(`  main: { call: w.x, to: days }
  days: { list: Days, from: data.main.rows, row: '{row.name} {row.at, date}', to: out, empty: out }\n  out: { exit: true }`)
    const rows = Array.from({ length: 60 }, (_, i) => ({ name: 'x'.repeat(30), at: i < 30 ? '2025-05-10' : 'soon' }))
    let at = flow.step(flow.begin(DIAL), { type: 'RESULT', data: { rows } })
    const more = () => (/(\d+)\. More/.exec((flow.want(at) as { text: string }).text) as RegExpExecArray)[1] as string
    assert.throws(
      () => {
        for (;;) at = flow.step(at, { type: 'ANSWER', text: more() })
      },
      { name: 'FlowFault', message: 'row.at is not a date, but a text shows it as one' },
    )
  })

  for (const name of ['dental', 'language', 'topup']) {
    it(`in ${name} is the one that xstate makes`, async () => {
      const machine = await compiledFlow(name)
      assert.equal(initialTransition(machine.chart)[0].value, begunBy(machine, INPUT)[0]!.value)
      fc.assert(
        fc.property(fc.array(event, { maxLength: 12 }), (events) => {
          let at = beginDialogue(machine, INPUT)
          for (const one of events) {
            const before = structuredClone(at)
            const found = tried(() => passedBy(machine, at, one))
            const states = 'is' in found ? found.is : []
            for (const [i, { value }] of states.entries())
              assert.equal(value, steppedByXstate(machine, states[i - 1]?.value ?? at.value, value))
            assert.deepEqual(at, before)
            at = states.at(-1) ?? at
          }
        }),
        { numRuns: 150 },
      )
    })
  }

  it('to a screen that the chart has no edge to throws', () => {
    const context = beginDialogue(compileFlow(TWO).machine, INPUT).context
    const stray = new Map<string, Screen>([
      ['a', { targets: ['b'], answer: () => ({ to: 'c', context }) }],
      ['b', { targets: [], answer: () => ({ to: 'b', context }) }],
      ['c', { targets: ['c'], answer: () => ({ to: 'c', context }) }],
    ])
    const machine = dialogueMachine('stray', 'a', stray)
    const at = (value: string) => () => stepDialogue(machine, { value, context }, { type: 'ACK' })
    assert.throws(at('a'), /'a' does not lead to 'c'/)
    assert.throws(at('b'), /'b' does not lead to 'b'/)
    assert.equal(at('c')()!.value, 'c')
  })

  it('that leads on without end throws', () => {
    const { context } = beginDialogue(compileFlow(TWO).machine, INPUT)
    const round = new Map<string, Screen>([['a', { targets: ['a'], pass: () => ({ to: 'a', context }) }]])
    assert.throws(() => beginDialogue(dialogueMachine('round', 'a', round), INPUT), /more than 100 screens/)
  })

  it('of one dialogue leaves nothing for the next', async () => {
    const machine = await compiledFlow('topup')
    const main = (msisdn: string) =>
      [{ plan: 'prepaid' }, { amount: 50, currency: 'PGK' }].reduce(
        (at, data) => stepDialogue(machine, at, { type: 'RESULT', data })!,
        beginDialogue(machine, { ...INPUT, msisdn }),
      )
    const [one, other] = [main('67570000001'), main('67570000002')]
    stepDialogue(machine, one, { type: 'ANSWER', text: '1' })
    assert.equal(stepDialogue(machine, other, { type: 'ANSWER', text: '1' })!.context.msisdn, '67570000002')
    assert.equal(one.value, 'main')
  })

  it('on a state that is not there throws at once, every time', async () => {
    const machine = await compiledFlow('language')
    const from = { ...beginDialogue(machine, INPUT), value: 'no-such-screen' }
    for (let again = 0; again < 2; again++) assert.throws(() => stepDialogue(machine, from, { type: 'ACK' }))
  })
})
