import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { realClock } from '../../support/clock.ts'
import { stageDaemon, type Staged } from '../../support/daemon.ts'
import { describeWith, until } from '../../support/services.ts'
import { T1, T2, T4, T5, T6, T7 } from '../../support/screens.ts'

const BUSY = 'Service busy. Please try again later.'
const JOHN = '67570000001'

describeWith(['redis', 'postgres'], 'trouble on the way', () => {
  let smsc: Smsc
  let silent: Server
  let staged: Staged

  before(async function () {
    smsc = await startSmsc({ clock: realClock, chance: Math.random })
    silent = createServer(() => undefined).listen(0, '127.0.0.1')
    await new Promise((done) => silent.once('listening', done))
    staged = await stageDaemon({
      smscPort: smsc.port,
      change: (settings) => {
        settings.services.push({ code: '*675#', flow: 'topup' })
        settings.backends.wallet = {
          http: {
            url: `http://127.0.0.1:${(silent.address() as AddressInfo).port}`,
            timeoutMs: 20_000,
            headers: {},
            concurrent: 5,
            retries: 1,
            octetsMax: 65_536,
            ended: false,
          },
        }
        settings.lines[0]!.timers.reconnectMs = 50
        settings.lines[0]!.window = 5
      },
    })
    await smsc.bound(1)
  })
  after(async () => {
    await staged?.close()
    await smsc?.stop()
    silent?.closeAllConnections()
    silent?.close()
  })
  afterEach(() => smsc.chaos.clear())

  it('a back end that never answers: the busy text within the turn, and a proper end', async () => {
    const { dialogue } = staged.settings
    const { turnMs } = dialogue
    dialogue.turnMs = 400
    const screen = await smsc
      .phone(JOHN)
      .dial('*675*1#')
      .finally(() => {
        dialogue.turnMs = turnMs
      })
    assert.deepEqual([screen.text, screen.open], [BUSY, false])
    const ended = staged.logged().findLast((line) => line.msg === 'dialogue ended')
    assert.equal(ended?.reason, 'backend-failed')
  })

  it('an SMSC that takes its time over a reply: the lease of a turn that has rested is not renewed meanwhile', async () => {
    const { dialogues } = staged.daemon.stores
    const { rest, renew, confirm } = dialogues
    const said: string[] = []
    dialogues.rest = (resting) => rest(resting).finally(() => said.push('rested'))
    dialogues.renew = (...how) => (said.push('renewed'), renew(...how))
    dialogues.confirm = (...which) => (said.push('confirmed'), confirm(...which))
    smsc.chaos.add({
      on: 'submit_sm',
      msisdn: JOHN,
      lane: 'ussd',
      times: 1,
      act: { is: 'delay', ms: staged.settings.dialogue.leaseMs / 2 },
    })
    const john = smsc.phone(JOHN)
    assert.equal((await john.dial('*123#')).text, T1)
    await until(() => said.includes('confirmed'), 'the reply is not accepted')
    Object.assign(dialogues, { rest, renew, confirm })
    assert.deepEqual(said.slice(said.indexOf('rested')), ['rested', 'confirmed'])
    john.hangUp()
  })

  it('the link lost under a delivery: it comes again on the new bind, and is one turn', async () => {
    const john = smsc.phone(JOHN)
    john.skipRepeats = true
    smsc.chaos.add({ on: 'deliver_sm', msisdn: JOHN, times: 1, act: { is: 'close', when: 'after' } })
    assert.equal((await john.dial('*123#')).text, T1)
    assert.equal((await john.answer('1')).text, T2)
    smsc.chaos.add({ on: 'submit_sm', msisdn: JOHN, lane: 'ussd', times: 1, act: { is: 'close', when: 'before' } })
    assert.equal((await john.answer('3')).text, T1, 'the reply was lost with the link and goes out on the next')
    john.hangUp()
  })

  it('every PDU delivered twice, on any bind: one booking, the screens in order', async () => {
    const john = smsc.phone(JOHN)
    john.skipRepeats = true
    smsc.chaos.add({ on: 'deliver_sm', msisdn: JOHN, act: { is: 'double', on: 'same' } })
    assert.equal((await john.dial('*123#')).text, T1)
    for (const [key, expected] of [
      ['2', T4],
      ['2', T5],
      ['1', T6],
      ['1', T7],
      ['1', T1],
    ] as const) {
      assert.equal((await john.answer(key)).text, expected)
    }
    john.hangUp()
    const { rows } = await staged.knex.raw(`SELECT count(*)::int AS n FROM dental_appointment WHERE msisdn = '${JOHN}'`)
    assert.equal(rows[0].n, 3)
  })

  it('a late copy of the opening PDU is no redial: the dialogue stays where it is', async () => {
    const mary = smsc.phone('67570000002')
    mary.skipRepeats = true
    smsc.chaos.add({ on: 'deliver_sm', msisdn: '67570000002', event: 'begin', times: 1, act: { is: 'late', ms: 150 } })
    await mary.dial('*123#')
    assert.equal((await mary.answer('2')).text, T4)
    await until(
      async () => (await staged.daemon.metrics.value('ussd_messages_total', { result: 'repeat', kind: 'begin' })) >= 1,
      'no copy came',
    )
    assert.match((await mary.answer('2')).text, /^Available Checkup Slots:/)
    mary.hangUp()
  })

  it('throttled SMS wait and none is lost; the queue of the SMSC full likewise', async () => {
    smsc.chaos.add({ on: 'submit_sm', lane: 'sms', times: 1, act: { is: 'refuse', status: 0x58 } })
    const before = smsc.phone(JOHN).inbox.length
    const john = smsc.phone(JOHN)
    john.skipRepeats = true
    await john.dial('*123#')
    await john.answer('2')
    await john.answer('2')
    await john.answer('1')
    await john.answer('1')
    await until(() => smsc.phone(JOHN).inbox.length > before, 'the SMS did not come')
    john.hangUp()
  })

  it('half a PDU, then a dead connection: bound again, and the books balance', async () => {
    smsc.chaos.add({ on: 'deliver_sm', msisdn: JOHN, times: 1, act: { is: 'cut', at: 30 } })
    const john = smsc.phone(JOHN)
    john.skipRepeats = true
    assert.equal((await john.dial('*123#')).text, T1)
    assert.equal((await john.answer('4')).open, false)
    await until(() => staged.daemon.stores.dialogues.count().then((open) => open === 0), 'a dialogue hangs')
    await until(balanced, 'the books do not balance')
  })

  /** Received = handled + duplicate + rejected + dropped; submitted = ok + refused + timeout + lost. */
  async function balanced(): Promise<boolean> {
    const value = (name: Parameters<typeof staged.daemon.metrics.value>[0]) => staged.daemon.metrics.value(name)
    const sum = async (...names: Parameters<typeof staged.daemon.metrics.value>[0][]) =>
      (await Promise.all(names.map(value))).reduce((a, b) => a + b, 0)
    return (
      (await value('smpp_rx')) ===
        (await sum('smpp_rx_handled', 'smpp_rx_duplicate', 'smpp_rx_rejected', 'smpp_rx_dropped')) &&
      (await value('smpp_tx_submit')) ===
        (await sum('smpp_tx_ok', 'smpp_tx_refused', 'smpp_tx_timeout', 'smpp_tx_lost', 'smpp_tx_recalled'))
    )
  }
})
