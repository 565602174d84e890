/**
 * A turn whose back end's answer kills whoever plays it: it is asked for three times, by three daemons, and then ends.
 */
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Knex } from 'knex'
import { startSmsc, type Smsc } from '../../src/simulator/smsc/smsc.ts'
import { realClock } from '../support/clock.ts'
import { newStage, settingsFor, stageTables } from '../support/daemon.ts'
import { bound, runProcess, type DaemonProcess } from '../support/process.ts'
import { describeWith } from '../support/services.ts'

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
  const stage = newStage()
  const asked = join(stage.data, 'asked')
  let smsc: Smsc
  let daemon: DaemonProcess
  let knex: Knex

  const start = () =>
    runProcess(
      settingsFor(
        {
          smscPort: smsc.port,
          change: (s) => {
            s.flows = { ...s.flows, dir: join(stage.data, 'flows'), reloadMs: 0 }
            s.services = [{ code: '*150#', flow: 'deadly' }]
            s.backends = { deadly: { module: join(stage.data, 'deadly.mjs'), settings: {} } }
            s.dialogue.leaseMs = 600
            // No turn ends because it is late: what ends it is how often it was taken over.
            s.dialogue.turnMs = 60_000
            s.dialogue.sweepMs = 100
            s.lines[0]!.timers.reconnectMs = 100
          },
        },
        stage,
      ),
      stage.data,
    )

  before(async () => {
    mkdirSync(join(stage.data, 'flows'))
    writeFileSync(join(stage.data, 'flows', 'deadly.yaml'), FLOW)
    writeFileSync(
      join(stage.data, 'deadly.mjs'),
      `import { appendFileSync } from 'node:fs'
export const backend = () => ({ operations: { async balance() {
  appendFileSync(${JSON.stringify(asked)}, 'asked\\n')
  process.kill(process.pid, 'SIGKILL')
  await new Promise(() => {})
} } })
`,
    )
    smsc = await startSmsc({ clock: realClock, chance: Math.random })
    knex = await stageTables(stage)
    daemon = start()
    await bound(daemon, smsc)
  })
  after(async () => {
    daemon?.kill('SIGKILL')
    await smsc?.stop()
    await knex?.raw(`DROP SCHEMA IF EXISTS "${stage.schema}" CASCADE`)
    await knex?.destroy()
  })

  it('is asked for by three daemons, and by the fourth no more: it says so, and the subscriber reads the busy text', async () => {
    const john = smsc.phone('67570000001')
    assert.match((await john.dial('*150#')).text, /^Hello/)
    john.type('1')
    for (let death = 1; death <= 3; death++) {
      await daemon.exited
      daemon = start()
    }
    const last = await john.next(60_000)
    assert.deepEqual([last.text, last.open], ['Service busy. Please try again later.', false])
    assert.equal(readFileSync(asked, 'utf8'), 'asked\n'.repeat(3))
    assert.ok(
      daemon
        .output()
        .some((line) => line.includes('turn given up after repeated take-overs') && line.includes('"takeovers":3')),
    )
    assert.match((await john.dial('*150#')).text, /^Hello/, 'the daemon lives on')
  })
})
