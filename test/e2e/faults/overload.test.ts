import assert from 'node:assert/strict'
import { stageDaemon, type Staged } from '../../support/daemon.ts'
import { foreignSmsc } from '../../support/foreign-smsc.ts'
import { T1, T2, T4 } from '../../support/screens.ts'
import { describeWith, until } from '../../support/services.ts'

const JOHN = '67570000001'
const BUSY = 'Service busy. Please try again later.'
const UNAVAILABLE = 'This service is not available.'

describeWith(['redis', 'postgres'], 'overload, with manners', () => {
  let smsc: Awaited<ReturnType<typeof foreignSmsc>>
  let staged: Staged
  const dropped = () => staged.daemon.metrics.value('ussd_messages_total', { result: 'too-fast' })

  before(async () => {
    smsc = await foreignSmsc()
    staged = await stageDaemon({
      smscPort: smsc.port,
      change: (settings) => {
        settings.dialogue.perSubscriber = { perSecond: 5, burst: 10 }
        settings.dialogue.openMax = 3
        // No sweep helps within a test: who hangs up makes room at once.
        settings.dialogue.sweepMs = 10_000
        settings.lines[0]!.msisdn.allow = ['675']
        settings.lines[0]!.msisdn.deny = ['67579']
      },
    })
  })
  after(async () => {
    await staged?.close()
    smsc?.stop()
  })

  it('a flood from one number is acknowledged and dropped; the dialogue of another goes on', async () => {
    const john = smsc.phone(JOHN)
    assert.equal((await john.dial('*123#')).text, T1)
    for (let dials = 0; dials < 300; dials++)
      smsc
        .phone('67570000009')
        .dial('*123#')
        .catch(() => undefined)
    assert.equal((await john.answer('1')).text, T2)
    assert.equal((await john.answer('3')).text, T1)
    await until(async () => (await dropped()) >= 200, 'nothing was dropped')
    assert.equal((await john.answer('2')).text, T4)
    await john.hangUp()
    // Each dial replaced the one before; the last ends as soon as its number may speak again.
    const { dialogues } = staged.daemon.stores
    const flooder = smsc.phone('67570000009')
    await until(async () => (await flooder.hangUp(), (await dialogues.count()) === 0), 'a dialogue hangs')
    assert.equal(await staged.daemon.metrics.value('limits_total', { limit: 'subscriber_rate' }), await dropped())
  })

  it('over the cap new dialogues get a text; those that are open go on', async () => {
    const open = ['67570000021', '67570000022', '67570000023'].map((msisdn) => smsc.phone(msisdn))
    for (const phone of open) assert.equal((await phone.dial('*123#')).op, 2)
    const late = await smsc.phone('67570000024').dial('*123#')
    assert.deepEqual([late.text, late.op], [BUSY, 17])
    assert.equal((await open[0]!.answer('7')).op, 2)
    for (const phone of open) await phone.hangUp()
    const next = smsc.phone('67570000024')
    assert.equal((await next.dial('*123#')).op, 2)
    await next.hangUp()
  })

  it('a number that may not dial gets a text that says so, and no dialogue', async () => {
    for (const msisdn of ['67579000001', '4915100000001']) {
      const screen = await smsc.phone(msisdn).dial('*123#')
      assert.deepEqual([screen.text, screen.op], [UNAVAILABLE, 17])
    }
    assert.equal(await staged.daemon.metrics.value('ussd_messages_total', { result: 'not-allowed' }), 2)
    assert.equal(await staged.daemon.stores.dialogues.find({ group: 'test', msisdn: '67579000001' }), null)
  })
})
