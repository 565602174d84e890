import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { compileFlow } from '../../src/flow/load/compile.ts'
import type { FlowInput, FlowSnapshot } from '../../src/flow/engine/types.ts'
import { root } from '../style/tree.ts'
import type { Recorded } from './recorded.ts'

const corpus = join(root, 'test/corpus')
const versions = readdirSync(corpus, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => name)

describe('dialogues of released versions', () => {
  it('there are some', () => assert.notEqual(versions.length, 0))

  for (const version of versions) {
    for (const file of readdirSync(join(corpus, version))) {
      const recorded = JSON.parse(readFileSync(join(corpus, version, file), 'utf8')) as Recorded

      it(`${version} ${file}: the source is still that revision`, () => {
        assert.equal(compileFlow(recorded.source).flow.revision, recorded.revision,
          'dialogues under way over an upgrade would end as flow-gone: a new key of a flow must be absent where it was not written')
      })

      it(`${version} ${file}: ${recorded.steps.length} stored snapshots go on as they did`, () => {
        const { flow } = compileFlow(recorded.source)
        assert.ok(recorded.steps.length > 5, 'there is something to replay')
        for (const { from, event, want } of recorded.steps) {
          const snapshot = event ? flow.step(from as FlowSnapshot, event) : flow.begin(from as FlowInput)
          assert.deepEqual(JSON.parse(JSON.stringify(flow.want(snapshot))), want, `after ${JSON.stringify(event)} on ${JSON.stringify(from)}`)
        }
      })
    }
  }
})
