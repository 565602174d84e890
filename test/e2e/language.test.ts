import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { erasePerson } from '../../src/privacy/subscriber.ts'
import { startSmsc, type Smsc } from '../../src/simulator/smsc.ts'
import { realClock } from '../support/clock.ts'
import { stageDaemon, type Staged } from '../support/daemon.ts'
import { describeWith } from '../support/services.ts'

const FLOW = `flow: hello
spec: 1
start: main
languages: [en, tpi]
screens:
  main: { menu: { en: Hello, tpi: Halo }, choices: [{ label: { en: Language, tpi: Tok ples }, to: which }] , back: bye }
  which: { language: { en: Which?, tpi: Wanem? }, to: main }
  bye: { exit: true }
`

describeWith(['redis', 'postgres'], 'a language that a subscriber chose', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ussd-language-'))
  let smsc: Smsc
  let staged: Staged
  before(async () => {
    writeFileSync(join(folder, 'hello.yaml'), FLOW)
    smsc = await startSmsc({ clock: realClock, chance: Math.random })
    staged = await stageDaemon({ smscPort: smsc.port, change: (settings) => {
      settings.flows = { ...settings.flows, dir: folder, reloadMs: 0 }
      settings.services = [{ code: '*200#', flow: 'hello' }]
    } })
    await smsc.bound(1)
  })
  after(async () => {
    await staged?.close()
    await smsc?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  it('greets at the next dial, of that subscriber only, until it is erased', async () => {
    const [mary, john] = [smsc.phone('67570000002'), smsc.phone('67570000001')]
    assert.match((await mary.dial('*200#')).text, /^Hello/)
    await mary.answer('1')
    assert.match((await mary.answer('2')).text, /^Halo/)
    await mary.answer('2')
    assert.match((await mary.dial('*200#')).text, /^Halo\n1\. Tok ples/)
    assert.match((await john.dial('*200#')).text, /^Hello/)
    const { daemon } = staged
    const erased = await erasePerson({ ...daemon.stores, groups: ['test'] }, '67570000002', false)
    assert.equal(erased.language, 1)
    assert.match((await mary.dial('*200#')).text, /^Hello/)
  })
})
