/** Talks made from each flow: they go as written, and walk all that there is. */
import assert from 'node:assert/strict'
import { compileFlow } from '../../src/flow/compile.ts'
import { coverageOf } from '../../src/flow/coverage.ts'
import { flowNames, sourceOf } from '../../src/flow/loader.ts'
import { talksOf } from '../../src/flow/paths.ts'
import { parseTalks } from '../../src/flow/talk.ts'
import { describeFailure, playTalk } from '../../src/flow/talk-player.ts'
import { flowOf } from './support.ts'

describe('talks made from a flow', async () => {
  for (const name of ['dental', 'language', 'reminder', 'topup']) {
    it(`walk all of ${name}, as written`, async () => {
      assert.ok((await flowNames('flows')).includes(name))
      const compilation = compileFlow(await sourceOf('flows', name))
      const coverage = coverageOf(compilation)
      const { text, missing } = talksOf(compilation)
      for (const talk of parseTalks(`${name}.talk`, text)) {
        const failure = await playTalk(talk, coverage.flow)
        assert.equal(failure && describeFailure(failure), undefined)
      }
      assert.deepEqual([missing, coverage.report().missing], [[], []])
    })
  }

  it('name what made-up answers do not lead to', () => {
    const { missing } = talksOf(flowOf(`
  main: { menu: Hi, choices: [{ label: Never, to: end, when: msisdn == 1 }, { label: Go, to: end }] }
  end: { exit: true }
`))
    assert.deepEqual(missing, [`screen 'main', choice 1 "Never"`])
  })

  it('say what a back end answers before the key that has it called', () => {
    const { text } = talksOf(flowOf(`
  main: { menu: Hi, choices: [{ label: Go, to: ask }] }
  ask: { call: w.ask, to: end, refused: { no: main } }
  end: { end: 'Done {data.ask.name}' }
`))
    assert.match(text, /refuse w\.ask no\n> 1\n< Hi\n< 1\. Go\n/)
    assert.match(text, /backend w\.ask \{"name":"Name"\}\n> 1\n< Done Name\nended completed\n/)
  })
})
