import assert from 'node:assert/strict'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { realClock } from '../../support/clock.ts'
import { FROZEN, leaveEarlier, stageDaemon, type Staged } from '../../support/daemon.ts'
import { describeWith, until } from '../../support/services.ts'
import { T1, T4, T5, T6, T7 } from '../../support/screens.ts'

const OFFER = '1. Continue where you stopped\n2. Main menu'
const JOHN = '67570000001'

describeWith(['redis', 'postgres'], 'time', () => {
  let smsc: Smsc
  let staged: Staged
  let todayMs = FROZEN
  let laterMs = 0

  before(async function () {
    smsc = await startSmsc({ clock: realClock, chance: Math.random })
    staged = await stageDaemon({
      smscPort: smsc.port,
      today: () => todayMs,
      now: () => realClock.now() + laterMs,
      change: (settings) => {
        settings.dialogue.sweepMs = 50
        // A reply that is not confirmed yet when a test moves time on is not sent again.
        settings.dialogue.confirmMs = 2 * settings.dialogue.idleMs
        settings.reminders.pollMs = 50
      },
    })
    await smsc.bound(1)
  })
  after(async () => {
    await staged?.close()
    await smsc?.stop()
  })
  const reached = async (phone: ReturnType<Smsc['phone']>, keys: string[]) => {
    let screen = await phone.dial('*123#')
    for (const key of keys) screen = await phone.answer(key)
    return screen.text
  }
  const moveTo = async (day: string) => {
    const ms = Date.parse(day) - todayMs
    todayMs += ms
    await leaveEarlier(staged.knex, ms)
  }
  const closed = (phone: ReturnType<Smsc['phone']>) => {
    laterMs += staged.settings.dialogue.idleMs
    return phone.next()
  }

  it('no answer: the dialogue is closed towards the network, and a redial offers to go on', async () => {
    const john = smsc.phone(JOHN)
    assert.equal(await reached(john, ['2']), T4)
    const { text, open } = await closed(john)
    assert.deepEqual([text, open], ['Your menu has expired. Please dial again.', false])
    const offer = await john.dial('*123#')
    assert.ok(offer.text.endsWith(OFFER), offer.text)
    assert.equal((await john.answer('1')).text, T4)
    assert.equal((await john.answer('2')).text, T5)
    john.hangUp()
  })

  it('lost at the confirmation: it is never resumed into it', async () => {
    const john = smsc.phone(JOHN)
    assert.equal(await reached(john, ['2', '2', '1']), T6)
    assert.equal((await closed(john)).open, false)
    assert.ok((await john.dial('*123#')).text.endsWith(OFFER))
    assert.equal((await john.answer('1')).text, T5, 'the hold was given back, and the list is fresh')
    john.hangUp()
  })

  it('the redial of somebody who hung up, or whose dialogue is still open, starts afresh', async () => {
    const john = smsc.phone(JOHN)
    assert.equal(await reached(john, ['2']), T4)
    assert.equal((await john.dial('*123#')).text, T1, 'still open on our side: the new dial wins')
    john.hangUp()
    await until(async () => (await staged.daemon.stores.dialogues.count()) === 0, 'still open')
    assert.equal((await john.dial('*123#')).text, T1)
    john.hangUp()
  })

  it('reminders come 24 h and 2 h before, once each, and not for what was cancelled', async function () {
    const john = smsc.phone(JOHN)
    assert.equal(await reached(john, ['2', '2', '1', '1']), T7)
    john.hangUp()
    const texts = () => john.inbox.map((sms) => sms.text)
    await until(() => texts().length === 1, 'no confirmation')
    await moveTo('2025-05-09T09:00:01+10:00')
    await until(() => texts().length === 2, 'no reminder a day before')
    await moveTo('2025-05-10T07:00:01+10:00')
    await until(() => texts().length === 3, 'no reminder two hours before')
    assert.deepEqual(texts().slice(1), Array(2).fill('Reminder: Checkup at Koki Dental Clinic on 10/05/2025, 9 AM.'))
    assert.deepEqual(
      john.inbox.map((sms) => sms.parts),
      [1, 1, 1],
    )
    assert.equal(await reached(john, ['3', '1', '1']), 'Appointment cancelled successfully!\n1. Back to Main Menu')
    john.hangUp()
    await moveTo('2025-05-15T12:00:00+10:00')
    const unsettled = `SELECT count(*)::int AS n FROM sms_outbox WHERE state NOT IN ('delivered', 'cancelled', 'expired')`
    await until(async () => (await staged.knex.raw(unsettled)).rows[0].n === 0, 'an SMS is in no final state')
    assert.equal(texts().length, 3)
  })
})
