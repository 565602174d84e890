import assert from 'node:assert/strict'
import type { Settings } from '../../../src/config/schema.ts'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { realClock } from '../../support/clock.ts'
import { stageDaemon, type Staged } from '../../support/daemon.ts'
import { describeWith, until } from '../../support/services.ts'
import { T1, T4, T5, T6, T7 } from '../../support/screens.ts'

describeWith(['redis', 'postgres'], 'three daemons on the same stores and lines', () => {
  let smsc: Smsc
  const daemons: Staged[] = []

  before(async function () {
    this.timeout(60_000)
    smsc = await startSmsc({ clock: realClock, chance: Math.random })
    // So long that a stop which waited for it would not be seen to end.
    const change = (settings: Settings) => void (settings.stopMs = 600_000)
    const first = await stageDaemon({ smscPort: smsc.port, change })
    daemons.push(first)
    const { prefix } = first.settings.redis as { prefix: string }
    const schema = /search_path=(\w+)/.exec(decodeURIComponent((first.settings.postgres as { url: string }).url))![1]!
    for (let n = 0; n < 2; n++)
      daemons.push(
        await stageDaemon({ smscPort: smsc.port, change, with: { prefix, schema, data: first.settings.data } }),
      )
    await smsc.bound(3)
  })
  after(async () => {
    for (const daemon of daemons.toReversed()) await daemon.close()
    await smsc?.stop()
  })

  const messages = () => Promise.all(daemons.map(({ daemon }) => daemon.metrics.value('ussd_messages_total')))

  const booked = async (msisdn: string) => (await daemons[0]!.knex('dental_appointment').where({ msisdn })).length

  it('carry one dialogue on from key to key, each on another bind, and book once', async () => {
    const [before, had] = [await messages(), await booked('67570000001')]
    const john = smsc.phone('67570000001')
    assert.equal((await john.dial('*123#')).text, T1)
    assert.equal((await john.answer('2')).text, T4)
    assert.equal((await john.answer('2')).text, T5)
    assert.equal((await john.answer('1')).text, T6)
    assert.equal((await john.answer('1')).text, T7)
    assert.equal((await john.answer('1')).text, T1)
    const after = await messages()
    assert.deepEqual(
      after.map((count, n) => count - before[n]!),
      [2, 2, 2],
      'round robin',
    )
    john.hangUp()
    assert.equal(await booked('67570000001'), had + 1)
  })

  it('answer the same where every key comes twice, the second on another bind', async () => {
    const had = await booked('67570000002')
    smsc.chaos.add({ on: 'deliver_sm', lane: 'ussd', act: { is: 'double', on: 'other' } })
    const mary = smsc.phone('67570000002')
    mary.skipRepeats = true
    const texts = [(await mary.dial('*123#')).text]
    for (const key of ['2', '2', '1', '1']) texts.push((await mary.answer(key)).text)
    smsc.chaos.clear()
    assert.match(texts.at(-1)!, /^Appointment confirmed!/)
    mary.hangUp()
    assert.equal(await booked('67570000002'), had + 1)
  })

  it('go on where one of them stops in the middle, which waits for no open dialogue', async function () {
    const john = smsc.phone('67570000001')
    assert.equal((await john.dial('*123#')).open, true)
    const gone = daemons.pop()!
    await gone.daemon.stop()
    assert.equal(smsc.binds().filter((bind) => bind.state === 'bound').length, 2)
    assert.match((await john.answer('1')).text, /^Your Dental Appointments:/)
    john.hangUp()
  })

  it('give the reply that one owes before it goes', async function () {
    const { knex } = daemons[0]!
    const lock = await knex.transaction()
    await lock.raw('LOCK TABLE dental_appointment IN ACCESS EXCLUSIVE MODE')
    const john = smsc.phone('67570000001')
    await john.dial('*123#')
    const answered = john.answer('1')
    const isHeld = async () =>
      (await lock('pg_locks').where({ granted: false }).whereRaw("relation = 'dental_appointment'::regclass"))
        .length === 1
    await until(isHeld, 'the turn does not reach the database')
    const stopping = Promise.all(daemons.map(({ daemon }) => daemon.stop()))
    await lock.rollback()
    assert.match((await answered).text, /^Your Dental Appointments:/)
    await stopping
    assert.deepEqual(smsc.binds(), [])
  })
})
