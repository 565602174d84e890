import assert from 'node:assert/strict'
import type { Knex } from 'knex'
import { silentLog } from '../../../src/base/log/port.ts'
import { asAnswered } from '../../../src/sms/receipts/message-id.ts'
import type { OutboxDeps } from '../../../src/sms/outbox/settings.ts'
import type { SmsOutcome } from '../../../src/sms/terms/types.ts'
import { fakeClock, type FakeClock } from '../../support/clock.ts'
import { describeBoth } from '../../support/postgres.ts'
import { outboxFixture, START, type OutboxFixture, receipt } from '../outbox/fixture.ts'

const MINUTE = 60_000

describe('the id of a receipt', () => {
  it('is as the response wrote it, in each form', () => {
    assert.equal(asAnswered('0123456789', 'hex-to-dec'), '75bcd15')
    assert.equal(asAnswered('75BCD15', 'dec-to-hex'), '123456789')
    assert.equal(asAnswered(' 075BCD15', 'same'), '75bcd15')
  })

  it('is not of a form in which it cannot be written, however long it is', () => {
    assert.equal(asAnswered('75BCD15', 'hex-to-dec'), undefined)
    assert.equal(asAnswered('m-17', 'dec-to-hex'), undefined)
    assert.equal(asAnswered('9'.repeat(20), 'hex-to-dec'), undefined)
    assert.equal(asAnswered('f'.repeat(17), 'dec-to-hex'), undefined)
  })
})

describeBoth('message ids that differ in receipts', (database) => {
  let knex: Knex
  let clock: FakeClock
  let scene: OutboxFixture
  let said: string[]

  beforeEach(async () => {
    knex = database.db.knex
    clock = fakeClock(START)
    scene = await outboxFixture(database.db, clock)
    await knex('sms_id_form').delete()
    said = []
  })

  /** The number by which the SMSC knows an SMS: another one in each writing, and digits alone in both. */
  const numberOf = (id: string) => parseInt(`1000${id}`, 16)
  /** A daemon. Its SMSC writes ids in responses to this base. */
  const daemon = (base = 16, deps: Partial<OutboxDeps> = {}) =>
    scene.open(({ id }): SmsOutcome => ({ is: 'accepted', messageIds: [numberOf(id).toString(base)] }), {
      log: { ...silentLog, info: (fields, message) => void said.push(`${message} ${JSON.stringify(fields)}`) },
      ...deps,
    })
  let subjects = 0
  async function sent(on: ReturnType<typeof daemon>, n: number): Promise<string[]> {
    const ids: string[] = []
    for (let i = 0; i < n; i++) ids.push(await scene.owe({ subject: `dental:${++subjects}` }))
    await on.tick()
    return ids
  }
  const states = async (ids: string[]) => [
    ...new Set(await Promise.all(ids.map(async (id) => (await scene.row(id))!.state))),
  ]

  for (const [form, answered, received] of [
    ['hex-to-dec', 16, 10],
    ['dec-to-hex', 10, 16],
  ] as const) {
    it(`are told by five receipts, ${form}, and by all daemons and after a restart; nothing that came is lost`, async () => {
      const one = daemon(answered)
      const ids = await sent(one, 7)
      const written = (id: string) => numberOf(id).toString(received).toUpperCase()
      for (const id of ids.slice(0, 5)) assert.equal(await one.applyReceipt(receipt(written(id))), 'early')
      assert.deepEqual(said, [`the form of message ids in receipts is known {"line":"digicel","form":"${form}"}`])
      assert.equal(await one.applyReceipt(receipt(written(ids[5]!))), 'matched')
      await one.orphans.look()
      assert.deepEqual(await states(ids.slice(0, 6)), ['delivered'])
      assert.equal(await knex('sms_receipt_orphan').first(), undefined)
      assert.equal(await daemon(answered).applyReceipt(receipt(written(ids[6]!))), 'matched', 'another daemon')
      assert.equal(said.length, 2)
    })
  }

  it('are not told by four, nor by one that comes again', async () => {
    const one = daemon()
    const ids = await sent(one, 6)
    for (const id of [...ids.slice(0, 4), ids[0]!, ids[0]!]) await one.applyReceipt(receipt(String(numberOf(id))))
    assert.deepEqual(said, [])
    assert.deepEqual(await states(ids), ['accepted'])
  })

  it('are not told while others are written alike: by this daemon or another, now or a moment ago', async () => {
    const [one, other] = [daemon(), daemon()]
    const ids = await sent(one, 20)
    const decimal = async (from: number, to: number) => {
      for (const id of ids.slice(from, to)) await one.applyReceipt(receipt(String(numberOf(id))))
    }
    await decimal(0, 4)
    assert.equal(await other.applyReceipt(receipt(numberOf(ids[4]!).toString(16))), 'matched')
    await decimal(5, 12)
    assert.deepEqual(said, [])
    // It is over: the SMSC was changed.
    await clock.advance(2 * MINUTE)
    await decimal(12, 16)
    assert.deepEqual(said, [])
    await decimal(16, 17)
    assert.equal(said.length, 1)
  })

  it('are told anew if the SMSC is changed once more', async () => {
    const one = daemon()
    const ids = await sent(one, 16)
    for (const id of ids.slice(0, 5)) await one.applyReceipt(receipt(String(numberOf(id))))
    await clock.advance(2 * MINUTE)
    for (const id of ids.slice(5, 10)) await one.applyReceipt(receipt(numberOf(id).toString(16)))
    assert.equal(said.at(-1), 'the form of message ids in receipts is known {"line":"digicel","form":"same"}')
    assert.equal(await one.applyReceipt(receipt(numberOf(ids[10]!).toString(16))), 'matched')
  })

  it('are not told by ids that leave a doubt: short ones, those of two SMS, and those to another number', async () => {
    const ids = ['a', '16', '7']
    const one = scene.open(() => ({ is: 'accepted', messageIds: [ids.shift()!] }), { log: silentLog })
    await sent(one, 3)
    assert.equal(await one.applyReceipt(receipt('7')), 'matched')
    assert.equal(await one.applyReceipt(receipt('10')), 'early')
    assert.equal(await one.applyReceipt(receipt('22', { from: '67570000009' })), 'early')
    assert.equal(await one.applyReceipt(receipt('22', { from: '' })), 'early')
    assert.equal(await knex('sms_id_form').first(), undefined)
  })

  it('are taken as they are where they cannot be of the form that holds', async () => {
    const one = daemon()
    const ids = await sent(one, 5)
    for (const id of ids) await one.applyReceipt(receipt(String(numberOf(id))))
    const lettered = scene.open(() => ({ is: 'accepted', messageIds: ['10f'] }), { log: silentLog })
    const [id] = await sent(lettered, 1)
    assert.equal(await lettered.applyReceipt(receipt('10F')), 'matched')
    assert.deepEqual(await states([id!]), ['delivered'])
    assert.equal((await knex('sms_id_form').first<{ confirmed_at: Date | null }>())!.confirmed_at, null, 'no proof')
  })

  it('are as the profile says, if it says it', async () => {
    const one = daemon(16, { messageIds: () => ({ response: 'as-is', receipt: 'dec' }) })
    const ids = await sent(one, 6)
    for (const id of ids) await one.applyReceipt(receipt(String(numberOf(id))))
    assert.equal(await knex('sms_id_form').first(), undefined)
  })

  it('are known before the response, too', async () => {
    const one = daemon()
    for (const id of await sent(one, 5)) await one.applyReceipt(receipt(String(numberOf(id))))
    const early = scene.open(async ({ id }) => {
      assert.equal(await one.applyReceipt(receipt(String(numberOf(id)))), 'early')
      return { is: 'accepted', messageIds: [numberOf(id).toString(16)] }
    })
    const [id] = await sent(early, 1)
    assert.deepEqual(await states([id!]), ['delivered'])
  })
})
