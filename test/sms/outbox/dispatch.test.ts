import assert from 'node:assert/strict'
import type { Knex } from 'knex'
import { silentLog } from '../../../src/base/log/port.ts'
import { smsDispatcher, type SmsDispatcher } from '../../../src/sms/outbox/dispatch.ts'
import { optIn, optOut } from '../../../src/sms/inbox/opt-out.ts'
import { referenceOf } from '../../../src/sms/receipts/receipts.ts'
import type { OutboxDeps } from '../../../src/sms/outbox/settings.ts'
import type { SmsOutcome, SmsSubmit } from '../../../src/sms/terms/types.ts'
import { fakeClock, settle, type FakeClock } from '../../support/clock.ts'
import { describeBoth } from '../../support/postgres.ts'
import { emptyOutbox, HOUR, MSISDN, oweSms, START, receipt } from './fixture.ts'
import type { Sql } from '../../../src/base/sql.ts'
import { aroundSql } from '../../support/sql.ts'

type Sent = Parameters<SmsSubmit>[0]

describeBoth('the outbox', (database) => {
  let knex: Knex
  let clock: FakeClock
  let sent: Sent[]
  let answer: (sms: Sent) => SmsOutcome | Promise<SmsOutcome>
  let counted: Record<string, number>
  let outbox: SmsDispatcher

  beforeEach(async () => {
    knex = database.db.knex
    await emptyOutbox(knex)
    clock = fakeClock(START)
    sent = []
    counted = {}
    answer = (sms) => ({ is: 'accepted', messageIds: [`M${sms.id}`] })
    outbox = open()
  })

  function open(deps: Partial<OutboxDeps> = {}): SmsDispatcher {
    const submit: SmsSubmit = async (sms) => (sent.push(sms), answer(sms))
    const counters = {
      count(name: string, labels: Record<string, string> = {}) {
        const key = `${name} ${labels.state ?? labels.where} ${labels.result ?? ''}`.trim()
        counted[key] = (counted[key] ?? 0) + 1
      },
    }
    return smsDispatcher({ sql: database.db.sql, submit, clock, chance: () => 0.5, log: silentLog, counters, ...deps })
  }

  const owe = (row?: object) => oweSms(knex, row)
  const row = (id: string) => knex('sms_outbox').where({ id }).first<Record<string, unknown>>()
  const state = async (id: string) => (await row(id)).state

  it('sends what is due, once, and knows it by the receipt', async () => {
    const id = await owe()
    const later = await owe({ kind: 'other', due_at: new Date(START + HOUR) })
    assert.equal(await outbox.tick(), 1)
    assert.equal(await outbox.tick(), 0)
    assert.deepEqual(sent, [
      {
        id,
        kind: 'reminder',
        msisdn: MSISDN,
        text: 'Reminder',
        line: 'digicel',
        expiresMs: START + 24 * HOUR,
        reference: referenceOf(id),
        owner: 'module:dental',
        template: undefined,
        tlvs: undefined,
        taken: undefined,
        parts: undefined,
      },
    ])
    assert.equal(await state(id), 'accepted')
    assert.equal(await state(later), 'due')
    assert.equal(await outbox.applyReceipt(receipt(`M${id}`)), 'matched')
    assert.equal(await state(id), 'delivered')
    assert.deepEqual(counted, { 'sms_total accepted': 1 })
  })

  it('has committed submitting before the octets leave', async () => {
    const id = await owe()
    answer = async () => {
      assert.equal(await state(id), 'submitting')
      return { is: 'accepted', messageIds: ['1'] }
    }
    await outbox.tick()
    assert.equal(await state(id), 'accepted')
  })

  it('sends each of many once, with four daemons at once', async () => {
    for (let i = 0; i < 4; i++) {
      const rows = Array.from({ length: 75 }, (_, n) => ({
        subject: `s:${i}:${n}`,
        kind: 'k',
        msisdn: String(67570000001 + n),
        text: 't',
        due_at: new Date(START),
        expires_at: new Date(START + HOUR),
        wake_at: new Date(START),
        created_at: new Date(START),
      }))
      await knex('sms_outbox').insert(rows)
    }
    const daemons = [open(), open(), open(), open()]
    for (let round = 0; round < 3; round++) await Promise.all(daemons.map((daemon) => daemon.tick()))
    for (let round = 0; round < 4; round++) await outbox.tick()
    assert.equal(sent.length, 300)
    assert.equal(new Set(sent.map((sms) => sms.id)).size, 300)
  })

  it('takes no more connections than it may, with many SMS going out and many receipts coming in', async () => {
    const most = async (connectionsMax: number) => {
      let [now, peak] = [0, 0]
      const { sql } = database.db
      const counting: Sql = {
        ...sql,
        transaction: async (run) => {
          peak = Math.max(peak, ++now)
          return sql.transaction(run).finally(() => now--)
        },
      }
      for (let n = 0; n < 20; n++) await owe({ subject: `c${connectionsMax}:${n}` })
      const one = open({ sql: counting, settings: { connectionsMax } })
      const receipts = Array.from({ length: 20 }, (_, n) => one.applyReceipt(receipt(`R${connectionsMax}-${n}`)))
      assert.equal(await one.tick(), 20)
      await Promise.all(receipts)
      return peak
    }
    assert.equal(await most(3), 3)
    assert.ok((await most(30)) > 3)
  })

  it('does not send what was cancelled while it waited for a slot', async () => {
    const [first, second] = [
      await owe(),
      await owe({ subject: 'dental:2', due_at: new Date(START + 1), expires_at: new Date(START + HOUR) }),
    ]
    await clock.advance(10)
    answer = async () => {
      await knex('sms_outbox').where({ id: second }).update({ state: 'cancelled' })
      return { is: 'accepted', messageIds: ['1'] }
    }
    const slow = open({ settings: { inFlightMax: 1 } })
    assert.equal(await slow.tick(), 1)
    assert.deepEqual([await state(first), await state(second)], ['accepted', 'cancelled'])
  })

  it('does not send what another daemon leased since: its own lease ran out while it sent another', async () => {
    const first = await owe()
    const second = await owe({ subject: 'dental:2', due_at: new Date(START + 1) })
    await clock.advance(10)
    answer = async () => {
      // As CLAIM of another daemon does it.
      await knex('sms_outbox')
        .where({ id: second })
        .update({ lease: 'of another daemon', wake_at: new Date(START + HOUR) })
      return { is: 'accepted', messageIds: ['1'] }
    }
    assert.equal(await open({ settings: { inFlightMax: 1 } }).tick(), 1)
    assert.deepEqual(
      sent.map(({ id }) => id),
      [first],
    )
    assert.equal(await state(second), 'due')
  })

  it('sends nothing to a subscriber who opted out, until opting in', async () => {
    await optOut(database.db.sql, { msisdn: MSISDN, service: '' }, START)
    await optOut(database.db.sql, { msisdn: MSISDN, service: '' }, START)
    const id = await owe()
    assert.equal(await outbox.tick(), 0)
    assert.equal(await state(id), 'cancelled')
    await optIn(database.db.sql, { msisdn: MSISDN, service: '' }, START)
    await owe({ kind: 'other' })
    assert.equal(await outbox.tick(), 1)
  })

  it('expires what is too late to be of use', async () => {
    const id = await owe({ expires_at: new Date(START + HOUR) })
    await clock.advance(HOUR)
    assert.equal(await outbox.tick(), 0)
    assert.equal(await state(id), 'expired')
  })

  it('keeps quiet hours also when an outage pushed it into them, and sends after them', async () => {
    const due = Date.parse('2025-05-01T20:55:00+10:00')
    const id = await owe({ due_at: new Date(due), quiet_zone: 'Pacific/Port_Moresby' })
    await clock.advance(due + 10 * 60_000 - START)
    assert.equal(await outbox.tick(), 0)
    await clock.advance(Date.parse('2025-05-02T06:59:00+10:00') - clock.now())
    assert.equal(await outbox.tick(), 0)
    await clock.advance(60_000)
    assert.equal(await outbox.tick(), 1)
    assert.equal(await state(id), 'accepted')
  })

  it('tries again later what the SMSC puts off, and gives up after twenty tries', async () => {
    const id = await owe()
    answer = () => ({ is: 'later', status: 0x58, pause: false })
    for (let tries = 0; tries < 25; tries++) {
      await outbox.tick()
      await clock.advance(60_000)
    }
    assert.equal(sent.length, 20)
    const failed = await row(id)
    assert.deepEqual([failed.state, failed.attempts, failed.last_status], ['failed', 20, 0x58])
  })

  it('does not try before its wait is over', async () => {
    await owe()
    answer = () => ({ is: 'later', status: 0x14, pause: false, destination: true })
    await outbox.tick()
    await clock.advance(104_000)
    assert.equal(await outbox.tick(), 0)
    await clock.advance(1_000)
    assert.equal(await outbox.tick(), 1)
  })

  it('leaves a line alone that asked for a pause, and only that line', async () => {
    await owe()
    const settings = { batchMax: 1 }
    const one = open({ settings })
    answer = () => ({ is: 'later', status: 0x58, pause: true })
    await one.tick()
    await owe({ kind: 'b' })
    await owe({ kind: 'c', line: 'vodafone' })
    answer = () => ({ is: 'accepted', messageIds: ['1'] })
    assert.equal(await one.tick(), 1)
    assert.equal(sent.at(-1)!.line, 'vodafone')
    assert.equal(await one.tick(), 0)
    await clock.advance(2_000)
    assert.equal(await one.tick(), 2)
  })

  it("leaves the other SMS of a subscriber alone whose queue is full, and nobody else's", async () => {
    answer = (sms) =>
      sms.msisdn === MSISDN
        ? { is: 'later', status: 0x14, pause: false, destination: true }
        : { is: 'accepted', messageIds: ['M'] }
    const daemon = open({ settings: { batchMax: 1 } })
    const [first, second] = [await owe(), await owe({ kind: 'second' })]
    const other = await owe({ kind: 'other', msisdn: '67570000002' })
    for (let i = 0; i < 3; i++) await daemon.tick()
    assert.deepEqual([sent.map((sms) => sms.id), await state(second)], [[first, other], 'due'])
    answer = (sms) => ({ is: 'accepted', messageIds: [`M${sms.id}`] })
    await clock.advance(180_000)
    for (let i = 0; i < 3; i++) await daemon.tick()
    assert.equal(
      sent.some((sms) => sms.id === second),
      true,
      'after its wait it is tried',
    )
  })

  it('calls back what the SMSC has, once, and believes it when it says no', async () => {
    const recalled: unknown[] = []
    let says: 'gone' | 'kept' | 'unsent' = 'unsent'
    const daemon = open({ recall: async (sms) => (recalled.push(sms), says) })
    const [first, second, delivered] = [
      await owe(),
      await owe({ subject: 'dental:2' }),
      await owe({ subject: 'dental:3' }),
    ]
    await daemon.tick()
    await daemon.applyReceipt(receipt(`M${delivered}`))
    await knex('sms_outbox').update({ recall_at: new Date(START) })
    await daemon.tick()
    const asked = (id: string) => ({ msisdn: MSISDN, owner: 'module:dental', line: 'digicel', messageIds: [`M${id}`] })
    assert.deepEqual(
      new Set(recalled),
      new Set([asked(first), asked(second)]),
      'what is delivered cannot be called back',
    )
    await clock.advance(6_000)
    says = 'gone'
    await knex('sms_outbox').where({ id: second }).update({ recall_at: null })
    await daemon.tick()
    assert.equal(await state(first), 'cancelled')
    says = 'kept'
    await knex('sms_outbox')
      .where({ id: second })
      .update({ recall_at: new Date(START) })
    await daemon.tick()
    await daemon.tick()
    assert.equal(await state(second), 'accepted')
    assert.deepEqual([recalled.length, (await row(second)).recall_at], [4, null])
  })

  it('hands on who asked for it, its template and its parameters, and stores why it was not sent', async () => {
    answer = () => ({ is: 'failed', status: 0xc3, why: 'no registered template fits the text' })
    const id = await owe({ owner: 'token:clinic', key: 'a', template: '1107', tlvs: '{"0x1402":"7"}' })
    await outbox.tick()
    const { owner, template, tlvs } = sent[0]!
    assert.deepEqual([owner, template, tlvs], ['token:clinic', '1107', '{"0x1402":"7"}'])
    const { last_error: error, last_status: status } = await row(id)
    assert.deepEqual([await state(id), error, status], ['failed', 'no registered template fits the text', 0xc3])
  })

  it('does not count as a try what was certainly not written', async () => {
    const id = await owe()
    answer = () => ({ is: 'unsent' })
    for (let i = 0; i < 30; i++) {
      await outbox.tick()
      await clock.advance(5_000)
    }
    assert.equal(sent.length, 30)
    answer = () => ({ is: 'accepted', messageIds: ['1'] })
    await outbox.tick()
    assert.deepEqual([await state(id), (await row(id)).attempts], ['accepted', 1])
  })

  it('never tries again what the SMSC refused for good', async () => {
    const id = await owe()
    answer = () => ({ is: 'failed', status: 0x0b })
    await outbox.tick()
    await clock.advance(HOUR)
    assert.equal(await outbox.tick(), 0)
    assert.deepEqual([await state(id), (await row(id)).last_status], ['failed', 0x0b])
  })

  it('takes a throwing line for ambiguous and counts the bug', async () => {
    const id = await owe()
    answer = () => {
      throw new Error('bug')
    }
    await outbox.tick()
    assert.equal(await state(id), 'ambiguous')
    assert.equal(counted['bugs_total sms-submit'], 1)
  })

  describe('when the response never comes', () => {
    it('waits for a receipt, then tries once more, then gives up', async () => {
      const id = await owe()
      answer = () => ({ is: 'ambiguous' })
      await outbox.tick()
      await clock.advance(89_999)
      assert.equal(await outbox.tick(), 0)
      await clock.advance(1)
      assert.equal(await outbox.tick(), 1)
      assert.equal(await state(id), 'ambiguous')
      await clock.advance(90_000)
      assert.equal(await outbox.tick(), 0)
      assert.deepEqual([await state(id), (await row(id)).last_error], ['failed', 'no response, twice'])
      assert.equal(sent.length, 2)
    })

    it('is settled by a receipt of the same subscriber and reference', async () => {
      const id = await owe()
      answer = () => ({ is: 'ambiguous' })
      await outbox.tick()
      await clock.advance(1_000)
      assert.equal(await outbox.applyReceipt(receipt('unknown', { reference: referenceOf(id) + 1 })), 'early')
      await outbox.tick()
      assert.equal(await state(id), 'ambiguous')
      assert.deepEqual(counted, { 'sms_total ambiguous': 1 }, 'it was looked at, and nothing became of it')
      await outbox.applyReceipt(receipt('known', { reference: referenceOf(id), from: `+${MSISDN}` }))
      await outbox.tick()
      assert.equal(await state(id), 'delivered')
      assert.equal(sent.length, 1)
    })

    it('is settled by a receipt without a reference, but not by one of somebody else', async () => {
      const id = await owe()
      answer = () => ({ is: 'ambiguous' })
      await outbox.tick()
      await outbox.applyReceipt(receipt('x', { from: '67570000002' }))
      await outbox.tick()
      assert.equal(await state(id), 'ambiguous')
      await outbox.applyReceipt(receipt('y', { state: 'undeliverable' }))
      await outbox.tick()
      assert.equal(await state(id), 'failed')
    })

    it('is not settled by a receipt that may as well be of another SMS of the same subscriber', async () => {
      const written = await owe()
      const lost = await owe({ subject: 'dental:2' })
      answer = () => ({ is: 'ambiguous' })
      await outbox.tick()
      await outbox.applyReceipt(receipt('of the first one'))
      answer = (sms) => ({ is: 'accepted', messageIds: [`M${sms.id}`] })
      await outbox.tick()
      assert.deepEqual([await state(written), await state(lost)], ['ambiguous', 'ambiguous'])
      await clock.advance(90_000)
      await outbox.tick()
      assert.deepEqual([await state(written), await state(lost)], ['accepted', 'accepted'])
    })

    it('takes a crash between writing and hearing for it, once the lease is over', async () => {
      const id = await owe()
      answer = () => new Promise(() => undefined)
      void outbox.tick()
      while ((await state(id)) !== 'submitting') await settle()
      const other = open()
      assert.equal(await other.tick(), 0)
      assert.equal(await state(id), 'submitting')
      await clock.advance(30_000)
      assert.equal(await other.tick(), 0)
      assert.equal(await state(id), 'ambiguous')
      answer = () => ({ is: 'accepted', messageIds: ['M'] })
      await clock.advance(90_000)
      assert.equal(await other.tick(), 1)
      assert.equal(await state(id), 'accepted')
      assert.equal(sent.length, 2)
    })

    it('still believes a response that comes after its lease', async () => {
      const id = await owe()
      let respond: (outcome: SmsOutcome) => void = () => undefined
      answer = () =>
        new Promise((done) => {
          respond = done
        })
      const ticking = outbox.tick()
      while (!sent.length) await settle()
      await clock.advance(30_000)
      await open().tick()
      assert.equal(await state(id), 'ambiguous')
      respond({ is: 'accepted', messageIds: ['late'] })
      await ticking
      assert.equal(await state(id), 'accepted')
      await outbox.applyReceipt(receipt('late'))
      assert.equal(await state(id), 'delivered')
    })

    it("is settled by a response after its deadline, and that one's message id meets its receipt", async () => {
      const id = await owe()
      answer = () => ({ is: 'ambiguous' })
      await outbox.tick()
      assert.equal(await outbox.late({ id, line: 'digicel' }, { is: 'unsent' }), false)
      assert.equal(await outbox.late({ id, line: 'digicel' }, { is: 'accepted', messageIds: ['L1'] }), true)
      assert.equal(await outbox.late({ id, line: 'digicel' }, { is: 'failed', status: 1 }), false)
      await clock.advance(HOUR)
      assert.equal(await outbox.tick(), 0)
      assert.equal(await outbox.applyReceipt(receipt('L1')), 'matched')
      assert.equal(await state(id), 'delivered')
    })

    it('is settled by a response that comes while its loss is being stored', async () => {
      const id = await owe()
      let store: () => void = () => undefined
      const held = new Promise<void>((over) => (store = over))
      let reach: () => void = () => undefined
      const reached = new Promise<void>((over) => (reach = over))
      const slow = aroundSql(database.db.sql, async (statement, ask) => {
        if (statement.name === 'sms-settle') {
          reach()
          await held
        }
        return ask()
      })
      answer = () => ({ is: 'ambiguous' })
      const daemon = open({ sql: slow })
      const ticking = daemon.tick()
      await reached
      const late = daemon.late({ id, line: 'digicel' }, { is: 'accepted', messageIds: ['L2'] })
      await settle()
      store()
      assert.equal(await late, true)
      await ticking
      assert.equal(await state(id), 'accepted')
    })

    it('is sent no second time when its subject was called off meanwhile', async () => {
      const id = await owe()
      answer = () => ({ is: 'ambiguous' })
      await outbox.tick()
      await knex('sms_outbox').where({ id }).update({ state: 'cancelled' })
      await clock.advance(HOUR)
      assert.equal(await outbox.tick(), 0)
      assert.equal(await state(id), 'cancelled')
    })
  })

  it('gives the SMSC the wall clock where the calendar is frozen', async () => {
    const frozen = { ...clock, now: () => clock.now() + 1000 * HOUR, today: () => START }
    await owe()
    await open({ clock: frozen }).tick()
    assert.equal(sent[0]!.expiresMs, START + 1024 * HOUR)
  })

  it('looks by itself until it is stopped, through an outage of the database', async () => {
    let isDown = true
    const away = aroundSql(database.db.sql, async (_, ask) => {
      if (isDown) throw new Error('away')
      return ask()
    })
    const daemon = open({ sql: away })
    await owe()
    daemon.start()
    daemon.start()
    await clock.advance(3_000)
    assert.equal(sent.length, 0)
    isDown = false
    await clock.advance(1_000)
    while (!sent.length) await settle()
    await daemon.stop()
    await owe({ kind: 'b' })
    await clock.advance(10_000)
    assert.equal(sent.length, 1)
  })
})
