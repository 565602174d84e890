import assert from 'node:assert/strict'
import { explore } from '../../../src/flow/explore/explorer.ts'
import { compileFlow } from '../../../src/flow/load/compile.ts'
import { good } from '../check/seeded-faults.ts'

describe('a walk like another', () => {
  for (const [name, source] of Object.entries(good)) {
    for (const lengths of ['likely', 'longest'] as const) {
      it(`sees every page of ${name} in the second language that a whole walk sees, and takes fewer ways (${lengths})`, () => {
        const compilation = compileFlow(source)
        const [first, second] = compilation.definition.languages as [string, string]
        const like = explore(compilation, { language: first, lengths })
        const whole = explore(compilation, { language: second, lengths })
        const less = explore(compilation, { language: second, lengths, like })
        const kinds = (of: typeof whole) => [...of.kinds.keys()].toSorted()
        assert.deepEqual(kinds(less), kinds(whole))
        assert.deepEqual(less.faults, [])
        const ways = (of: typeof whole) => of.states.reduce((sum, { edges }) => sum + edges.length, 0)
        assert.ok(ways(less) < ways(whole), `${ways(less)} < ${ways(whole)}`)
      })
    }
  }
})
