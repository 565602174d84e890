/** A call that changes something and fails: another call asks what became of it, with its key. */
import assert from 'node:assert/strict'
import { advance, type CallWant } from '../../../src/flow/engine/advance.ts'
import type { CallOutcome } from '../../../src/flow/engine/advance.ts'
import type { FlowSnapshot } from '../../../src/flow/engine/types.ts'
import { checkSource, vetFlow } from '../../../src/flow/check/check.ts'
import { readFlow } from '../../../src/flow/read/read.ts'
import { USSD_PAGE } from '../../../src/ussd/vocabulary.ts'
import { fileOf, flowOf, stored } from '../support.ts'

const SCREENS = `
  main: { menu: Pay?, choices: [{ label: 'Yes', to: pay }] }
  pay: { call: bank.pay, once: true, expect: { reference: text }, to: paid, refused: { poor: no }, settle: state }
  state: { call: bank.state, once: false, expect: { state: text }, to: which, failed: unknown }
  which: { branch: [{ if: data.state.state == done, to: late }], else: again }
  again: { menu: Not paid., choices: [{ label: Try again, to: pay }] }
  paid: { end: 'Paid {data.pay.reference}.' }
  late: { end: Paid after all. }
  no: { end: Too poor. }
  unknown: { menu: Nobody knows., choices: [{ label: Ask again, to: state }] }
`
const KEY = (n: number) => `E1:2:${n}`

describe('a call that another one settles', () => {
  const flow = flowOf(SCREENS).flow
  const dial = () =>
    flow.begin({ msisdn: '67570000001', code: '*1#', line: 'a', language: 'en', dialled: [], page: USSD_PAGE })

  /** Plays an answer; each call has the next of these outcomes, with the key that the daemon would add. */
  async function play(from: FlowSnapshot, text: string, outcomes: CallOutcome[]) {
    const wants: CallWant[] = []
    const { want, snapshot } = await advance(flow, stored(from), { type: 'ANSWER', text }, async (asked, n) => {
      wants.push(asked)
      return { ...outcomes[n]!, ...(asked.keyed ? { key: KEY(n) } : {}) }
    })
    return { text: want.text, wants, snapshot: stored(snapshot) }
  }
  const late: CallOutcome = { is: 'failed', why: 'late' }
  const state = (is: string): CallOutcome => ({ is: 'data', data: { state: is } })

  it('is asked about at once, with its key, before anything is offered', async () => {
    const { text, wants } = await play(dial(), '1', [late, state('done')])
    assert.equal(text, 'Paid after all.')
    assert.deepEqual(
      wants.map(({ operation, settles, once }) => [operation, settles, once]),
      [
        ['pay', undefined, true],
        ['state', KEY(0), false],
      ],
    )
  })

  it('is asked about too if its answer or its refusal is of no use', async () => {
    for (const outcome of [
      { is: 'data', data: {} },
      { is: 'refused', refusal: 'strange' },
    ] as CallOutcome[]) {
      const { wants } = await play(dial(), '1', [outcome, state('done')])
      assert.equal(wants[1]!.settles, KEY(0), outcome.is)
    }
    const { text, wants } = await play(dial(), '1', [{ is: 'refused', refusal: 'poor' }])
    assert.deepEqual([text, wants.length], ['Too poor.', 1])
  })

  it('is asked about again, also later, as long as nobody knows', async () => {
    const first = await play(dial(), '1', [late, late])
    assert.match(first.text, /Nobody knows/)
    const second = await play(first.snapshot, '1', [state('none')])
    assert.equal(second.wants[0]!.settles, KEY(0))
    assert.match(second.text, /Not paid/)
    const third = await play(second.snapshot, '1', [late, state('done')])
    assert.deepEqual(
      third.wants.map(({ settles }) => settles),
      [undefined, KEY(0)],
    )
  })

  it('is the only one: failed and settle exclude each other, and what settles must read', () => {
    const wrong = (from: string, into: string) => {
      const source = { file: 'test.yaml', text: fileOf(SCREENS.replace(from, into)), catalogues: [] }
      const found = checkSource(source)
      const isBroken = found.some(({ severity }) => severity === 'error')
      return (isBroken ? found : vetFlow(readFlow(source))).map(({ what }) => what)
    }
    assert.deepEqual(wrong('', ''), [])
    assert.match(wrong('settle: state }', 'settle: state, failed: no }')[0]!, /failed and settle exclude each other/)
    assert.match(wrong('once: false', 'once: true')[0]!, /is settled by 'state', which is not a call that reads/)
    assert.match(wrong('settle: state', 'settle: stat')[0]!, /goes to 'stat', but there is no such screen/)
    assert.match(wrong('failed: unknown', 'failed: again')[0]!, /over 'state', which may fail, leads to it again/)
  })
})
