import assert from 'node:assert/strict'
import { stageDaemon, type Staged } from '../../support/daemon.ts'
import { foreignSmsc } from '../../support/foreign-smsc.ts'
import { describeWith, until } from '../../support/services.ts'
import { FAREWELL, T1, T10, T11, T12, T13, T1_MARY, T2, T3, T4, T5, T6, T7, T8, T9 } from '../../support/screens.ts'

type Foreign = Awaited<ReturnType<typeof foreignSmsc>>

describeWith(['redis', 'postgres'], 'the dental service, through an SMSC that is not ours', () => {
  let smsc: Foreign
  let staged: Staged

  before(async () => {
    smsc = await foreignSmsc()
    staged = await stageDaemon({ smscPort: smsc.port })
  })
  after(async () => {
    await staged?.close()
    smsc?.stop()
  })

  it('shows every screen exactly, books once, cancels, and says goodbye', async () => {
    const john = smsc.phone('67570000001')
    const steps: [string, string][] = [
      ['1', T2],
      ['3', T1],
      ['3', T8],
      ['2', T1],
      ['9', T12],
      ['2', T4],
      ['2', T5],
      ['1', T6],
      ['2', T5],
      ['1', T6],
      ['1', T7],
      ['1', T1],
      [
        '3',
        `Select Appointment to Cancel:\n1. Checkup (10/05/2025, Koki Dental Clinic)\n2. Checkup (15/05/2025, Gerehu Dental Clinic)\n3. Back`,
      ],
      ['2', T10],
      ['1', T11],
      ['1', T1],
    ]
    const first = await john.dial('*123#')
    assert.deepEqual(first, { text: T1, op: 2, end: false })
    for (const [answer, expected] of steps) {
      const screen = await john.answer(answer)
      assert.equal(screen.text, expected, `after ${answer}`)
      assert.equal(screen.op, 2)
    }
    assert.deepEqual(await john.answer('4'), { text: FAREWELL, op: 17, end: true })
    const { rows } = await staged.knex.raw(
      `SELECT count(*)::int AS n FROM dental_appointment WHERE msisdn = '67570000001'`,
    )
    assert.equal(rows[0].n, 3)
  })

  it('shows the screens of a profile without appointments, and registers an unknown number', async () => {
    const mary = smsc.phone('67570000002')
    assert.equal((await mary.dial('*123#')).text, T1_MARY)
    assert.equal((await mary.answer('1')).text, T3)
    assert.deepEqual(await mary.answer('2'), { text: FAREWELL, op: 17, end: true })
    assert.equal((await mary.dial('*123#')).text, T1_MARY)
    assert.equal((await mary.answer('3')).text, T9)
    await mary.hangUp()
    const nobody = smsc.phone('67570000099')
    assert.equal((await nobody.dial('*123#')).text, T13)
    assert.equal((await nobody.answer('1')).text, 'Enter your name:')
    assert.equal((await nobody.answer('1')).text, 'Invalid name. Try again.\nEnter your name:')
    assert.equal((await nobody.answer("  Anna  O'Neil ")).text, T1.replace('John', "Anna O'Neil"))
    await nobody.hangUp()
  })

  it('sends the confirmation by SMS over the same bind, in one segment', async () => {
    await until(() => smsc.sms.length >= 1, 'no SMS came')
    assert.deepEqual(smsc.sms[0], { to: '67570000001', from: '123', text: smsc.sms[0]!.text })
    assert.match(smsc.sms[0]!.text, /Checkup at Koki Dental Clinic on 10\/05\/2025, 9 AM\./)
    assert.equal(smsc.sms.length, 1, 'reminders are due later, not now')
  })

  it('never logs a number, and one line at info for each dialogue', () => {
    const logged = staged.logged()
    assert.equal(JSON.stringify(logged).includes('6757000'), false)
    const ends = logged.filter((line) => line.msg === 'dialogue ended')
    assert.deepEqual(
      ends.map((line) => line.reason),
      ['exit', 'exit', 'subscriber-abort', 'subscriber-abort'],
    )
    assert.equal(typeof ends[0]!.subscriber, 'string')
  })

  it('plays a deep dial up to the screen that it reaches', async () => {
    const mary = smsc.phone('67570000002')
    const screen = await mary.dial('*123*2*2#')
    assert.match(screen.text, /^Available Checkup Slots:/)
    await mary.hangUp()
  })

  it('answers a code that nobody serves, and a key without a dialogue, with an end', async () => {
    const mary = smsc.phone('67570000002')
    assert.deepEqual(await mary.dial('*999#'), { text: 'This service is not available.', op: 17, end: true })
    const late = await smsc.phone('67570000003').answer('1')
    assert.deepEqual(late, { text: 'Your menu has expired. Please dial again.', op: 17, end: true })
  })
})
