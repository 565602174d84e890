import assert from 'node:assert/strict'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { realClock } from '../../support/clock.ts'
import { stageDaemon, type Staged } from '../../support/daemon.ts'
import { describeWith, until } from '../../support/services.ts'
import { T1, T3, T1_MARY } from '../../support/screens.ts'

describeWith(['redis', 'postgres'], 'lines and binds', () => {
  let one: Smsc
  let two: Smsc
  let staged: Staged

  before(async function () {
    one = await startSmsc({ clock: realClock, chance: Math.random })
    two = await startSmsc({ clock: realClock, chance: Math.random })
    staged = await stageDaemon({
      smscPort: one.port,
      change: (settings) => {
        const [line] = settings.lines
        line!.timers.reconnectMs = 50
        settings.lines = [
          { ...line!, name: 'pair', bind: 'pair', links: 2 },
          { ...line!, name: 'other', smsc: { ...line!.smsc, port: two.port } },
        ]
        settings.services.push({ code: '*124#', flow: 'dental', lines: ['other'] })
      },
    })
    await one.bound(4)
    await two.bound(1)
  })
  after(async () => {
    await staged?.close()
    await one?.stop()
    await two?.stop()
  })

  it('a pair: dialogues come on receivers, replies leave on transmitters', async () => {
    assert.deepEqual(
      one
        .binds()
        .map((bind) => bind.mode)
        .toSorted(),
      ['receiver', 'receiver', 'transmitter', 'transmitter'],
    )
    const mary = one.phone('67570000002')
    assert.equal((await mary.dial('*123#')).text, T1_MARY)
    assert.equal((await mary.answer('1')).text, T3)
    mary.hangUp()
  })

  it('two SMSCs: one subscriber may hold a dialogue on each, and a code may belong to one line', async () => {
    const [here, there] = [one.phone('67570000001'), two.phone('67570000001')]
    assert.equal((await here.dial('*123#')).text, T1)
    assert.equal((await there.dial('*124#')).text, T1)
    assert.equal((await here.answer('9')).text.split('\n')[0], 'Invalid choice. Please try again:')
    assert.equal((await there.answer('4')).open, false)
    assert.equal((await here.answer('4')).open, false)
    assert.equal((await one.phone('67570000001').dial('*124#')).text, 'This service is not available.')
  })

  it('an SMSC that unbinds and closes everything gets its binds back, and the other line never notices', async function () {
    one.peers().forEach((peer) => peer.close())
    assert.equal((await two.phone('67570000002').dial('*123#')).text, T1_MARY)
    await one.bound(4, 10_000)
    await until(async () => (await staged.daemon.readiness()).ready, 'not ready again')
    assert.equal((await one.phone('67570000002').dial('*123#')).text, T1_MARY)
  })
})
