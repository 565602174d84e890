/** Alarms of a whole daemon: a line that is down reaches a web-hook, with no monitoring system beside it. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { alarmsCommand, type AlarmsOptions } from '../../../src/cli/commands/alarms.ts'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { stub, type Stub } from '../../backend/contracts/stub.ts'
import { realClock } from '../../support/clock.ts'
import { stageDaemon, type Staged } from '../../support/daemon.ts'
import { describeWith, freePort, until } from '../../support/services.ts'
import { ALL_ROLES, letIn } from '../../support/tokens.ts'

const TOKEN = 'operating-token-of-a-test'

describeWith(['redis', 'postgres'], 'alarms of a daemon', () => {
  let smsc: Smsc
  let hook: Stub
  let staged: Staged
  let port: number
  const heard = () => hook.heard.map(({ body }) => JSON.parse(body) as Record<string, string>)
  const said = () => heard().map(({ is, alarm, subject }) => `${is} ${alarm} ${subject}`)
  const alarms = async (more: Partial<AlarmsOptions> = {}) => {
    const lines: string[] = []
    const url = `http://127.0.0.1:${staged.daemon.admin.port}`
    await alarmsCommand({ url, tokenFile: join(staged.settings.data, 'token'), ...more }, (line) => lines.push(line))
    return lines.join('\n')
  }

  before(async function () {
    this.timeout(60_000)
    smsc = await startSmsc({ clock: realClock, chance: Math.random })
    hook = await stub()
    hook.says((_, response) => void response.writeHead(204).end())
    port = await freePort()
    staged = await stageDaemon({
      smscPort: smsc.port,
      change: (settings) => {
        const [south] = settings.lines
        Object.assign(south!, { name: 'south' })
        settings.lines.push({ ...structuredClone(south!), name: 'north', smsc: { ...south!.smsc, port } })
        mkdirSync(settings.data, { recursive: true })
        const secret = (name: string, text: string) => {
          writeFileSync(join(settings.data, name), text, { mode: 0o600 })
          return join(settings.data, name)
        }
        secret('token', TOKEN)
        letIn(settings, { token: TOKEN, roles: ALL_ROLES, name: 'mary' })
        const keyFile = secret('key', 'gie4aiPh8Ohx3eeWoo9e')
        // The three minutes and the minute, in a second: nothing else waits here.
        settings.alarms = { afterMs: 1_000, overMs: 1_000, certificateDays: 21, hook: hookOf(hook.url, keyFile) }
      },
    })
  })
  const hookOf = (url: string, keyFile: string) => ({ url, keyFile, timeoutMs: 5_000, giveUpMs: 60_000 })
  after(async () => {
    await staged?.close()
    await smsc?.stop()
    await hook?.close()
  })

  it('try the web-hook on request', async () => {
    assert.match(await alarms({ test: true }), /^sent/)
    await until(() => said().length === 2, 'not heard')
    assert.deepEqual(said(), ['raised test test', 'over test test'])
    hook.heard.length = 0
  })

  it('tell a line that is down, with why and what to do; then that it is over', async function () {
    this.timeout(60_000)
    assert.match(
      await alarms({ silence: '1h', line: 'south', reason: 'works on the mast' }),
      /^SILENCE  LINE +UNTIL +BY +NOTE\n1 +south +\S+Z  mary  works on the mast$/,
    )
    await until(() => said().length === 1, 'no alarm')
    const [{ why, remedy, instance, severity }] = heard() as [Record<string, string>]
    assert.equal(why, `127.0.0.1:${port}: connection-refused: ECONNREFUSED`)
    assert.match(remedy!, /nothing listens there/)
    assert.deepEqual([instance, severity], [staged.daemon.name, 'critical'])
    const shown = await alarms()
    assert.match(
      shown,
      /^SEVERITY +ALARM +SUBJECT +DAEMON +SINCE +WHY\ncritical +line-down +north\/0 +\S+ +\S+Z  .*connection-refused/,
    )
    assert.match(shown, /^line-down north\/0: .*nothing listens there/m)
    assert.match(shown, /^SILENCE  LINE .*\n1 +south/m)
    // South is down, too, but somebody works there.
    await smsc.stop()
    await until(async () => /^critical \(silenced\) .*south\/0/m.test(await alarms()), 'not held back')
    assert.deepEqual(said(), ['raised line-down north/0'])
    assert.equal(await alarms({ end: '1' }), 'ended')
    await until(() => said().length === 2, 'no alarm after the silence')
    smsc = await startSmsc({ clock: realClock, chance: Math.random, port })
    await until(() => said().includes('over line-down north/0'), 'not over', 40_000)
    assert.equal(said().filter((one) => one.startsWith('over')).length, 1)
  })

  it('refuse a silence that is no duration, too long, or of no line', async () => {
    for (const silence of ['soon', '8d', '0m'])
      await assert.rejects(alarms({ silence }), /is not a duration up to a week/)
    await assert.rejects(alarms({ silence: '1h', line: 'west' }), /there is no line 'west'/)
    await assert.rejects(alarms({ end: '77' }), /there is no silence 77/)
  })

  it('are a metric', async () => {
    const page = await staged.daemon.metrics.registry.metrics()
    assert.match(page, /^alarms\{alarm="line-down",subject="south\/0"\} 1$/m)
  })
})
