/** Stepping a dialogue on a shared footing against xstate's own `transition`, which builds everything anew. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import fc from 'fast-check'
import { initialTransition, transition, type Snapshot } from 'xstate'
import {
  beginDialogue,
  stepDialogue,
  type DialogueEvent,
  type DialogueMachine,
  type Rested,
} from '../../../machines/dialogue.ts'
import { compileFlow } from '../../../src/flow/load/compile.ts'
import { sourceOf } from '../../../src/flow/read/loader.ts'
import { USSD_PAGE, type Json } from '../../../src/ussd/vocabulary.ts'
import { root } from '../../style/tree.ts'
import { flowOf } from '../support.ts'

const compiledFlow = async (name: string) => compileFlow(await sourceOf(join(root, 'flows'), name)).machine

const DIAL = { msisdn: '67570000001', code: '*1#', line: 'a', language: 'en', dialled: [], page: USSD_PAGE }
const INPUT = { ...DIAL, resume: null }

function steppedByXstate(
  machine: DialogueMachine,
  { value, context }: Rested,
  event: DialogueEvent,
): Rested | undefined {
  const plain = { status: 'active', value, context, children: {}, historyValue: {}, tags: [] }
  const before = machine.restoreSnapshot(plain as unknown as Snapshot<unknown>, undefined as never)
  const after = transition(machine, before, event)[0]
  return after === before ? undefined : { value: String(after.value), context: after.context }
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
      const begun = initialTransition(machine, INPUT)[0]
      assert.deepEqual(beginDialogue(machine, INPUT), { value: begun.value, context: begun.context })
      fc.assert(
        fc.property(fc.array(event, { maxLength: 12 }), (events) => {
          let at = beginDialogue(machine, INPUT)
          for (const one of events) {
            const before = structuredClone(at)
            const mine = tried(() => stepDialogue(machine, at, one))
            assert.deepEqual(
              mine,
              tried(() => steppedByXstate(machine, at, one)),
            )
            assert.deepEqual(at, before)
            at = ('is' in mine && mine.is) || at
          }
        }),
        { numRuns: 150 },
      )
    })
  }

  it('of one dialogue leaves nothing for the next', async () => {
    const machine = await compiledFlow('topup')
    const data = { amount: 50, currency: 'PGK' }
    const main = (msisdn: string) =>
      stepDialogue(machine, beginDialogue(machine, { ...INPUT, msisdn }), { type: 'RESULT', data })!
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
