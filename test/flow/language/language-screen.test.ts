import assert from 'node:assert/strict'
import { languageLookup, LOOKUP_MS, subscriberBackend } from '../../../src/daemon/backends/languages.ts'
import { checkSource } from '../../../src/flow/check/check.ts'
import { silentLog } from '../../../src/base/log/port.ts'
import { proveFlow } from '../../../src/flow/explore/prove.ts'
import { readFlow } from '../../../src/flow/read/read.ts'
import { fileOf, flowOf, handset } from '../support.ts'
import { fakeClock } from '../../support/clock.ts'

const SCREENS = `
  main: { menu: { en: Hello, tpi: Halo, hi: नमस्ते }, choices: [{ label: { en: Language, tpi: Tok ples, hi: भाषा }, to: which }, { label: { en: Pay, tpi: Baim, hi: दो }, to: pay }] }
  which: { language: { en: Which?, tpi: Wanem?, hi: कौन? }, to: main, back: main }
  pay: { call: w.pay, once: true, to: bye }
  bye: { exit: true }
`
const HEAD = 'start: main\nlanguages: [en, tpi, hi]'
const said = (screens: string, head: string) =>
  checkSource({ file: 'f.yaml', text: fileOf(screens, head), catalogues: [] }, []).map(({ what }) => what)

describe('the choice of a language', () => {
  it('offers those of the flow by their own names, changes at once, and has it kept', async () => {
    const calls: unknown[] = []
    const phone = handset(
      flowOf(SCREENS, HEAD).flow,
      (want) => (calls.push([want.backend, want.operation, want.args]), { is: 'data', data: {} }),
    )
    await phone.dial()
    assert.equal((await phone.answer('1')).text, 'Which?\n1. English\n2. Tok Pisin\n3. हिन्दी\n4. Back')
    assert.equal((await phone.answer('2')).text, 'Halo\n1. Tok ples\n2. Baim')
    assert.deepEqual(calls, [['_subscriber', 'language', { language: 'tpi' }]])
  })

  it('holds for the dialogue when it cannot be kept', async () => {
    const phone = handset(flowOf(SCREENS, HEAD).flow, () => ({ is: 'failed', why: 'down' }))
    await phone.dial()
    await phone.answer('1')
    assert.match((await phone.answer('2')).text, /^Halo/)
  })

  it('is not made by what was dialled behind the code, for it is remembered: that stops where the languages are shown', async () => {
    const calls: string[] = []
    const screens = SCREENS.replace('to: pay', 'to: bye')
    const phone = handset(flowOf(screens, HEAD).flow, (want) => (calls.push(want.operation), { is: 'data', data: {} }))
    assert.match((await phone.dial({ dialled: ['1', '2', '2'] })).text, /^Which\?\n1\. English/)
    assert.deepEqual(calls, [])
    assert.match((await phone.answer('2')).text, /^Halo/)
  })

  it('is proven, and known to every daemon without a back end in the settings', () => {
    const source = { file: 'test.yaml', text: fileOf(SCREENS, HEAD), catalogues: [] }
    assert.deepEqual(proveFlow(flowOf(SCREENS, HEAD), readFlow(source).at), [])
    assert.deepEqual(
      said(
        '  main: { language: { en: A?, tpi: B? }, to: bye }\n  bye: { exit: true }',
        'start: main\nlanguages: [en, tpi]',
      ),
      [],
    )
  })

  it('needs several languages, each with a name', () => {
    const one = '  main: { language: Which?, to: bye }\n  bye: { exit: true }'
    assert.deepEqual(said(one, 'start: main\nlanguages: [en]'), [
      "screen 'main': the flow has only one language, so there is nothing to choose (languages:)",
    ])
    const strange = 'start: main\nlanguages: [en, qqq]'
    assert.match(said(one, strange).join(), /no name is known for 'qqq'/)
    assert.doesNotMatch(said(one.replace('to: bye', 'to: bye, names: { qqq: Q }'), strange).join(), /own name/)
  })
})

describe('the language that was chosen', () => {
  const lookup = (of: () => Promise<string | null>, mayChoose = true) => {
    const clock = fakeClock()
    const counted: unknown[] = []
    const metrics = { count: (name: string, labels?: object) => void counted.push([name, labels]) }
    return {
      clock,
      counted,
      look: languageLookup({
        languages: { of },
        flows: { mayChooseLanguage: () => mayChoose },
        clock,
        log: silentLog,
        metrics,
      }),
    }
  }

  it('is looked up only while a flow lets one be chosen', async () => {
    assert.equal(await lookup(async () => 'tpi').look('675'), 'tpi')
    assert.equal(await lookup(async () => assert.fail(), false).look('675'), null)
  })

  it('is not waited for long, nor missed when the database is gone', async () => {
    const slow = lookup(() => new Promise(() => undefined))
    const looking = slow.look('675')
    await slow.clock.advance(LOOKUP_MS)
    assert.equal(await looking, null)
    const down = lookup(async () => {
      throw new Error('down')
    })
    assert.equal(await down.look('675'), null)
    assert.deepEqual(
      [...slow.counted, ...down.counted],
      [
        ['language_lookups_failed', { why: 'late' }],
        ['language_lookups_failed', { why: 'down' }],
      ],
    )
  })

  it('is kept only if it is one', async () => {
    const kept: string[] = []
    const backend = subscriberBackend(
      { of: async () => null, keep: async (_msisdn, language) => void kept.push(language), forget: async () => 0 },
      fakeClock(),
    )
    const call = (language: string) =>
      backend.call('language', { language }, { msisdn: '675', signal: new AbortController().signal } as never)
    assert.deepEqual((await call('tpi')).is, 'data')
    assert.deepEqual((await call('')).is, 'failed')
    assert.deepEqual((await call('x'.repeat(40))).is, 'failed')
    assert.deepEqual(kept, ['tpi'])
  })
})
