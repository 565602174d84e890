import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { compileFlow } from '../../../src/flow/load/compile.ts'
import { coverageOf, type Coverage } from '../../../src/flow/explore/coverage.ts'
import { sourceOf } from '../../../src/flow/read/loader.ts'
import { parseTalks } from '../../../src/flow/talk/talk.ts'
import { describeFailure } from '../../../src/flow/talk/diff.ts'
import { playTalk } from '../../../src/flow/talk/player.ts'
import { EXAMPLES, FOLDERS } from '../../support/example-flows.ts'

for (const folder of FOLDERS) {
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.talk'))) {
    describe(`the talks of ${join(folder, file)}`, () => {
      const coverages = new Map<string, Coverage>()
      for (const talk of parseTalks(join(folder, file), readFileSync(join(folder, file), 'utf8'))) {
        it(talk.title, async () => {
          const coverage = coverages.get(talk.flow) ?? coverageOf(compileFlow(await sourceOf(folder, talk.flow)))
          coverages.set(talk.flow, coverage)
          const failure = await playTalk(talk, coverage.flow)
          assert.equal(failure && describeFailure(failure), undefined)
        })
      }

      if (folder === 'flows') return
      it('walk every screen, choice and refusal', () => {
        assert.deepEqual(
          [...coverages.values()].flatMap(({ report }) => report().missing),
          [],
        )
      })
      it('take every transition but the key for Back where there is nothing to go back to', () => {
        const missing = [...coverages.values()].flatMap(({ transitions }) => transitions().missing)
        assert.deepEqual(
          missing.filter((way) => !/^screen '(main|poor)', key Back$/.test(way)),
          [],
        )
      })
    })
  }
}

it('all examples have talks', () => {
  assert.deepEqual(EXAMPLES, ['airtime', 'bank', 'electricity', 'market', 'money', 'survey', 'voucher'])
})
