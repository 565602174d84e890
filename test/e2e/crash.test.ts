import assert from 'node:assert/strict'
import type { Knex } from 'knex'
import { seedDental } from '../support/dental.ts'
import { startSmsc, type Smsc } from '../../src/simulator/smsc/smsc.ts'
import { realClock } from '../support/clock.ts'
import { FROZEN, newStage, settingsFor, stageTables } from '../support/daemon.ts'
import { bound, runProcess, type DaemonProcess } from '../support/process.ts'
import { T1, T5, T6, T7 } from '../support/screens.ts'
import { describeWith, until } from '../support/services.ts'
import { sqlOn } from '../../src/store/postgres/sql.ts'

describeWith(['redis', 'postgres'], 'a daemon that is killed', function () {
  this.timeout(120_000)
  const stage = newStage()
  let smsc: Smsc
  let daemon: DaemonProcess
  let knex: Knex

  const start = () =>
    runProcess(
      settingsFor(
        {
          smscPort: smsc.port,
          change: (s) => {
            s.dialogue.leaseMs = 600
            // A machine that starts the daemon slowly makes no turn a late one, which would get the busy text.
            s.dialogue.turnMs = 60_000
            s.dialogue.sweepMs = 100
            s.lines[0]!.timers.reconnectMs = 100
            s.reminders.pollMs = 100
          },
        },
        stage,
      ),
      stage.data,
      { USSD_CONNECTOR_FROZEN_CLOCK: '2025-05-01T09:00:00+10:00' },
    )

  before(async () => {
    smsc = await startSmsc({ clock: realClock, chance: Math.random })
    knex = await stageTables(stage)
    await seedDental(sqlOn(knex, { named: true }), { atMs: FROZEN })
    daemon = start()
    await bound(daemon, smsc)
  })
  after(async () => {
    daemon?.kill('SIGKILL')
    await smsc?.stop()
    await knex?.raw(`DROP SCHEMA IF EXISTS "${stage.schema}" CASCADE`)
    await knex?.destroy()
  })

  it('between two answers: the next key goes on after the restart', async () => {
    const john = smsc.phone('67570000001')
    assert.equal((await john.dial('*123#')).text, T1)
    await john.answer('2')
    assert.equal((await john.answer('2')).text, T5)
    daemon.kill('SIGKILL')
    await daemon.exited
    daemon = start()
    await bound(daemon, smsc)
    assert.equal((await john.answer('1')).text, T6)
  })

  it('while the confirmation is under way: one booking, one screen, one SMS', async () => {
    const john = smsc.phone('67570000001')
    john.skipRepeats = true
    john.type('1')
    daemon.kill('SIGKILL')
    await daemon.exited
    daemon = start()
    await bound(daemon, smsc)
    assert.equal((await john.next(15_000)).text, T7)
    const { rows } = await knex.raw(`SELECT count(*)::int AS n FROM dental_appointment WHERE msisdn = '67570000001'`)
    assert.equal(rows[0].n, 3, 'two seeded ones and the new one')
    const sms = await john.sms(15_000)
    assert.match(sms.text, /Checkup at Koki Dental Clinic/)
    assert.equal(john.inbox.length, 1)
  })

  it('stopped by SIGTERM: what is owed is answered, new dials are turned away, exit code 0, and an open dialogue goes on', async () => {
    const mary = smsc.phone('67570000002')
    await mary.dial('*123#')
    smsc.chaos.add({ on: 'submit_sm', lane: 'ussd', times: 1, act: { is: 'delay', ms: 3_000 } })
    const john = await smsc.phone('67570000001').dial('*123#')
    daemon.kill('SIGTERM')
    await until(() => daemon.output().some((line) => line.includes('"stopping"')), 'it does not say that it stops')
    const late = await smsc.phone('67570000077').dial('*123#')
    assert.deepEqual([john.open, late.text, late.open], [true, 'Service busy. Please try again later.', false])
    assert.equal(await daemon.exited, 0)
    assert.equal(smsc.binds().length, 0)
    daemon = start()
    await bound(daemon, smsc)
    assert.equal((await mary.answer('4')).open, false)
  })

  it('left no number in its log', () => {
    assert.equal(daemon.output().join('\n').includes('6757000'), false)
  })
})
