import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { compileFlow } from '../../src/flow/compile.ts'
import { sourceOf } from '../../src/flow/loader.ts'
import { parseTalks } from '../../src/flow/talk.ts'
import { describeFailure, playTalk } from '../../src/flow/talk-player.ts'

const FLOWS = 'flows'

for (const file of readdirSync(FLOWS).filter((name) => name.endsWith('.talk'))) {
  describe(`the talks of ${file}`, () => {
    for (const talk of parseTalks(join(FLOWS, file), readFileSync(join(FLOWS, file), 'utf8'))) {
      it(talk.title, async () => {
        const { flow } = compileFlow(await sourceOf(FLOWS, talk.flow))
        const failure = await playTalk(talk, flow)
        assert.equal(failure && describeFailure(failure), undefined)
      })
    }
  })
}
