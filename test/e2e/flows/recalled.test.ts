import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { publishCommand, recallCommand, statusCommand } from '../../../src/cli/flows/releases.ts'
import { compileFlow } from '../../../src/flow/load/compile.ts'
import { sourceOf } from '../../../src/flow/read/loader.ts'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { realClock } from '../../support/clock.ts'
import { newStage, stageDaemon, type Staged } from '../../support/daemon.ts'
import { describeWith, until } from '../../support/services.ts'
import { ALL_ROLES, letIn } from '../../support/tokens.ts'

const TOKEN = 'operating-token-of-a-test'
const flow = (name: string, price: string) =>
  `flow: ${name}\nspec: 1\nstart: main\nlanguages: [en]\nscreens:\n  main: { end: 'Rice ${price}' }\n`

describeWith(['redis', 'postgres'], 'a recalled revision in mode files, in daemons that run and that start', () => {
  const stage = newStage()
  const folder = mkdtempSync(join(tmpdir(), 'ussd-recalled-'))
  const drafts = mkdtempSync(join(tmpdir(), 'ussd-drafts-'))
  const smscs: Smsc[] = []
  const daemons: Staged[] = []
  const decide = { url: '', tokenFile: join(drafts, 'token'), reason: '' }

  const start = async (which: number) => {
    daemons[which] = await stageDaemon({
      smscPort: smscs[which]!.port,
      with: { ...stage, data: join(stage.data, String(which)) },
      change: (settings) => {
        settings.flows = { dir: folder, reloadMs: 50, publish: 'files', plugins: [], testers: [] }
        settings.services = [
          { code: '*200#', flow: 'prices' },
          { code: '*201#', flow: 'fees' },
        ]
        settings.lines[0]!.timers.reconnectMs = 50
        settings.lines[0]!.name = `smsc-${which}`
        settings.stopMs = 0
        letIn({ admin: settings.admin, data: drafts }, { token: TOKEN, roles: ALL_ROLES, name: 'operateer' })
      },
    })
    await smscs[which]!.bound(1)
    decide.url = `http://127.0.0.1:${daemons[0]!.daemon.admin.port}`
  }
  const restart = async (which: number) => {
    await daemons[which]!.close()
    await start(which)
  }
  const draft = async (name: string, price: string) => {
    const file = join(drafts, `${name}.yaml`)
    writeFileSync(file, flow(name, price))
    return { file, revision: compileFlow(await sourceOf(drafts, name)).flow.revision }
  }
  const dialled = (code: string) =>
    Promise.all(daemons.map(async (_, which) => (await smscs[which]!.phone(`6757000000${which}`).dial(code)).text))
  const ready = async () =>
    (await Promise.all(daemons.map(({ daemon }) => daemon.readiness()))).map(
      ({ parts }) => parts.flows as { name: string; revision: string; recalled?: string }[],
    )
  /** All daemons say this of that flow. */
  const allSay = (name: string, what: RegExp) =>
    until(
      async () => (await ready()).every((flows) => what.test(flows.find((one) => one.name === name)!.recalled ?? '')),
      `not all say ${what} of ${name}`,
    )

  before(async () => {
    writeFileSync(decide.tokenFile, TOKEN, { mode: 0o600 })
    for (const name of ['prices', 'fees']) writeFileSync(join(folder, `${name}.yaml`), flow(name, 'K10'))
    for (const which of [0, 1]) smscs[which] = await startSmsc({ clock: realClock, chance: Math.random })
    await start(0)
  })
  after(async () => {
    await daemons[0]?.daemon.stores.knex.raw(`DROP SCHEMA IF EXISTS "${stage.schema}" CASCADE`)
    for (const staged of daemons) await staged.close()
    for (const smsc of smscs) await smsc.stop()
    for (const path of [folder, drafts, stage.data]) rmSync(path, { recursive: true, force: true })
  })

  it('gives what served before it, though its file is on disk: after a restart, in a new daemon, and in the one that ran on', async () => {
    const { file, revision } = await draft('prices', 'K12')
    await publishCommand(file, { ...decide, share: 10 }, () => undefined)
    await recallCommand(revision, { ...decide, text: ['Wrong prices. Dial again.'] }, () => undefined)
    writeFileSync(join(folder, 'prices.yaml'), flow('prices', 'K12'))
    await allSay('prices', /serves instead/)
    assert.deepEqual(await dialled('*200#'), ['Rice K10'])
    await start(1)
    assert.deepEqual(await dialled('*200#'), ['Rice K10', 'Rice K10'], 'a daemon that never had another file')
    await restart(0)
    assert.deepEqual(await dialled('*200#'), ['Rice K10', 'Rice K10'], 'a daemon that starts again')
    const warned = daemons[0]!.logged().filter(({ level, where }) => level === 'warn' && where === revision)
    assert.deepEqual(
      warned.map(({ what }) => /was recalled: prices@\w+ serves instead/.test(String(what))),
      [true],
      'once',
    )
    const said: string[] = []
    await statusCommand(decide, (text) => said.push(text))
    const stands = new RegExp(`^prices: prices@\\w+ serves instead of ${revision}, which was recalled$`, 'm')
    assert.match(said.join('\n'), stands)
  })

  it('gives the words of the recall where nothing else is left, and /ready and the log say so; a mended file serves at once', async () => {
    const first = compileFlow(await sourceOf(folder, 'fees')).flow.revision
    const { file, revision } = await draft('fees', 'K5')
    await publishCommand(file, decide, () => undefined)
    await recallCommand(first, { ...decide, text: ['Fees were wrong.'] }, () => undefined)
    writeFileSync(join(folder, 'fees.yaml'), flow('fees', 'K7'))
    const third = compileFlow(await sourceOf(folder, 'fees')).flow.revision
    await until(
      async () => (await ready()).every((flows) => flows.some((one) => one.revision === third)),
      'the new file does not serve',
    )
    await recallCommand(revision, { ...decide, text: ['Fees were wrong.'] }, () => undefined)
    // Both files that were recalled: one is put back.
    await daemons[0]!.daemon.stores.knex('flow_revision').where({ revision: third }).delete()
    writeFileSync(join(folder, 'fees.yaml'), flow('fees', 'K5'))
    await allSay('fees', /every dial gets the text of the recall/)
    assert.deepEqual(await dialled('*201#'), ['Fees were wrong.', 'Fees were wrong.'])
    await restart(1)
    await allSay('fees', /every dial gets the text of the recall/)
    assert.deepEqual(await dialled('*201#'), ['Fees were wrong.', 'Fees were wrong.'])
    assert.ok(daemons[1]!.logged().some(({ level, where }) => level === 'warn' && where === revision))
    writeFileSync(join(folder, 'fees.yaml'), flow('fees', 'K9'))
    await until(
      async () =>
        (await ready()).every((flows) => flows.every((one) => one.name !== 'fees' || one.recalled === undefined)),
      'not mended',
    )
    assert.deepEqual(await dialled('*201#'), ['Rice K9', 'Rice K9'])
  })
})
