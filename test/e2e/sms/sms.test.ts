import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { ConfiguredLine } from '../../../src/config/schema.ts'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { realClock } from '../../support/clock.ts'
import { FROZEN, stageDaemon, type Staged } from '../../support/daemon.ts'
import { describeWith, until } from '../../support/services.ts'

const JOHN = '67570000001'
const SUBMIT_SM = 4
const LONG = Array.from({ length: 60 }, (_, i) => `word${i}`).join(' ')

describeWith(['redis', 'postgres'], 'SMS over a real socket', () => {
  let smsc: Smsc
  let staged: Staged
  let chances: number[] = []
  let line: ConfiguredLine

  before(async function () {
    smsc = await startSmsc({ clock: realClock, chance: () => chances.shift() ?? 0.999 })
    staged = await stageDaemon({
      smscPort: smsc.port,
      change: (settings) => {
        line = settings.lines[0]!
        settings.lines[0]!.timers.responseMs = 300
        settings.reminders.pollMs = 50
        settings.reminders.ambiguousGraceMs = 60_000
      },
    })
    await smsc.bound(1)
  })
  after(async () => {
    await staged?.close()
    await smsc?.stop()
  })
  beforeEach(() => {
    smsc.receipts.send = true
    chances = []
  })
  afterEach(() => smsc.chaos.clear())

  async function owe(msisdn: string, text: string): Promise<string> {
    const [row] = (await staged
      .knex('sms_outbox')
      .insert({
        subject: `test:${randomUUID()}`,
        kind: 'reminder',
        msisdn,
        text,
        due_at: new Date(FROZEN - 1000),
        expires_at: new Date(FROZEN + 3_600_000),
        wake_at: new Date(0),
        created_at: new Date(),
      })
      .returning('id')) as { id: string }[]
    return row!.id
  }
  const stateOf = async (id: string) =>
    (await staged.knex('sms_outbox').where({ id }).first<{ state: string }>('state'))?.state
  const becomes = (id: string, state: string) =>
    until(async () => (await stateOf(id)) === state, `it never is ${state}`)
  /** submit_sm of the SMS lane that went to that phone. */
  const submitted = (msisdn: string) =>
    smsc
      .trace()
      .filter(
        ({ direction, octets }) =>
          direction === 'in' && octets.readUInt32BE(4) === SUBMIT_SM && octets.includes(`${msisdn}\0`),
      ).length

  it('a response after its deadline settles the SMS, which is never sent again', async () => {
    smsc.receipts.send = false
    smsc.chaos.add({ on: 'submit_sm', lane: 'sms', times: 1, act: { is: 'delay', ms: 900 } })
    const id = await owe(JOHN, 'Late')
    await becomes(id, 'ambiguous')
    await becomes(id, 'accepted')
    assert.equal(submitted(JOHN), 1)
    assert.equal(await staged.daemon.metrics.value('sms_late_total', { result: 'settled' }), 1)
    const part = await staged.knex('sms_part').where({ sms: id }).first<{ message_id: string }>()
    assert.match(part!.message_id, /^\d+$/)
  })

  it('of a long SMS only what is missing goes out again after an unanswered part', async () => {
    const msisdn = '67570000021'
    smsc.chaos.add({ on: 'submit_sm', msisdn, lane: 'sms', chance: 0.5, act: { is: 'drop-response' } })
    chances = [0.9, 0.1] // strikes the second part, once
    const id = await owe(msisdn, LONG)
    await becomes(id, 'delivered')
    const [sms, ...more] = smsc.phone(msisdn).inbox
    assert.deepEqual([sms?.text, sms?.parts, more.length], [LONG, 3, 0])
    assert.equal(submitted(msisdn), 3, 'its receipt told that the second part was taken')
  })

  it('a receipt without its bits in esm_class is an SMS of the subscriber, unless the line says otherwise', async () => {
    const msisdn = '67570000024'
    smsc.receipts.send = false
    const id = await owe(msisdn, 'Receipt to come')
    await becomes(id, 'accepted')
    const { message_id: named } = (await staged.knex('sms_part').where({ sms: id }).first<{ message_id: string }>())!
    const receipt = `id:${named} sub:001 dlvrd:001 submit date:2505010900 done date:2505010900 stat:DELIVRD err:000 text:Receipt`
    assert.equal(await smsc.phone(msisdn).send('123', receipt), 0)
    assert.equal(await stateOf(id), 'accepted')
    line.sms!.unmarkedReceipts = true
    assert.equal(await smsc.phone(msisdn).send('123', `Hello. ${receipt}`), 0)
    assert.equal(await stateOf(id), 'accepted', 'a text that speaks of one is none')
    assert.equal(await smsc.phone(msisdn).send('123', receipt), 0)
    assert.equal(await stateOf(id), 'delivered')
    line.sms!.unmarkedReceipts = false
    const heard = (result: string) => staged.daemon.metrics.value('sms_incoming_total', { result })
    assert.deepEqual([await heard('unknown'), await heard('repeat')], [2, 0])
  })

  it('a late response to one part lets the rest follow at once', async () => {
    const msisdn = '67570000022'
    smsc.receipts.send = false
    smsc.chaos.add({ on: 'submit_sm', msisdn, lane: 'sms', chance: 0.5, act: { is: 'delay', ms: 700 } })
    chances = [0.9, 0.1]
    const id = await owe(msisdn, LONG)
    await becomes(id, 'ambiguous')
    await becomes(id, 'accepted')
    assert.equal(smsc.phone(msisdn).inbox[0]?.text, LONG)
    assert.equal(submitted(msisdn), 3)
    const parts = await staged.knex('sms_part').where({ sms: id }).orderBy('part').select<{ part: number }[]>('part')
    assert.deepEqual(
      parts.map(({ part }) => part),
      [1, 2, 3],
    )
  })

  it('a part that is put off goes on from there, not from the beginning', async () => {
    const msisdn = '67570000023'
    smsc.chaos.add({ on: 'submit_sm', msisdn, lane: 'sms', chance: 0.5, act: { is: 'refuse', status: 0x58 } })
    chances = [0.9, 0.9, 0.1]
    const id = await owe(msisdn, LONG)
    await becomes(id, 'delivered')
    assert.equal(smsc.phone(msisdn).inbox[0]?.text, LONG)
    assert.equal(submitted(msisdn), 4)
  })

  it('asks the SMSC for what no receipt tells, and believes it; a fault of it changes nothing', async () => {
    smsc.receipts.send = false
    const ids: string[] = []
    for (const [n, state] of (['DELIVRD', 'UNDELIV', 'ENROUTE'] as const).entries()) {
      smsc.receipts.state = state
      ids.push(await owe(`6757000005${n}`, `Overdue ${n}`))
      await becomes(ids[n]!, 'accepted')
    }
    smsc.receipts.state = 'DELIVRD'
    const lost = await owe('67570000053', 'Unknown to it')
    await becomes(lost, 'accepted')
    await staged.knex('sms_part').where({ sms: lost }).update({ message_id: '1' })
    const overdue = { submitted_at: new Date(Date.now() - 3_600_000), wake_at: new Date(0) }
    await staged
      .knex('sms_outbox')
      .whereIn('id', [...ids, lost])
      .update(overdue)
    const results = ['settled', 'pending', 'unknown', 'unsupported'] as const
    const counted = () =>
      Promise.all(results.map((result) => staged.daemon.metrics.value('sms_queries_total', { result })))
    staged.settings.lines[0]!.sms!.queryMs = 3_600_000
    await until(async () => (await counted()).reduce((sum, n) => sum + n, 0) >= 4, 'it does not ask')
    assert.deepEqual(await counted(), [2, 1, 1, 0])
    assert.deepEqual(await Promise.all([...ids, lost].map(stateOf)), ['delivered', 'failed', 'accepted', 'accepted'])
    smsc.chaos.add({ on: 'query_sm', act: { is: 'refuse', status: 0x03 } })
    await staged.knex('sms_outbox').where({ id: ids[2]! }).update(overdue)
    await until(async () => (await counted())[3] === 1, 'it does not ask again')
    assert.equal(await stateOf(ids[2]!), 'accepted')
    assert.ok(staged.logged().some(({ msg }) => String(msg).includes('query_sm')))
    delete staged.settings.lines[0]!.sms!.queryMs
  })

  it('STOP, delivered twice, is answered once and holds back what is owed; 2 cancels a visit', async () => {
    const john = smsc.phone(JOHN)
    const before = john.inbox.length
    const visit = await staged
      .knex('dental_appointment as a')
      .join('dental_slot as s', 's.id', 'a.slot')
      .where('a.msisdn', JOHN)
      .orderBy('s.starts_at', 'desc')
      .first<{ id: string }>('a.id')
    const id = await owe(JOHN, 'Reminder: Checkup')
    await staged
      .knex('sms_outbox')
      .where({ id })
      .update({ subject: `dental:${visit!.id}` })
    await becomes(id, 'delivered')
    assert.equal(await john.send('123', '2'), 0)
    await until(() => john.inbox.length >= before + 2, 'no answer came')
    smsc.chaos.add({ on: 'deliver_sm', event: 'sms', msisdn: JOHN, times: 1, act: { is: 'double', on: 'same' } })
    assert.equal(await john.send('123', 'Stop'), 0)
    await until(() => john.inbox.length >= before + 3, 'no confirmation came')
    const held = await owe(JOHN, 'Never')
    await becomes(held, 'cancelled')
    assert.deepEqual(
      john.inbox.slice(before + 1).map((sms) => sms.text),
      [
        'Cancelled: Checkup at Gerehu Dental Clinic on 15/05/2025, 10 AM.',
        'You will get no more SMS from us. To get them again, write START.',
      ],
    )
    const { status } = await staged
      .knex('dental_appointment')
      .where({ id: visit!.id })
      .first<{ status: string }>('status')
    assert.equal(status, 'cancelled')
    assert.equal(await staged.daemon.metrics.value('sms_incoming_total', { result: 'repeat' }), 1)
  })

  it('of who may not dial on the line nothing is taken, not even STOP', async () => {
    const barred = '67570000777'
    line.msisdn = { ...line.msisdn, deny: [barred] }
    const phone = smsc.phone(barred)
    assert.deepEqual([await phone.send('123', 'HELP'), await phone.send('123', 'STOP')], [0, 0])
    line.msisdn = { ...line.msisdn, deny: [] }
    const optedOut = await staged.knex('sms_opt_out').where({ msisdn: barred })
    const owed = await staged.knex('sms_outbox').where({ msisdn: barred })
    assert.deepEqual([optedOut.length, owed.length], [0, 0])
    assert.equal(await staged.daemon.metrics.value('sms_incoming_total', { result: 'not-allowed' }), 2)
  })

  it('an SMS is refused with a temporary status while the database is away, so that the SMSC keeps it', async () => {
    await staged.knex.raw('ALTER TABLE sms_incoming RENAME TO sms_incoming_away')
    const status = await smsc.phone('67570000031').send('123', 'STOP')
    await staged.knex.raw('ALTER TABLE sms_incoming_away RENAME TO sms_incoming')
    assert.equal(status, 0x64)
    assert.equal(await smsc.phone('67570000031').send('123', 'STOP'), 0)
  })

  it('calls back from the SMSC what is not wanted any more', async () => {
    const msisdn = '67570000041'
    smsc.receipts.delayMs = 30_000
    staged.settings.lines[0]!.sms!.manage = true
    const id = await owe(msisdn, 'Reminder')
    await becomes(id, 'accepted')
    await staged.knex('sms_outbox').where({ id }).update({ recall_at: new Date() })
    await becomes(id, 'cancelled')
    smsc.receipts.delayMs = 0
    const late = await owe(msisdn, 'Another')
    await becomes(late, 'delivered')
  })
})
