import assert from 'node:assert/strict'
import { REQUESTS_A_TURN } from '../../../src/gateway/intake.ts'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { realClock } from '../../support/clock.ts'
import { stageDaemon, type Staged } from '../../support/daemon.ts'
import { describeWith, until } from '../../support/services.ts'
import { T5, T6, T7 } from '../../support/screens.ts'

const CROWD = 50
const TAKEN = 'Sorry, that slot was just taken.'

describeWith(['redis', 'postgres'], 'a crowd after two slots', () => {
  let smsc: Smsc
  let staged: Staged

  before(async () => {
    smsc = await startSmsc({ clock: realClock, chance: Math.random })
    staged = await stageDaemon({ smscPort: smsc.port, change: (settings) => (settings.reminders.pollMs = 100) })
    await smsc.bound(1)
  })
  after(async () => {
    await staged?.close()
    await smsc?.stop()
  })

  it('two get them, the others are told so on a fresh list, and nobody else gets an SMS', async function () {
    const numbers = Array.from({ length: CROWD }, (_, i) => `67571${String(i).padStart(6, '0')}`)
    await staged
      .knex('dental_profile')
      .insert(numbers.map((msisdn) => ({ msisdn, name: 'Ann', language: 'en', created_at: new Date() })))
    const phones = numbers.map((msisdn) => smsc.phone(msisdn))
    const lists = await Promise.all(phones.map((phone) => phone.dial('*123*2*2#')))
    assert.ok(lists.every((screen) => screen.text === T5))
    const asked = await Promise.all(phones.map((phone) => phone.answer('1')))
    const holders = phones.filter((_, i) => asked[i]!.text === T6)
    assert.equal(holders.length, 1, 'one hold a slot')
    assert.equal(
      asked.filter((screen) => screen.text.startsWith(`${TAKEN}\nAvailable Checkup Slots:\n1. Gerehu`)).length,
      CROWD - 1,
    )
    assert.equal((await holders[0]!.answer('1')).text, T7)
    const second = await Promise.all(
      phones
        .filter((phone) => phone !== holders[0])
        .map(async (phone) => ({ phone, text: (await phone.answer('1')).text })),
    )
    const [winner, ...none] = second.filter(({ text }) => text.startsWith('Book Checkup at Gerehu'))
    assert.deepEqual(none, [])
    assert.equal((await winner!.phone.answer('1')).text, T7)
    const full = second.filter(
      ({ text }) => text === `${TAKEN}\nNo Checkup slots available.\n1. Choose Another Type\n2. Back to Main Menu`,
    )
    assert.equal(full.length, CROWD - 2)
    await until(() => phones.flatMap((phone) => [...phone.inbox]).length === 2, 'two confirmations, no more')
    const { rows } = await staged.knex.raw(
      `SELECT count(*)::int AS n FROM dental_appointment WHERE msisdn LIKE '67571%'`,
    )
    assert.equal(rows[0].n, 2)
    phones.forEach((phone) => phone.hangUp())
    await until(() => staged.daemon.stores.dialogues.count().then((open) => open === 0), 'dialogues hang')
    const held = async () => (await staged.knex.raw('SELECT count(*)::int AS n FROM dental_hold')).rows[0].n as number
    await until(async () => (await held()) === 0, 'a hold is left')
  })

  it('who dials all at once is taken up a few in a turn of the event loop', async () => {
    const { dialogues } = staged.daemon.stores
    const open = dialogues.open
    let [turn, most, looking] = [0, 0, true]
    dialogues.open = (taking) => {
      most = Math.max(most, ++turn)
      return open(taking)
    }
    const look = () => {
      turn = 0
      if (looking) setImmediate(look)
    }
    look()
    const phones = Array.from({ length: CROWD }, (_, i) => smsc.phone(`67572${String(i).padStart(6, '0')}`))
    const screens = await Promise.all(phones.map((phone) => phone.dial('*123#')))
    looking = false
    dialogues.open = open
    assert.equal(screens.filter((screen) => screen.open).length, CROWD, 'all are served')
    assert.ok(most >= REQUESTS_A_TURN.least && most <= REQUESTS_A_TURN.most, `${most} in one turn`)
    phones.forEach((phone) => phone.hangUp())
  })
})
