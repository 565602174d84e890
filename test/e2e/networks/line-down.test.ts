import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { linesCommand, type LinesOptions } from '../../../src/cli/commands/lines.ts'
import type { BindState } from '../../../src/admin/index.ts'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { realClock } from '../../support/clock.ts'
import { stageDaemon, type Staged } from '../../support/daemon.ts'
import { describeWith, freePort, until } from '../../support/services.ts'
import { ALL_ROLES, letIn } from '../../support/tokens.ts'

const TOKEN = 'operating-token-of-a-test'
const REMEDY = /nothing listens there/

describeWith(['redis', 'postgres'], 'a line of two that is down', () => {
  let smsc: Smsc
  let staged: Staged
  let peer: string
  let url: string
  const get = (path: string) => fetch(`${url}${path}`, { headers: { authorization: `Bearer ${TOKEN}` } })
  const ready = async () =>
    (await (await get('/ready')).json()) as { ready: boolean; lines: Record<string, BindState[]> }
  const figures = async () =>
    [...(await (await get('/metrics')).text()).matchAll(/^smpp_bind_(?:up|standby)\{.*$/gm)].map(String).toSorted()
  const lines = async (more: Partial<LinesOptions> = {}) => {
    const said: string[] = []
    await linesCommand({ url, tokenFile: join(staged.settings.data, 'token'), ...more }, (text) => said.push(text))
    return said.join('\n')
  }
  const north = async () => (await ready()).lines.north![0]!

  before(async function () {
    this.timeout(60_000)
    smsc = await startSmsc({ clock: realClock, chance: Math.random })
    const port = await freePort()
    peer = `127.0.0.1:${port}`
    staged = await stageDaemon({
      smscPort: smsc.port,
      change: (settings) => {
        const [south] = settings.lines
        Object.assign(south!, { name: 'south' })
        Object.assign(south!.timers, { reconnectMs: 20, reconnectMaxMs: 40 })
        settings.lines.push({ ...structuredClone(south!), name: 'north', smsc: { ...south!.smsc, port } })
        letIn(settings, { token: TOKEN, roles: ALL_ROLES, name: 'tester' })
        writeFileSync(join(settings.data, 'token'), TOKEN, { mode: 0o600 })
      },
    })
    url = `http://127.0.0.1:${staged.daemon.admin.port}`
    await until(async () => ((await north()).tries ?? 0) >= 10, 'not tried')
  })
  after(async () => {
    await staged?.close()
    await smsc?.stop()
  })

  it('is named in /ready, with reason, peer, remedy and since when, however often it was tried; the daemon is ready all the same', async () => {
    const first = await north()
    assert.deepEqual([first.peer, first.why, first.detail], [peer, 'connection-refused', 'ECONNREFUSED'])
    assert.match(first.remedy!, REMEDY)
    await until(async () => (await north()).tries! >= first.tries! + 5, 'not tried again')
    const later = await north()
    assert.equal(later.since, first.since, 'of the outage, not of the last try')
    const {
      ready: isReady,
      lines: { south },
    } = await ready()
    assert.equal(isReady, true)
    assert.deepEqual(
      [south![0]!.state, south![0]!.peer, south![0]!.why],
      ['bound', `127.0.0.1:${smsc.port}`, undefined],
    )
  })

  it('is named by `ussd-connector lines`, with the next try and with what to do', async () => {
    let [said, row] = ['', '']
    // Between two tries: while it is tried there is no next one.
    const NEXT = /^north\/0 +waiting +\S+ +now +\S+Z +\d{4}-\S+Z /
    await until(async () => {
      said = await lines()
      row = said.split('\n').find((one) => one.startsWith('north/0'))!
      return NEXT.test(row)
    }, 'no next try')
    const why = 'connection-refused: ECONNREFUSED, \\d+ tries'
    assert.match(row, new RegExp(` now +${(await north()).since} +\\S+Z +${peer} +north +standard +${why}$`))
    assert.match(said, REMEDY)
  })

  it('is 0 in smpp_bind_up; one that an operator stops is not there', async () => {
    const all = await figures()
    assert.deepEqual(all, [
      'smpp_bind_standby{line="north",bind="north/0"} 0',
      'smpp_bind_standby{line="south",bind="south/0"} 0',
      'smpp_bind_up{line="north",bind="north/0"} 0',
      'smpp_bind_up{line="south",bind="south/0"} 1',
    ])
    await fetch(`${url}/v1/lines/north/stop`, { method: 'POST', headers: { authorization: `Bearer ${TOKEN}` } })
    assert.deepEqual(
      await figures(),
      all.filter((one) => one.includes('south')),
    )
    await fetch(`${url}/v1/lines/north/start`, { method: 'POST', headers: { authorization: `Bearer ${TOKEN}` } })
    assert.deepEqual(await figures(), all)
  })

  it('is stopped in /ready when an operator stopped it; when no line can serve, the daemon is not ready', async () => {
    const change = (line: string, verb: string) =>
      fetch(`${url}/v1/lines/${line}/${verb}`, { method: 'POST', headers: { authorization: `Bearer ${TOKEN}` } })
    await change('north', 'stop')
    const stopped = (await (await get('/ready')).json()) as { ready: boolean; stopped: string[] }
    assert.deepEqual([stopped.ready, stopped.stopped], [true, ['north']])
    await change('south', 'stop')
    assert.equal((await get('/ready')).status, 503)
    await change('south', 'start')
    await change('north', 'start')
    await until(async () => (await get('/ready')).status === 200, 'not ready again')
  })

  it('has a history: what, when, why, for how long, and in which daemon', async () => {
    const { name } = staged.daemon
    let said = ''
    await until(async () => /started/.test((said = await lines({ history: 'north' }))), 'not written')
    const rows = said.split('\n').slice(1).toReversed()
    assert.match(rows[0]!, new RegExp(`^\\S+Z  ${name}  north/0 +down +${peer}  connection-refused: ECONNREFUSED  1$`))
    assert.match(rows[1]!, /  north +stopped$/)
    assert.match(rows[2]!, /  north +started$/)
    // It is bound again a moment after it was started.
    const isUp = /^AT .*\n\S+Z  \S+  south\/0 +up +\d+ s/
    await until(async () => isUp.test(await lines({ history: 'south', last: 1 })), 'not up again')
    assert.match(await lines({ history: 'none' }), /no events/)
  })

  it('is counted by why; the version that runs has a metric, by the name of the daemon', async () => {
    const page = await (await get('/metrics')).text()
    assert.match(page, /^smpp_connect_failures_total\{line="north",why="connection-refused"\} \d+$/m)
    assert.match(
      page,
      new RegExp(
        `^build_info\\{version="[\\d.]+",node="${process.versions.node}",instance="${staged.daemon.name}"\\} 1$`,
        'm',
      ),
    )
  })

  it('is one warning an outage, however often it is tried', async () => {
    // One at first, one after each start.
    await until(async () => ((await north()).tries ?? 0) >= 5, 'not tried')
    const ofLines = staged.logged().filter((one) => 'bind' in one || 'link' in one)
    const loud = ofLines.filter(({ level }) => level === 'warn' || level === 'error')
    assert.deepEqual(
      loud.map(({ msg, why }) => [msg, why]),
      Array.from({ length: 3 }, () => ['the bind is down', 'connection-refused']),
    )
  })
})
