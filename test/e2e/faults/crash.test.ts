import assert from 'node:assert/strict'
import { seedDental } from '../../support/dental.ts'
import { FROZEN } from '../../support/daemon.ts'
import { ProcessStage, soonTakenOver } from '../../support/process-stage.ts'
import { T1, T5, T6, T7 } from '../../support/screens.ts'
import { describeWith, until } from '../../support/services.ts'
import { sqlOn } from '../../../src/store/postgres/sql.ts'

describeWith(['redis', 'postgres'], 'a daemon that is killed', function () {
  this.timeout(120_000)
  const on = new ProcessStage((settings) => {
    soonTakenOver(settings)
    settings.reminders.pollMs = 100
  })
  const started = () => on.startBound({ USSD_CONNECTOR_FROZEN_CLOCK: '2025-05-01T09:00:00+10:00' })

  before(async () => {
    await on.open()
    await seedDental(sqlOn(on.knex, { named: true }), { atMs: FROZEN })
    await started()
  })
  after(() => on.close())

  it('between two answers: the next key goes on after the restart', async () => {
    const john = on.smsc.phone('67570000001')
    assert.equal((await john.dial('*123#')).text, T1)
    await john.answer('2')
    assert.equal((await john.answer('2')).text, T5)
    await on.kill()
    await started()
    assert.equal((await john.answer('1')).text, T6)
  })

  it('while the confirmation is under way: one booking, one screen, one SMS', async () => {
    const john = on.smsc.phone('67570000001')
    john.skipRepeats = true
    john.type('1')
    await on.kill()
    await started()
    assert.equal((await john.next(15_000)).text, T7)
    const { rows } = await on.knex.raw(`SELECT count(*)::int AS n FROM dental_appointment WHERE msisdn = '67570000001'`)
    assert.equal(rows[0].n, 3, 'two seeded ones and the new one')
    const sms = await john.sms(15_000)
    assert.match(sms.text, /Checkup at Koki Dental Clinic/)
    assert.equal(john.inbox.length, 1)
  })

  it('stopped by SIGTERM: what is owed is answered, new dials are turned away, exit code 0, and an open dialogue goes on', async () => {
    const mary = on.smsc.phone('67570000002')
    await mary.dial('*123#')
    on.smsc.chaos.add({ on: 'submit_sm', lane: 'ussd', times: 1, act: { is: 'delay', ms: 3_000 } })
    const john = await on.smsc.phone('67570000001').dial('*123#')
    on.daemon.kill('SIGTERM')
    await until(() => on.daemon.output().some((line) => line.includes('"stopping"')), 'it does not say that it stops')
    const late = await on.smsc.phone('67570000077').dial('*123#')
    assert.deepEqual([john.open, late.text, late.open], [true, 'Service busy. Please try again later.', false])
    assert.equal(await on.daemon.exited, 0)
    assert.equal(on.smsc.binds().length, 0)
    await started()
    assert.equal((await mary.answer('4')).open, false)
  })

  it('left no number in its log', () => {
    assert.equal(on.daemon.output().join('\n').includes('6757000'), false)
  })
})
