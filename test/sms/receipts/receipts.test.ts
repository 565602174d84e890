import assert from 'node:assert/strict'
import type { Knex } from 'knex'
import type { SmsDispatcher } from '../../../src/sms/outbox/dispatch.ts'
import { eraseSms, forgetOld } from '../../../src/sms/outbox/forget.ts'
import { silentLog } from '../../../src/base/log/port.ts'
import { optOut } from '../../../src/sms/inbox/opt-out.ts'
import type { OutboxDeps } from '../../../src/sms/outbox/settings.ts'
import type { SmsOutcome, SmsToSend } from '../../../src/sms/terms/types.ts'
import { fakeClock, settle, type FakeClock } from '../../support/clock.ts'
import { describeBoth } from '../../support/postgres.ts'
import { HOUR, MSISDN, outboxFixture, START, type OutboxFixture, receipt } from '../outbox/fixture.ts'
import { aroundSql } from '../../support/sql.ts'

describeBoth('receipts of SMS', (database) => {
  let knex: Knex
  let clock: FakeClock
  let scene: OutboxFixture
  let answer: (sms: SmsToSend) => SmsOutcome | Promise<SmsOutcome>
  let outbox: SmsDispatcher

  beforeEach(async () => {
    knex = database.db.knex
    clock = fakeClock(START)
    scene = await outboxFixture(database.db, clock)
    answer = (sms) => ({ is: 'accepted', messageIds: [`M${sms.id}`] })
    outbox = open()
  })

  const open = (deps: Partial<OutboxDeps> = {}) => scene.open((sms) => answer(sms), deps)
  const owe = (row?: object) => scene.owe(row)
  const row = (id: string) => scene.row(id)
  const state = async (id: string) => (await row(id))?.state

  it('may come before the response', async () => {
    const id = await owe()
    answer = async () => {
      assert.equal(await outbox.applyReceipt(receipt('early')), 'early')
      return { is: 'accepted', messageIds: ['early'] }
    }
    await outbox.tick()
    assert.equal(await state(id), 'delivered')
    assert.equal(await knex('sms_receipt_orphan').first(), undefined)
  })

  it('may meet the response: neither misses the other, however they meet', async () => {
    const ids = await Promise.all(Array.from({ length: 60 }, (_, n) => owe({ subject: `dental:${n}` })))
    const told: Promise<unknown>[] = []
    answer = ({ id }) => {
      // In the steps of the other's transaction.
      for (let n = 0; n < Number(id) % 4; n++) told.push(knex.raw('SELECT 1'))
      told.push(outbox.applyReceipt(receipt(`M${id}`)))
      return { is: 'accepted', messageIds: [`M${id}`] }
    }
    assert.equal(await open({ settings: { batchMax: 60 } }).tick(), 60)
    await Promise.all(told)
    assert.deepEqual(await Promise.all(ids.map(state)), Array(60).fill('delivered'))
    assert.equal(await knex('sms_receipt_orphan').first(), undefined)
  })

  it('take one statement of the usual SMS, which took three', async () => {
    const id = await owe()
    const names: string[] = []
    const counted = aroundSql(database.db.sql, (statement, ask) => (names.push(statement.name), ask()))
    const one = open({ sql: counted })
    await one.tick()
    const sent = names.splice(0)
    assert.deepEqual(sent.slice(sent.indexOf('sms-claim')), ['sms-claim', 'sms-settle', 'receipt-early-of'])
    assert.equal(await one.applyReceipt(receipt(`M${id}`)), 'matched')
    assert.deepEqual(names, ['receipt-forms', 'receipt-singles'], 'the first once a minute')
    const next = await owe({ subject: 'dental:2' })
    await one.tick()
    names.splice(0)
    assert.equal(await one.applyReceipt(receipt(`M${next}`)), 'matched')
    assert.deepEqual(names, ['receipt-singles'])
  })

  /** Whatever is asked for gathers. */
  const passing = async (work: Promise<unknown>) => {
    const ended: unknown[] = []
    void work.finally(() => ended.push(work))
    while (!ended.length) await clock.advance(3)
    return work
  }

  it('wait for the response in the same octets, which takes some steps to the outbox', async () => {
    const names: string[] = []
    const counted = aroundSql(database.db.sql, (statement, ask) => (names.push(statement.name), ask()))
    const one = open({ sql: counted, settings: { gatherMs: 3 } })
    const first = await owe()
    await passing(one.tick())
    assert.equal(await passing(one.applyReceipt(receipt(`M${first}`))), 'matched')
    await owe({ subject: 'dental:2' })
    let told: Promise<unknown> | undefined
    answer = async ({ id }) => {
      told = one.applyReceipt(receipt(`M${id}`))
      for (let steps = 0; steps < 20; steps++) await undefined
      return { is: 'accepted', messageIds: [`M${id}`] }
    }
    names.splice(0)
    await passing(one.tick())
    assert.equal(await passing(told!), 'matched')
    const usual = ['sms-claim', 'sms-settle', 'receipt-early-of', 'receipt-singles']
    assert.deepEqual(names.slice(names.indexOf('sms-claim')), usual)
  })

  it('of a first part wait until it is stored', async () => {
    const names: string[] = []
    const slow = aroundSql(database.db.sql, async ({ name }, ask) => {
      names.push(name)
      if (name === 'sms-take-parts')
        for (let turns = 0; turns < 1_000 && !names.includes('receipt-keep'); turns++) await settle()
      return ask()
    })
    let told: Promise<unknown> | undefined
    const submit: OutboxDeps['submit'] = async ({ id }, beforePart) => {
      told = one.applyReceipt(receipt(`${id}a`))
      for (let steps = 0; steps < 20; steps++) await undefined
      await beforePart!({ messageIds: [`${id}a`, null], line: 'digicel' })
      return { is: 'accepted', messageIds: [`${id}a`, `${id}b`] }
    }
    const one = scene.open(submit, { sql: slow, settings: { gatherMs: 3 } })
    await passing(one.applyReceipt(receipt('unknown', { state: 'enroute' })))
    const id = await owe()
    names.splice(0)
    await passing(one.tick())
    assert.equal(await passing(told!), 'matched')
    assert.deepEqual([names.includes('receipt-several'), names.includes('receipt-keep')], [true, false])
    assert.equal(await passing(one.applyReceipt(receipt(`${id}b`))), 'matched')
    assert.equal(await state(id), 'delivered')
  })

  it('may come twice and out of order: what is final stays', async () => {
    const id = await owe()
    await outbox.tick()
    assert.equal(await outbox.applyReceipt(receipt(`M${id}`, { state: 'enroute' })), 'repeat')
    assert.equal(await outbox.applyReceipt(receipt(`M${id}`)), 'matched')
    assert.equal(await outbox.applyReceipt(receipt(`M${id}`)), 'repeat')
    assert.equal(await outbox.applyReceipt(receipt(`M${id}`, { state: 'enroute' })), 'repeat')
    assert.equal(await outbox.applyReceipt(receipt(`M${id}`, { state: 'undeliverable' })), 'repeat')
    assert.equal(await state(id), 'delivered')
  })

  it('say why an SMS never arrived', async () => {
    const id = await owe()
    await outbox.tick()
    await outbox.applyReceipt(receipt(`M${id}`, { state: 'rejected', error: '0dc' }))
    assert.deepEqual([await state(id), (await row(id))?.last_error], ['failed', 'receipt: rejected 0dc'])
  })

  it('settle an SMS of several parts when all of them are there, or one is lost', async () => {
    answer = (sms) => ({ is: 'accepted', messageIds: [`${sms.id}a`, `${sms.id}b`] })
    const [whole, broken] = [await owe(), await owe({ subject: 'dental:2' })]
    await outbox.tick()
    await outbox.applyReceipt(receipt(`${whole}b`))
    assert.equal(await state(whole), 'accepted')
    await outbox.applyReceipt(receipt(`${whole}a`))
    assert.equal(await state(whole), 'delivered')
    await outbox.applyReceipt(receipt(`${broken}a`))
    await outbox.applyReceipt(receipt(`${broken}b`, { state: 'expired' }))
    assert.equal(await state(broken), 'failed')
  })

  it('of SMS in several parts settle many in one transaction, each by what all its receipts say', async () => {
    const [names, given]: [string[], string[]] = [[], []]
    const counted = aroundSql(database.db.sql, (statement, ask) => (names.push(statement.name), ask()))
    const one = open({ sql: counted, givenUp: ({ id, error }) => void given.push(`${id} ${error}`) })
    answer = (sms) => ({ is: 'accepted', messageIds: [`${sms.id}a`, `${sms.id}b`] })
    const [whole, broken, half, known] = [
      await owe(),
      await owe({ subject: 'dental:2' }),
      await owe({ subject: 'dental:3' }),
      await owe({ subject: 'dental:4' }),
    ]
    await one.tick()
    await one.applyReceipt(receipt(`${known}a`))
    names.splice(0)
    const results = await Promise.all([
      one.applyReceipt(receipt(`${whole}b`)),
      one.applyReceipt(receipt(`${broken}a`, { state: 'expired', error: '0dc' })),
      one.applyReceipt(receipt(`${broken}b`)),
      one.applyReceipt(receipt(`${whole}a`)),
      one.applyReceipt(receipt(`${half}b`)),
      one.applyReceipt(receipt(`${known}b`, { state: 'undeliverable' })),
    ])
    assert.deepEqual(results, Array(6).fill('matched'))
    assert.deepEqual(names, ['receipt-singles', 'receipt-hold', 'receipt-several'])
    assert.deepEqual(await Promise.all([whole, broken, half, known].map(state)), [
      'delivered',
      'failed',
      'accepted',
      'failed',
    ])
    assert.deepEqual(given, [`${broken} receipt: expired 0dc`, `${known} receipt: undeliverable 000`])
    assert.equal((await row(broken))?.last_error, 'receipt: expired 0dc')
    assert.deepEqual(
      await Promise.all([
        one.applyReceipt(receipt(`${whole}a`)),
        one.applyReceipt(receipt(`${half}a`)),
        one.applyReceipt(receipt(`${half}a`)),
      ]),
      ['repeat', 'matched', 'repeat'],
    )
    assert.equal(await state(half), 'delivered')
  })

  it('of a part that was sent again meanwhile settle nothing', async () => {
    const sql = aroundSql(database.db.sql, async ({ name }, ask) => {
      if (name === 'receipt-singles') {
        const found = await ask()
        await knex('sms_part').update({ message_id: 'again', message_key: 'again' })
        return found
      }
      return ask()
    })
    answer = () => ({ is: 'accepted', messageIds: ['A', 'B'] })
    const id = await owe()
    await outbox.tick()
    assert.equal(await open({ sql }).applyReceipt(receipt('A')), 'early')
    assert.equal(await state(id), 'accepted')
    assert.deepEqual(await knex('sms_part').pluck('state'), ['accepted', 'accepted'])
  })

  it('are matched on their own line, in the writing of its profile', async () => {
    const hexed = open({ messageIds: (line) => (line === 'useless' ? null : { response: 'hex', receipt: 'dec' }) })
    answer = (sms) => ({ is: 'accepted', messageIds: ['75BCD15'], line: sms.line || 'digicel' })
    const [named, any] = [await owe(), await owe({ subject: 'dental:2', line: 'vodafone' })]
    await hexed.tick()
    assert.equal(await hexed.applyReceipt(receipt('0123456789')), 'matched')
    assert.deepEqual([await state(named), await state(any)], ['delivered', 'accepted'])
    assert.equal(await hexed.applyReceipt(receipt('123456789', { line: 'useless' })), 'early')
  })

  it('of a line whose ids say nothing are matched by reference and subscriber, before the response too', async () => {
    const useless = open({ messageIds: () => null, linesOfSmsc: () => ['digicel', 'digicel-2'] })
    const reference = (id: string) => (Number(id) % 65_535) + 1
    answer = async (sms) => {
      const said = { line: 'digicel-2', reference: reference(sms.id) }
      assert.equal(await useless.applyReceipt(receipt('0', { ...said, from: '67570000009' })), 'early')
      if (sms.kind === 'early') assert.equal(await useless.applyReceipt(receipt('0', said)), 'early')
      return { is: 'accepted', messageIds: ['0'], line: 'digicel' }
    }
    const [early, late] = [await owe({ kind: 'early' }), await owe({ subject: 'dental:2' })]
    await useless.tick()
    assert.deepEqual([await state(early), await state(late)], ['delivered', 'accepted'])
    assert.equal(
      await useless.applyReceipt(receipt('', { reference: reference(late), from: '67570000009', state: 'expired' })),
      'early',
    )
    assert.equal(await useless.applyReceipt(receipt('', { reference: reference(late), line: 'digicel-2' })), 'matched')
    assert.equal(await useless.applyReceipt(receipt('', { reference: reference(late) })), 'repeat')
    assert.deepEqual([await state(early), await state(late)], ['delivered', 'delivered'])
    assert.equal((await knex('sms_receipt_orphan')).length, 3)
  })

  it('may come through another door of the SMSC, before the response too, but only to the subscriber that they name', async () => {
    const grouped = open({ linesOfSmsc: () => ['digicel', 'digicel-2'] })
    const id = await owe()
    await grouped.tick()
    const there = { line: 'digicel-2' }
    assert.equal(await outbox.applyReceipt(receipt(`M${id}`, there)), 'early', 'of no group')
    assert.equal(await grouped.applyReceipt(receipt(`M${id}`, { ...there, from: '67570000009' })), 'early')
    assert.equal(await state(id), 'accepted')
    assert.equal(await grouped.applyReceipt(receipt(`M${id}`, { ...there, state: 'enroute' })), 'repeat')
    assert.equal(await grouped.applyReceipt(receipt(`M${id}`, there)), 'matched')
    assert.equal(await state(id), 'delivered')
    answer = async () => {
      assert.equal(await grouped.applyReceipt(receipt('early', { ...there, from: '67570000009' })), 'early')
      assert.equal(await grouped.applyReceipt(receipt('early', { ...there, error: '001' })), 'early')
      return { is: 'accepted', messageIds: ['early'], line: 'digicel' }
    }
    const early = await owe({ subject: 'dental:2' })
    await grouped.tick()
    assert.equal(await state(early), 'delivered')
    // One whose response never comes is settled by it, too.
    answer = () => ({ is: 'ambiguous' })
    const lost = await owe({ subject: 'dental:3' })
    await grouped.tick()
    await clock.advance(1_000)
    assert.equal(await grouped.applyReceipt(receipt('late', { ...there, reference: Number(lost) + 1 })), 'early')
    await clock.advance(100_000)
    await grouped.tick()
    assert.equal(await state(lost), 'delivered')
  })

  it("go to the subscriber's own SMS where an SMSC gives two the same id", async () => {
    answer = () => ({ is: 'accepted', messageIds: ['7'] })
    const [mine, other] = [await owe(), await owe({ subject: 'dental:2', msisdn: '67570000002' })]
    await outbox.tick()
    await outbox.applyReceipt(receipt('7'))
    assert.deepEqual([await state(mine), await state(other)], ['delivered', 'accepted'])
  })

  it('settle only an SMS to the number that they name, before the response too', async () => {
    answer = () => ({ is: 'accepted', messageIds: ['7f'] })
    const id = await owe()
    await outbox.tick()
    assert.equal(await outbox.applyReceipt(receipt('7f', { from: '67570000009' })), 'early')
    assert.equal(await state(id), 'accepted')
    assert.equal(await outbox.applyReceipt(receipt('7f', { from: '70000001' })), 'matched', 'a national number')
    answer = async () => {
      assert.equal(await outbox.applyReceipt(receipt('8e', { from: '67570000009' })), 'early')
      assert.equal(await outbox.applyReceipt(receipt('8f', { from: '' })), 'early', 'of nobody')
      return { is: 'accepted', messageIds: ['8e', '8f'] }
    }
    const early = await owe({ subject: 'dental:2' })
    await outbox.tick()
    const parts = await knex('sms_part').where({ sms: early }).orderBy('part').select<{ state: string }[]>('state')
    assert.deepEqual(
      parts.map((part) => part.state),
      ['accepted', 'delivered'],
    )
  })

  it('that match nothing are said once, with an example and a remedy, and counted while they are new', async () => {
    const said: object[] = []
    const { orphans, applyReceipt } = open({
      log: { ...silentLog, warn: (fields) => void said.push(fields as object) },
    })
    const lately = async (ms: number) => {
      await clock.advance(ms)
      await orphans.look()
      return orphans.lately()
    }
    await applyReceipt(receipt('whose'))
    await applyReceipt(receipt('whose', { line: 'vodafone' }))
    await applyReceipt(receipt('nobody'))
    assert.deepEqual(await lately(60_000), [], 'its response may still come')
    const digicel = { line: 'digicel', receipts: 2 }
    assert.deepEqual(
      (await lately(61_000)).toSorted((a, b) => b.receipts - a.receipts),
      [digicel, { line: 'vodafone', receipts: 1 }],
    )
    await lately(60_000)
    assert.equal(said.length, 2, 'once for each line')
    const [about] = said.filter((fields) => 'line' in fields && fields.line === 'digicel')
    const { remedy, ...fields } = about as { remedy: string }
    assert.deepEqual(fields, { ...digicel, messageId: 'whose' })
    assert.match(remedy, /messageIdBases/)
    assert.deepEqual(await lately(600_000), [])
    assert.equal(JSON.stringify(said).includes(MSISDN), false)
  })

  it('that nobody knows are kept a day', async () => {
    await outbox.applyReceipt(receipt('whose'))
    assert.equal(await forgetOld(database.db.sql, clock.now() + 23 * HOUR, 1e12), 0)
    assert.equal(await forgetOld(database.db.sql, clock.now() + 25 * HOUR, 1e12), 1)
  })

  it('forgets what was settled long ago, never what is owed', async () => {
    const done = await owe()
    await outbox.tick()
    const owed = await owe({ kind: 'b', due_at: new Date(START + HOUR) })
    assert.equal(await forgetOld(database.db.sql, START + 48 * HOUR, 24 * HOUR - 1), 1)
    assert.deepEqual([await row(done), await state(owed)], [undefined, 'due'])
    assert.equal((await knex('sms_part')).length, 0)
  })

  it('forgets what is settled in whatever way, and nothing in the ways in which it is owed', async () => {
    const states = ['due', 'submitting', 'ambiguous', 'accepted', 'delivered', 'failed', 'expired', 'cancelled']
    for (const is of states) await owe({ kind: is, state: is, expires_at: new Date(START + HOUR) })
    assert.equal(await forgetOld(database.db.sql, START + 2 * HOUR, HOUR), 0, 'its time was not over that long ago')
    assert.equal(await forgetOld(database.db.sql, START + 2 * HOUR + 1, HOUR), 5)
    const left = await knex('sms_outbox').orderBy('id').select<{ state: string }[]>('state')
    assert.deepEqual(
      left.map(({ state: is }) => is),
      ['due', 'submitting', 'ambiguous'],
    )
  })

  it('forgets a subscriber who wants to be forgotten, and keeps the opt-out', async () => {
    await owe()
    await owe({ subject: 'dental:2', msisdn: '67570000002' })
    await outbox.applyReceipt(receipt('x'))
    await optOut(database.db.sql, { msisdn: MSISDN, service: '' }, START)
    assert.equal(await eraseSms(database.db.sql, MSISDN), 2)
    assert.equal((await knex('sms_outbox')).length, 1)
    assert.equal((await knex('sms_opt_out')).length, 1)
  })
})
