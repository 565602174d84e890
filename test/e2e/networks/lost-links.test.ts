import assert from 'node:assert/strict'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { realClock } from '../../support/clock.ts'
import { stageDaemon, type Staged } from '../../support/daemon.ts'
import { T1, T2 } from '../../support/screens.ts'
import { describeWith } from '../../support/services.ts'

/** More than two rounds of two writes. */
const LOST = 6

describeWith(['redis', 'postgres'], 'an SMSC that drops the link at every screen for a while', () => {
  let smsc: Smsc
  let staged: Staged
  before(async () => {
    smsc = await startSmsc({ clock: realClock, chance: Math.random, screenMs: 30_000 })
    staged = await stageDaemon({
      smscPort: smsc.port,
      change: ({ dialogue, lines }) => {
        Object.assign(dialogue, { confirmMs: 200, sweepMs: 50 })
        Object.assign(lines[0]!.timers, { reconnectMs: 100, reconnectMaxMs: 100 })
      },
    })
    await smsc.bound(1)
  })
  after(async () => {
    await staged?.close()
    await smsc?.stop()
  })
  const drop = () =>
    smsc.chaos.add({ on: 'submit_sm', lane: 'ussd', times: LOST, act: { is: 'close', when: 'before' } })

  it('gets the next screen and the last one in the end, however often they were lost', async function () {
    this.timeout(60_000)
    const phone = smsc.phone('67570000001')
    phone.skipRepeats = true
    assert.equal((await phone.dial('*123#')).text, T1)
    drop()
    assert.equal((await phone.answer('1')).text, T2)
    assert.equal((await phone.answer('3')).text, T1)
    drop()
    assert.equal((await phone.answer('4')).text, 'Thank you. Goodbye.')
  })
})
