/** Three daemons on one set of stores: each shows all, and a command reaches the right one. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { alarmsCommand } from '../../../src/cli/commands/alarms.ts'
import { linesCommand, type LinesOptions } from '../../../src/cli/commands/lines.ts'
import { testDialCommand } from '../../../src/cli/commands/test-dial.ts'
import { NO_ANSWER, fleetStatus } from '../../../src/cli/commands/status.ts'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { realClock } from '../../support/clock.ts'
import { newStage, stageDaemon, type Staged } from '../../support/daemon.ts'
import { describeWith, freePort, until } from '../../support/services.ts'
import { ALL_ROLES, letIn } from '../../support/tokens.ts'

const TOKEN = 'operating-token-of-a-test'

describeWith(['redis', 'postgres'], 'a fleet of three daemons', () => {
  const stage = newStage()
  const daemons: Staged[] = []
  let smsc: Smsc
  const tokenFile = join(stage.data, 'token')
  const at = (n: number) => `http://127.0.0.1:${daemons[n]!.daemon.admin.port}`

  async function status(n: number, more: object = {}): Promise<{ code: number; text: string }> {
    const said: string[] = []
    const code = await fleetStatus({ url: at(n), tokenFile, ...more }, (line) => said.push(line))
    return { code, text: said.join('\n') }
  }
  async function lines(n: number, more: Partial<LinesOptions> = {}): Promise<string> {
    const said: string[] = []
    await linesCommand({ url: at(n), tokenFile, ...more }, (line) => said.push(line))
    return said.join('\n')
  }

  before(async function () {
    this.timeout(90_000)
    smsc = await startSmsc({ clock: realClock, chance: Math.random })
    for (const name of ['a', 'b', 'c']) {
      const data = join(stage.data, name)
      const staged = await stageDaemon({
        smscPort: smsc.port,
        with: { ...stage, data },
        change: (settings) => {
          mkdirSync(data, { recursive: true })
          settings.instance = name
          // The three minutes and the minute, in a second.
          settings.alarms = { ...settings.alarms, afterMs: 1_000, overMs: 1_000 }
          letIn(settings, { token: TOKEN, roles: ALL_ROLES, name: 'mary' })
        },
      })
      daemons.push(staged)
    }
    writeFileSync(tokenFile, TOKEN, { mode: 0o600 })
    await until(async () => (await status(0)).text.includes('3 of 3 daemons'), 'not all are seen')
  })
  after(async () => {
    for (const { close } of daemons) await close()
    await smsc?.stop()
  })

  it('is one screen, and exit code 0 when all is well', async () => {
    await until(async () => (await status(1)).code === 0, (await status(1)).text)
    const { text } = await status(1)
    assert.match(
      text,
      /^well  3 of 3 daemons, \d+\.\d dials, \d+\.\d turns, \d+\.\d SMS a second\n\nDAEMON +STATE +VERSION/,
    )
    for (const name of ['a', 'b', 'c'])
      assert.match(text, new RegExp(`^${name} +ready +0\\.1\\.0 +${process.versions.node} .* test 1/1$`, 'm'))
    const { instances } = JSON.parse((await status(2, { json: true })).text) as { instances: { name: string }[] }
    assert.deepEqual(
      instances.map(({ name }) => name),
      ['a', 'b', 'c'],
    )
  })

  it('is in `lines` of each, by daemon, with the age of what the others say', async () => {
    const said = await lines(1)
    assert.match(said, /^BIND +STATE +DAEMON +SEEN +SINCE +/)
    assert.match(said, /^test\/0 +bound +b +now +/m)
    assert.match(said, /^test\/0 +bound +a +\d s ago +/m)
    assert.match(said, /^test\/0 +bound +c +\d s ago +/m)
  })

  it('has a command reach the right one, with an audit line in both', async function () {
    this.timeout(60_000)
    await lines(0, { stop: 'test', instance: 'c' })
    assert.ok(
      daemons[2]!
        .logged()
        .some(
          ({ msg, who, what, line }) =>
            msg === 'admin audit' && who === 'mary' && what === 'line stop' && line === 'test',
        ),
    )
    assert.ok(
      daemons[0]!
        .logged()
        .some(({ msg, who, instance }) => msg === 'admin audit' && who === 'mary' && instance === 'c'),
    )
    const has = daemons.map(({ daemon }) => daemon.readiness().then(({ ready }) => ready))
    assert.deepEqual(await Promise.all(has), [true, true, false])
    await until(async () => /^c +NOT READY .* test stopped$/m.test((await status(0)).text), 'not seen')
    assert.equal((await status(0)).code, 1)
    await lines(1, { start: 'test', instance: 'all' })
    await until(async () => (await daemons[2]!.daemon.readiness()).ready, 'not started')
    await assert.rejects(lines(0, { stop: 'test', instance: 'd' }), /404: there is no daemon 'd': a, b, c/)
    await assert.rejects(lines(0, { stop: 'none', instance: 'b' }), /404: there is no line 'none'/)
    await assert.rejects(
      lines(0, { stop: 'none', instance: 'all' }),
      /3 of 3 daemons did not do it\n +a: there is no line 'none'/,
    )
  })

  it('has a code dialled by a daemon that has the line, whoever is asked', async function () {
    this.timeout(60_000)
    const dialled = async (more: object = {}) => {
      const said: string[] = []
      const code = await testDialCommand(
        { line: 'test', code: '*123#' },
        { url: at(0), tokenFile, json: true, ...more },
        (line) => said.push(line),
      )
      const rows = JSON.parse(said.join('\n')) as { instance: string; result: string }[]
      return [code, Array.isArray(rows) ? rows.map(({ instance, result }) => `${instance} ${result}`) : rows]
    }
    assert.deepEqual(await dialled(), [0, ['a ok']])
    assert.deepEqual(await dialled({ instance: 'c' }), [0, ['c ok']])
    assert.deepEqual(await dialled({ instance: 'all' }), [0, ['a ok', 'b ok', 'c ok']])
    await lines(0, { stop: 'test' })
    assert.deepEqual(await dialled(), [0, ['b ok']])
    const [code] = await dialled({ instance: 'd' })
    assert.equal(code, 3)
    await lines(0, { start: 'test' })
    await until(async () => (await daemons[0]!.daemon.readiness()).ready, 'not started')
  })

  it('tells at debug what a night shift asks: the request, the beat, the statement, the revision', async () => {
    await status(0)
    const phone = smsc.phone('67570000001')
    await phone.dial('*123#')
    phone.hangUp()
    const told = daemons.flatMap(({ logged }) => logged())
    const line = (msg: string) => told.find((one) => one.msg === msg && one.level === 'debug') ?? {}
    const { who, method, route, status: code, subsystem } = line('admin request')
    assert.deepEqual([who, method, route, code, subsystem], ['mary', 'GET', '/v1/instances', 200, 'admin'])
    const beat = line('heartbeat written')
    assert.ok(typeof beat.lateMs === 'number' && beat.subsystem === 'fleet' && Array.isArray(beat.late))
    assert.deepEqual([line('SQL statement').subsystem, typeof line('SQL statement').ms], ['store', 'number'])
    const { flow, revision, subsystem: part, subscriber } = line('revision chosen')
    assert.deepEqual([flow, part, typeof subscriber], ['dental', 'flow', 'string'])
    assert.match(String(revision), /^dental@/)
    assert.doesNotMatch(JSON.stringify(told), /67570000001/)
  })

  it('is critical when no daemon has a line, and says so with the reason', async function () {
    this.timeout(60_000)
    await smsc.stop()
    await until(async () => /^  no daemon has line test$/m.test((await status(0)).text), 'not said')
    await until(async () => /connection-refused: ECONNREFUSED/.test((await status(0)).text), 'no reason')
    const { text, code } = await status(0)
    assert.equal(code, 2)
    assert.match(text, /^CRITICAL /)
    const raised = async () => {
      const said: string[] = []
      await alarmsCommand({ url: at(1), tokenFile }, (line) => said.push(line))
      return said.filter((line) => /^critical +line-down +test\/0 +/.test(line)).map((line) => line.split(/ {2,}/)[3])
    }
    await until(async () => (await raised()).join() === 'b,a,c', 'the alarms of the fleet are not shown')
    smsc = await startSmsc({ clock: realClock, chance: Math.random, port: smsc.port })
    await until(async () => (await status(0)).code === 0, 'not well again', 30_000)
  })

  it('has no row of a daemon that stopped in order', async () => {
    await daemons[2]!.daemon.stop()
    assert.match((await status(0)).text, /^well  2 of 2 daemons/)
  })

  it('is exit code 3 when nobody answers', async () => {
    const { code, text } = await status(0, { url: `http://127.0.0.1:${await freePort()}` })
    assert.equal(code, NO_ANSWER)
    assert.match(text, /^NO ANSWER /)
    writeFileSync(join(stage.data, 'wrong'), 'a-token-that-nobody-let-in', { mode: 0o600 })
    const refused = await status(0, { tokenFile: join(stage.data, 'wrong') })
    assert.equal(refused.code, NO_ANSWER)
    assert.match(refused.text, /^REFUSED  401: /)
  })
})
