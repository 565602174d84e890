import assert from 'node:assert/strict'
import { checkSource, type FlowProblem } from '../../../src/flow/check/check.ts'
import { compileFlow } from '../../../src/flow/load/compile.ts'
import { proveFlow } from '../../../src/flow/explore/prove.ts'
import { readFlow, type FlowSource } from '../../../src/flow/read/read.ts'
import { good, ROWS } from './seeded-faults.ts'

/** Whether the flow holds against the schema with that fault in it. Else nobody knows its screens. */
function reads(source: FlowSource, from: string, into: string): boolean {
  try {
    return Boolean(readFlow({ ...source, text: source.text.replace(from, () => into) }))
  } catch {
    return false
  }
}

/** All that the command `check` finds. */
function allOf(source: FlowSource): FlowProblem[] {
  const found = checkSource(source)
  if (found.some(({ severity }) => severity === 'error')) return found
  return [...found, ...proveFlow(compileFlow(source), readFlow(source).at)]
}

/** Faults of the file as such, or of screens that no keys lead to: there is no sequence of keys to show. */
const NO_KEYS = /is not a time zone|starts with|home leads to|no screen leads to|makes a screen|does not show /

describe('faults put into good flows', () => {
  for (const [flow, from, into, says] of ROWS) {
    it(`${flow}: ${JSON.stringify(into.slice(0, 70))} is found`, () => {
      const source = good[flow]
      assert.ok(source.text.includes(from), `the flow has no ${from}`)
      const found = allOf({ ...source, text: source.text.replace(from, () => into) })
      const fault = found.find(({ what, remedy }) => says.test(`${what} (${remedy})`))
      assert.ok(fault, found.map(({ what }) => what).join('\n'))
      assert.match(fault.where, /\.yaml:\d+:\d+$/)
      if (reads(source, from, into) && !NO_KEYS.test(fault.what))
        assert.match(fault.shown ?? '', /^dial( > .+)*$/, fault.what)
    })
  }

  for (const [name, source] of Object.entries(good)) {
    it(`${name} itself has none`, () => {
      assert.deepEqual(
        allOf(source).filter(({ what }) => !what.startsWith('review of')),
        [],
      )
    })
  }

  it('of the walk and of the reading are shown by the keys that lead there', () => {
    const source = good.topup
    const shown = (from: string, into: string, what: RegExp) =>
      allOf({ ...source, text: source.text.replace(from, () => into) }).find((problem) => what.test(problem.what))
        ?.shown
    assert.equal(
      shown('{data.bought.balance, number, money}', '{data.bundles.balance, number, money}', /is not a number/),
      'dial > 1 > 5',
    )
    assert.equal(
      shown('insufficient: poor }\n\n  # B', 'insufficient: pour }\n\n  # B', /'pour'/),
      "dial > 1 > (an answer to 'amount')",
    )
  })
})
