/**
 * A turn whose back end's answer kills whoever plays it: it is asked for three times, by three daemons, and then ends.
 */
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ProcessStage, soonTakenOver } from '../../support/process-stage.ts'
import { describeWith } from '../../support/services.ts'

const FLOW = `flow: deadly
spec: 1
start: main
languages: [en]
screens:
  main: { menu: Hello, choices: [{ label: Balance, to: ask }] }
  ask: { call: deadly.balance, to: shown }
  shown: { end: 'Here it is' }
`

describeWith(['redis', 'postgres'], 'an answer that kills the daemon', function () {
  this.timeout(120_000)
  const on = new ProcessStage((settings) => {
    soonTakenOver(settings)
    settings.flows = { ...settings.flows, dir: join(on.stage.data, 'flows'), reloadMs: 0 }
    settings.services = [{ code: '*150#', flow: 'deadly' }]
    settings.backends = { deadly: { module: join(on.stage.data, 'deadly.mjs'), concurrent: 50, settings: {} } }
  })
  const asked = join(on.stage.data, 'asked')

  before(async () => {
    mkdirSync(join(on.stage.data, 'flows'))
    writeFileSync(join(on.stage.data, 'flows', 'deadly.yaml'), FLOW)
    writeFileSync(
      join(on.stage.data, 'deadly.mjs'),
      `import { appendFileSync } from 'node:fs'
export const backend = () => ({ operations: { async balance() {
  appendFileSync(${JSON.stringify(asked)}, 'asked\\n')
  process.kill(process.pid, 'SIGKILL')
  await new Promise(() => {})
} } })
`,
    )
    await on.open()
    await on.startBound()
  })
  after(() => on.close())

  it('is asked for by three daemons, and by the fourth no more: it says so, and the subscriber reads the busy text', async () => {
    const john = on.smsc.phone('67570000001')
    assert.match((await john.dial('*150#')).text, /^Hello/)
    john.type('1')
    for (let death = 1; death <= 3; death++) {
      await on.daemon.exited
      on.start()
    }
    const last = await john.next(60_000)
    assert.deepEqual([last.text, last.open], ['Service busy. Please try again later.', false])
    assert.equal(readFileSync(asked, 'utf8'), 'asked\n'.repeat(3))
    assert.ok(
      on.daemon
        .output()
        .some((line) => line.includes('turn given up after repeated take-overs') && line.includes('"takeovers":3')),
    )
    assert.match((await john.dial('*150#')).text, /^Hello/, 'the daemon lives on')
  })
})
