/** Screens of an operator's own types: served by a daemon over a real socket, published, compared and recalled. */
import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tokenHash } from '../../../src/admin/access.ts'
import { diffCommand, publishCommand, recallCommand, rollbackCommand } from '../../../src/cli/flows/releases.ts'
import { compileFlow } from '../../../src/flow/load/compile.ts'
import { sourceOf } from '../../../src/flow/read/loader.ts'
import { loadScreenTypes } from '../../../src/flow/read/plugin.ts'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { realClock } from '../../support/clock.ts'
import { newStage, stageDaemon, type Staged } from '../../support/daemon.ts'
import { describeWith, until } from '../../support/services.ts'
import { ALL_ROLES } from '../../support/tokens.ts'

const PLUGIN = 'examples/plugins/rating.js'
const TOKEN = 'operating-token-of-a-test'
const RATED =
  'export const backend = () => ({ operations: { rate: async (args) => { globalThis.rated.push(args); return {} } } })\n'

describeWith(['redis', 'postgres'], 'a daemon with a type of screen of a plug-in', () => {
  const stage = newStage()
  const folder = mkdtempSync(join(tmpdir(), 'ussd-plugin-'))
  const draft = join(folder, 'drafts', 'visit.yaml')
  const rated: unknown[] = Object.assign(globalThis, { rated: [] }).rated
  let smsc: Smsc
  let staged: Staged

  const admin = () => ({ url: `http://127.0.0.1:${staged.daemon.admin.port}`, tokenFile: join(folder, 'token') })
  const saying = async (run: (say: (text: string) => void) => Promise<void>) => {
    const said: string[] = []
    await run((text) => said.push(text))
    return said.join('\n')
  }
  const dialled = async () => {
    const phone = smsc.phone('67570000009')
    const { text } = await phone.dial('*108#')
    phone.hangUp()
    return text
  }

  before(async () => {
    for (const each of ['flows', 'drafts']) mkdirSync(join(folder, each))
    copyFileSync('examples/plugins/visit.yaml', join(folder, 'flows', 'visit.yaml'))
    writeFileSync(join(folder, 'visits.mjs'), RATED)
    writeFileSync(join(folder, 'token'), TOKEN, { mode: 0o600 })
    writeFileSync(join(folder, 'tokens'), `${ALL_ROLES}:${tokenHash(TOKEN).toString('hex')} operator`, { mode: 0o600 })
    smsc = await startSmsc({ clock: realClock, chance: Math.random })
    staged = await stageDaemon({
      smscPort: smsc.port,
      with: stage,
      change: (settings) => {
        Object.assign(settings.flows, { dir: join(folder, 'flows'), reloadMs: 0, plugins: [PLUGIN] })
        settings.services = [{ code: '*108#', flow: 'visit' }]
        settings.backends = { visits: { module: join(folder, 'visits.mjs') } } as unknown as typeof settings.backends
        settings.admin.tokensFile = join(folder, 'tokens')
        settings.stopMs = 0
      },
    })
    await smsc.bound(1)
  })
  after(async () => {
    await staged?.knex.raw(`DROP SCHEMA IF EXISTS "${stage.schema}" CASCADE`)
    await staged?.close()
    await smsc?.stop()
    for (const path of [folder, stage.data]) rmSync(path, { recursive: true, force: true })
  })

  it('serves it as the basic screens that it becomes, deep dial and wrong answers too', async () => {
    const phone = smsc.phone('67570000001')
    assert.equal((await phone.dial('*108#')).text, 'How was your visit?\n1. Bad\n2. Fair\n3. Good')
    assert.match((await phone.answer('4')).text, /^Invalid choice/)
    assert.equal((await phone.answer('1')).text, 'What went wrong?')
    assert.equal((await phone.answer('I waited')).text, 'Thank you.')
    assert.deepEqual(rated.at(-1), { rating: 1, why: 'I waited' })
    assert.equal(
      (await smsc.phone('67570000002').dial('*108*1#')).text,
      'How was your visit?\n1. Bad\n2. Fair\n3. Good',
      'not past what is sent',
    )
  })

  it('diff compares a revision with a file where the plug-in is named, and says what is not known where it is not', async () => {
    const { revision } = compileFlow(
      await sourceOf(join(folder, 'flows'), 'visit'),
      undefined,
      await loadScreenTypes([PLUGIN]),
    ).flow
    writeFileSync(draft, readFileSync(join(folder, 'flows', 'visit.yaml'), 'utf8').replace('en: Fair', 'en: So so'))
    const said = await saying((say) => diffCommand(revision, draft, { ...admin(), plugin: [PLUGIN] }, say))
    assert.match(
      said,
      /screen how \(en\)\n {2}- How was your visit\?\n {2}- 1\. Bad\n {2}- 2\. Fair\n[^]*\+ 2\. So so\n/,
    )
    assert.match(said, /^1 screen changed for subscribers$/m)
    await assert.rejects(
      diffCommand(revision, draft, admin(), () => undefined),
      /screen 'how' has no kind/,
    )
  })

  it('publish proves it and serves it; a recall of it by a plain text needs no plug-in', async () => {
    const broken = join(folder, 'drafts', 'broken', 'visit.yaml')
    mkdirSync(join(folder, 'drafts', 'broken'))
    writeFileSync(broken, readFileSync(draft, 'utf8').replace('worst: why', 'worst: whi'))
    await assert.rejects(
      publishCommand(broken, { ...admin(), reason: '' }, () => undefined),
      /422: [^]*visit\.yaml:12:12: .*'whi'/,
    )
    const told = await saying((say) => publishCommand(draft, { ...admin(), reason: '' }, say))
    const [before, after] = told.split(' -> ')
    assert.match(await dialled(), /2\. So so/)
    const waiting = smsc.phone('67570000003')
    await waiting.dial('*108#')
    await rollbackCommand('visit', { ...admin(), reason: '' }, () => undefined)
    await until(async () => /2\. Fair/.test(await dialled()), `${before} is not in force again`)
    assert.match(
      await saying((say) => recallCommand(after!, { ...admin(), reason: '', text: ['Please dial again.'] }, say)),
      /open dialogues end at their next turn/,
    )
    assert.equal((await waiting.answer('1')).text, 'Please dial again.')
  })
})
