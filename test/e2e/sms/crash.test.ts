import assert from 'node:assert/strict'
import type { Knex } from 'knex'
import type { Settings } from '../../../src/config/schema.ts'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { realClock } from '../../support/clock.ts'
import { newStage, settingsFor, stageTables } from '../../support/daemon.ts'
import { bound, runProcess, type DaemonProcess } from '../../support/process.ts'
import { describeWith, until } from '../../support/services.ts'

const LONG = Array.from({ length: 60 }, (_, i) => `word${i}`).join(' ')
const SUBMIT_SM = 4

describeWith(['redis', 'postgres'], 'a daemon that is killed within a long SMS', function () {
  this.timeout(120_000)
  const stage = newStage()
  let smsc: Smsc
  let daemon: DaemonProcess | undefined
  let knex: Knex

  const start = (failpoints = '', more: Partial<Settings['reminders']> = {}) =>
    runProcess(
      settingsFor(
        {
          smscPort: smsc.port,
          change: (s) => {
            s.lines[0]!.timers.reconnectMs = 100
            s.reminders = { ...s.reminders, pollMs: 50, quietHours: null, ...more }
          },
        },
        stage,
      ),
      stage.data,
      { USSD_CONNECTOR_FAILPOINTS: failpoints },
    )

  before(async () => {
    smsc = await startSmsc({ clock: realClock, chance: () => 0.999, receipts: { send: false } })
    knex = await stageTables(stage)
  })
  afterEach(async () => {
    daemon?.kill('SIGKILL')
    await daemon?.exited
  })
  after(async () => {
    await smsc?.stop()
    await knex?.raw(`DROP SCHEMA IF EXISTS "${stage.schema}" CASCADE`)
    await knex?.destroy()
  })

  async function owe(msisdn: string, text = LONG): Promise<string> {
    const now = Date.now()
    const [row] = (await knex('sms_outbox')
      .insert({
        subject: `test:${msisdn}`,
        kind: 'reminder',
        msisdn,
        text,
        due_at: new Date(now - 1000),
        expires_at: new Date(now + 3_600_000),
        wake_at: new Date(0),
        created_at: new Date(now),
      })
      .returning('id')) as { id: string }[]
    return row!.id
  }
  const row = (id: string) => knex('sms_outbox').where({ id }).first<{ state: string; losses: number; parts: number }>()
  const becomes = (id: string, state: string) =>
    until(async () => (await row(id))!.state === state, `it never is ${state}`)
  /** As if the time of a daemon that is gone were over. */
  const unleased = (id: string) =>
    knex('sms_outbox')
      .where({ id })
      .update({ wake_at: new Date(0) })
  /** Parts that went to that phone: reference, how many, which. */
  const parts = (msisdn: string) =>
    smsc.trace().flatMap(({ direction, octets }) => {
      const isIts = direction === 'in' && octets.readUInt32BE(4) === SUBMIT_SM && octets.includes(`${msisdn}\0`)
      const at = isIts ? octets.indexOf(Buffer.from([6, 8, 4])) : -1
      return at < 0 ? [] : [{ reference: octets.readUInt16BE(at + 3), total: octets[at + 5]!, part: octets[at + 6]! }]
    })

  it('between two parts: only the missing ones go out after the restart, under the same reference', async () => {
    const msisdn = '67570000401'
    const id = await owe(msisdn)
    daemon = start('sms-after-response=1')
    assert.equal(await daemon.exited, null, 'it killed itself')
    assert.deepEqual(
      parts(msisdn).map(({ part }) => part),
      [1],
    )
    await unleased(id)
    daemon = start('', { ambiguousGraceMs: 0 })
    await bound(daemon, smsc)
    await becomes(id, 'accepted')
    const all = parts(msisdn)
    assert.deepEqual(
      all.map(({ part, total }) => `${part}/${total}`),
      ['1/3', '2/3', '3/3'],
    )
    assert.equal(new Set(all.map(({ reference }) => reference)).size, 1)
    assert.deepEqual(
      smsc.phone(msisdn).inbox.map(({ text }) => text),
      [LONG],
    )
    assert.deepEqual(await knex('sms_part').where({ sms: id }).orderBy('part').pluck('part'), [1, 2, 3])
    assert.equal((await row(id))!.losses, 1)
  })

  it('after the octets of the first part: its receipt counts for that part, and the others go out', async () => {
    const msisdn = '67570000402'
    const id = await owe(msisdn)
    smsc.receipts.send = true
    daemon = start('sms-after-octets=1')
    assert.equal(await daemon.exited, null, 'it killed itself')
    await unleased(id)
    daemon = start()
    await bound(daemon, smsc)
    await becomes(id, 'delivered')
    assert.deepEqual(
      parts(msisdn).map(({ part }) => part),
      [1, 2, 3],
    )
    assert.deepEqual(
      smsc.phone(msisdn).inbox.map(({ text }) => text),
      [LONG],
    )
  })

  it('while what became of it is stored: it is in doubt, and its receipt settles it', async () => {
    const msisdn = '67570000403'
    const id = await owe(msisdn, 'Short')
    smsc.receipts.send = true
    daemon = start('sms-in-settle=1')
    assert.equal(await daemon.exited, null, 'it killed itself')
    assert.equal((await row(id))!.state, 'submitting')
    await unleased(id)
    daemon = start()
    await bound(daemon, smsc)
    await becomes(id, 'delivered')
    assert.equal((await row(id))!.losses, 1)
    assert.deepEqual(
      smsc.phone(msisdn).inbox.map(({ text }) => text),
      ['Short'],
    )
  })
})
