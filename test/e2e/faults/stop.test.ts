import assert from 'node:assert/strict'
import { seedDental } from '../../support/dental.ts'
import { sqlOn } from '../../../src/store/postgres/sql.ts'
import { FROZEN } from '../../support/daemon.ts'
import { ProcessStage } from '../../support/process-stage.ts'
import { describeWith, until } from '../../support/services.ts'

const DIALS = 30
const SLOTS = 10

describeWith(['redis', 'postgres'], 'a daemon that is stopped while the SMSC answers no submit_sm', function () {
  // Half of what a reply may take: who waits for one is too late.
  this.timeout(40_000)
  const on = new ProcessStage((settings) => {
    settings.stopMs = 1_000
    settings.dialogue.turnMs = 60_000
  })

  before(async () => {
    await on.open({ screenMs: 60_000 })
    await seedDental(sqlOn(on.knex, { named: true }), { atMs: FROZEN })
    await on.startBound()
  })
  after(() => on.close())

  it('waits for no response that is longer than stopMs: exit code 0, and unbound', async () => {
    on.smsc.chaos.add({ on: 'submit_sm', lane: 'ussd', act: { is: 'drop-response' } })
    const phones = Array.from({ length: DIALS }, (_, n) => on.smsc.phone(String(67_578_000_000 + n)))
    for (const phone of phones) phone.dial(phone.msisdn.endsWith('5') ? '*999#' : '*123#').catch(() => undefined)
    await until(() => phones.filter(({ screen }) => screen).length === SLOTS, 'no screens')
    on.daemon.kill('SIGTERM')
    assert.equal(await on.daemon.exited, 0)
    assert.ok(on.daemon.output().some((line) => line.includes('"stopped"')))
    assert.equal(on.smsc.binds().length, 0)
  })
})
