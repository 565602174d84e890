/**
 * A dial whose step kills whoever evaluates it, before anything is stored: the SMSC delivers it again, but it does not
 * kill daemon after daemon for ever.
 */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ProcessStage, soonTakenOver } from '../../support/process-stage.ts'
import { describeWith, until } from '../../support/services.ts'

/** One language, no back end: its first turn awaits nothing. */
const FLOW = `flow: deadly
spec: 1
start: main
languages: [en]
screens:
  main: { end: Hello }
`

describeWith(['redis', 'postgres'], 'a step that kills the daemon', function () {
  this.timeout(180_000)
  const dies = { USSD_CONNECTOR_FAILPOINTS: 'in-step=1' }
  const on = new ProcessStage((settings) => {
    soonTakenOver(settings)
    settings.flows = { ...settings.flows, dir: join(on.stage.data, 'flows'), reloadMs: 0 }
    settings.services = [{ code: '*150#', flow: 'deadly' }]
    settings.backends = {}
  })

  before(async () => {
    mkdirSync(join(on.stage.data, 'flows'))
    writeFileSync(join(on.stage.data, 'flows', 'deadly.yaml'), FLOW)
    await on.open({ screenMs: 150_000, deliveries: { attemptsMax: 100 } })
    await on.startBound(dies)
  })
  after(() => on.close())

  it('is stored from the second daemon on, given up by the fifth at the latest, and the subscriber reads the busy text', async () => {
    const shown = on.smsc.phone('67570000001').dial('*150#')
    let deaths = 0
    for (;;) {
      const last = await Promise.race([shown, on.daemon.exited.then(() => null)])
      if (last) {
        assert.deepEqual([last.text, last.open], ['Service busy. Please try again later.', false])
        break
      }
      assert.ok(++deaths <= 4, 'it kills daemon after daemon')
      on.start(dies)
    }
    // Where a start is slow, one daemon takes the turn over twice.
    assert.ok(deaths >= 2, `${deaths} daemons died`)
    const given = () => on.daemon.output().filter((line) => line.includes('turn given up after repeated take-overs'))
    // It comes by another way than the text, which may be faster.
    await until(() => given().length > 0, 'the daemon does not say that it gave the turn up')
    assert.equal(given().length, 1)
    assert.equal(on.daemon.child.exitCode, null, 'the daemon lives on')
  })
})
