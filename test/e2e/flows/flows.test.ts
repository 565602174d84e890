import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { realClock } from '../../support/clock.ts'
import { newStage, stageDaemon, type Staged } from '../../support/daemon.ts'
import { describeWith, until } from '../../support/services.ts'

const flow = (title: string) => `flow: prices
spec: 1
start: main
languages: [en]
screens:
  main: { menu: ${title}, choices: [{ label: Rice, to: rice }, { label: News, to: news }] }
  rice: { menu: ${title} rice, choices: [{ label: Menu, to: main }, { label: Bye, to: bye }] }
  news: { notify: ${title} news, to: rice }
  bye: { end: Bye from ${title} }
`

describeWith(['redis', 'postgres'], 'flows that change while they are served', () => {
  const stage = newStage()
  const folder = mkdtempSync(join(tmpdir(), 'ussd-flows-'))
  const write = (source: string) => writeFileSync(join(folder, 'prices.yaml'), source)
  let smsc: Smsc
  let staged: Staged

  const start = () =>
    stageDaemon({
      smscPort: smsc.port,
      with: stage,
      change: (settings) => {
        settings.flows = { ...settings.flows, dir: folder, reloadMs: 50 }
        settings.services = [{ code: '*200#', flow: 'prices' }]
        settings.lines[0]!.timers.reconnectMs = 50
        settings.stopMs = 0
      },
    })
  const inForce = () => staged.daemon.readiness().then((state) => JSON.stringify(state.parts.flows))

  before(async () => {
    write(flow('Monday'))
    smsc = await startSmsc({ clock: realClock, chance: Math.random })
    staged = await start()
    await smsc.bound(1)
  })
  after(async () => {
    await staged?.daemon.stores.knex.raw(`DROP SCHEMA IF EXISTS "${stage.schema}" CASCADE`)
    await staged?.close()
    await smsc?.stop()
    rmSync(folder, { recursive: true, force: true })
    rmSync(stage.data, { recursive: true, force: true })
  })

  it('a dialogue finishes on the revision that it began with, new dials get the new one, also over a restart', async function () {
    const [early, late] = [smsc.phone('67570000001'), smsc.phone('67570000002')]
    assert.match((await early.dial('*200#')).text, /^Monday\n/)
    const before = await inForce()
    write(flow('Tuesday'))
    await until(async () => (await inForce()) !== before, 'the new file is not taken')
    assert.match((await late.dial('*200#')).text, /^Tuesday\n/)
    assert.match((await early.answer('1')).text, /^Monday rice\n/)
    await staged.close()
    staged = await start()
    await smsc.bound(1)
    assert.match((await early.answer('1')).text, /^Monday\n/, 'from the archive: its file is long gone')
    assert.match((await late.answer('1')).text, /^Tuesday rice\n/)
    await early.answer('1')
    assert.equal((await early.answer('2')).text, 'Bye from Monday')
    late.hangUp()
  })

  it('a broken file changes nothing, says why, and is counted', async () => {
    write(flow('Wednesday').replace('to: bye', 'to: bey'))
    const refused = () => staged.daemon.metrics.value('flow_reloads_total', { flow: 'prices', result: 'refused' })
    await until(async () => (await refused()) === 1, 'not refused')
    const said = staged
      .logged()
      .filter((line) => line.msg === 'flow problem')
      .at(-1)!
    assert.match(
      `${String(said.where)} ${String(said.what)} ${String(said.remedy)}`,
      /prices\.yaml:\d+:\d+ .*'bey'.*did you mean 'bye'/,
    )
    const phone = smsc.phone('67570000003')
    assert.match((await phone.dial('*200#')).text, /^Tuesday\n/)
    phone.hangUp()
  })

  it('a notice is acknowledged by the handset, and the dialogue goes on', async () => {
    const phone = smsc.phone('67570000004')
    await phone.dial('*200#')
    const notice = await phone.answer('2')
    assert.deepEqual([notice.text, notice.action], ['Tuesday news', 'notify'])
    assert.match((await phone.next()).text, /^Tuesday rice\n/)
    phone.hangUp()
  })
})
