import assert from 'node:assert/strict'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { linesCommand, type LinesOptions } from '../../../src/cli/commands/lines.ts'
import { fleetStatus } from '../../../src/cli/commands/status.ts'
import type { Settings } from '../../../src/config/schema.ts'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { realClock } from '../../support/clock.ts'
import { newStage, stageDaemon, type Staged } from '../../support/daemon.ts'
import { FAREWELL, T1, T1_MARY } from '../../support/screens.ts'
import { describeWith, until } from '../../support/services.ts'
import { letIn } from '../../support/tokens.ts'

const [JOHN, MARY] = ['67570000001', '67570000002']
const TOKEN = 'operating-token-of-a-test'
const BUSY = 'Service busy. Please try again later.'

describeWith(['redis', 'postgres'], 'a line that is held for maintenance', () => {
  let smsc: Smsc
  let staged: Staged
  let file: Settings
  const stage = newStage()
  const start = () =>
    stageDaemon({
      smscPort: smsc.port,
      with: stage,
      read: () => structuredClone(file),
      change(settings) {
        letIn(settings, { token: TOKEN, roles: 'read,operate', name: 'night' })
        writeFileSync(join(settings.data, 'token'), TOKEN, { mode: 0o600 })
      },
    })
  const asked = () => ({
    url: `http://127.0.0.1:${staged.daemon.admin.port}`,
    tokenFile: join(stage.data, 'token'),
  })
  const lines = async (options: Partial<LinesOptions> = {}) => {
    const said: string[] = []
    await linesCommand({ ...asked(), ...options }, (text) => said.push(text))
    return said.join('\n')
  }
  const status = async () => {
    const said: string[] = []
    return { code: await fleetStatus(asked(), (text) => said.push(text)), text: said.join('\n') }
  }

  before(async function () {
    this.timeout(60_000)
    smsc = await startSmsc({ clock: realClock, chance: Math.random })
    staged = await start()
    const { seedDental } = await import('../../support/dental.ts')
    const { FROZEN } = await import('../../support/daemon.ts')
    await seedDental(staged.daemon.stores.sql, { atMs: FROZEN })
    file = structuredClone(staged.settings)
  })
  after(async () => {
    const { knex } = staged
    await staged.daemon.stop()
    await knex.raw(`DROP SCHEMA IF EXISTS "${stage.schema}" CASCADE`)
    await knex.destroy()
    await smsc.stop()
  })

  it('turns new dials away, finishes what is open, and says so everywhere', async () => {
    const john = smsc.phone(JOHN)
    assert.equal((await john.dial('*123#')).text, T1)
    const bind = smsc.binds()[0]!.id
    assert.match(await lines({ hold: 'test' }), /held since \S+ by night: new dials get the busy text/)
    assert.equal((await smsc.phone(MARY).dial('*123#')).text, BUSY)
    assert.equal((await john.answer('4')).text, FAREWELL)
    assert.equal(smsc.binds()[0]!.id, bind)
    const { ready, parts } = await staged.daemon.readiness()
    assert.deepEqual([ready, parts.held], [true, ['test']])
    const metrics = await staged.daemon.metrics.registry.metrics()
    assert.match(metrics, /^line_held\{line="test"\} 1$/m)
    const { code, text } = await status()
    assert.equal(code, 1)
    assert.match(text, /test is held on \S+: new dials are turned away/)
    assert.match(text, /test 1\/1 held/)
    await until(async () => /\bheld\b/.test(await lines({ history: 'test' })), 'not in the history')
    const audit = staged.logged().filter(({ msg, what }) => msg === 'admin audit' && what === 'line hold')
    assert.deepEqual([audit.length, audit[0]!.before, audit[0]!.after], [1, 'serving', 'held'])
  })

  it('stays so over a restart, with its text, until it is released', async function () {
    this.timeout(60_000)
    await lines({ hold: 'test', text: 'Back at six.' })
    assert.equal(statSync(join(stage.data, 'held-lines.json')).mode & 0o777, 0o600)
    await staged.close()
    staged = await start()
    assert.equal(staged.logged().filter(({ msg }) => msg === 'the line is held: new dials are turned away').length, 1)
    assert.equal((await smsc.phone(MARY).dial('*123#')).text, 'Back at six.')
    assert.doesNotMatch(await lines({ release: 'test' }), /held/)
    assert.equal((await smsc.phone(MARY).dial('*123#')).text, T1_MARY)
    assert.equal((await status()).text.includes('held'), false)
    assert.deepEqual(JSON.parse(readFileSync(join(stage.data, 'held-lines.json'), 'utf8')), {})
  })

  it('is refused for a line that is not there, and for a text that no screen has room for', async () => {
    await assert.rejects(lines({ hold: 'tset' }), /404: there is no line 'tset'/)
    await assert.rejects(lines({ hold: 'test', text: 'x'.repeat(183) }), /400: .*text/)
  })

  it('ends when the line goes', async () => {
    await lines({ hold: 'test' })
    const name = structuredClone(file)
    file.lines[0]!.name = 'other'
    await staged.daemon.reload()
    await until(() => smsc.binds().length === 1, 'not one bind')
    file = name
    await staged.daemon.reload()
    await until(async () => (await staged.daemon.readiness()).ready, 'not ready')
    assert.doesNotMatch(await lines(), /held/)
    assert.ok(existsSync(join(stage.data, 'held-lines.json')))
  })
})
