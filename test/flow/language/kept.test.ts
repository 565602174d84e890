import assert from 'node:assert/strict'
import { checkSource, vetFlow } from '../../../src/flow/check/check.ts'
import { readFlow } from '../../../src/flow/read/read.ts'
import { fileOf, flowOf, handset } from '../support.ts'

const SCREENS = `
  who: { call: crm.subscriber, once: false, cache: { maxAgeSeconds: 600 }, expect: { plan: { is: text, max: 8 } }, to: out, failed: out }
  out: { end: Hello. }
`
const HEAD = 'start: who\nlanguages: [en]'
const backend = (cache: string, does = 'reads') => `
backend: crm
spec: 1
operations:
  subscriber: { does: ${does}, answers: { plan: { is: text, max: 8 } }, refusals: {}${cache} }
`
const source = (screens = SCREENS, file?: string) => ({
  file: 'test.yaml',
  text: fileOf(screens, HEAD),
  catalogues: [],
  ...(file === undefined ? {} : { backends: [{ file: 'backends/crm.yaml', text: file }] }),
})
const vetted = (screens: string, file?: string) =>
  vetFlow(readFlow(source(screens, file))).flatMap(({ rule, what, where }) =>
    rule === 'cache' ? [`${where} ${what}`] : [],
  )
const cacheOf = (screens: string, file?: string) => {
  const { who } = readFlow(source(screens, file)).definition.screens
  return who?.kind === 'call' ? who.cache : undefined
}
const BARE = SCREENS.replace('cache: { maxAgeSeconds: 600 }, ', '').replace('once: false, ', '')

describe('answers that are kept', () => {
  it('are asked for with the time for which they may be kept', async () => {
    const wants: unknown[] = []
    const phone = handset(
      flowOf(SCREENS, HEAD).flow,
      ({ cache }) => (wants.push(cache), { is: 'data', data: { plan: 'a' } }),
    )
    assert.equal((await phone.dial()).do, 'end')
    assert.deepEqual(wants, [{ maxAgeSeconds: 600, staleIfErrorSeconds: 300 }])
  })

  it('are kept as the file of the back end says, or the call', () => {
    const file = backend(', cache: { maxAgeSeconds: 60, staleIfErrorSeconds: 0 }')
    assert.deepEqual(cacheOf(BARE, file), { maxAgeSeconds: 60, staleIfErrorSeconds: 0 })
    assert.deepEqual(cacheOf(SCREENS, file), { maxAgeSeconds: 600, staleIfErrorSeconds: 300 })
    assert.equal(cacheOf(BARE, backend('')), undefined)
    assert.deepEqual(vetted(BARE, file), [])
  })

  it('are not those of a change, of a secret, or of a call that settles another', () => {
    assert.match(
      vetted(BARE, backend(', cache: { maxAgeSeconds: 60 }', 'changes'))[0]!,
      /^test\.yaml:\d+:\d+ .*it changes something/,
    )
    const secret = `
  who: { input: PIN?, secret: true, pattern: '[0-9]{4}', to: ask }
  ask: { call: crm.verify, with: { pin: '{answers.who}' }, once: false, cache: { maxAgeSeconds: 5 }, to: out }
  out: { end: Hello. }
`
    assert.match(vetted(secret)[0]!, /a secret goes with it/)
    const settled = `
  who: { call: crm.pay, once: true, settle: state, to: out }
  state: { call: crm.state, once: false, cache: { maxAgeSeconds: 5 }, to: out, failed: out }
  out: { end: Hello. }
`
    assert.match(vetted(settled)[0]!, /it tells what became of another call/)
  })

  it('have a lifetime within bounds, and other words are told with their line', () => {
    for (const [written, says] of [
      ['{ maxAgeSeconds: 0 }', /'maxAgeSeconds': too small/],
      ['{ maxAgeSeconds: 86400 }', /'maxAgeSeconds': too big/],
      ['{ maxAge: 60 }', /'maxAgeSeconds' is missing/],
      ['600', /'cache' is not a block/],
    ] as const) {
      const [problem] = checkSource(source(SCREENS.replace('{ maxAgeSeconds: 600 }', written)))
      assert.match(problem!.what, says)
      assert.match(problem!.where, /^test\.yaml:6:\d+$/)
    }
  })
})
