import assert from 'node:assert/strict'
import { Refusal, type BackendModule, type CallContext } from '../../src/backend/types.ts'
import type { DentalSettings } from '../../samples/dental/settings.ts'
import { migrate } from '../../src/store/postgres/migrate.ts'
import type { Json, JsonObject } from '../../src/ussd/vocabulary.ts'
import { fakeClock, type FakeClock } from '../support/clock.ts'
import { dentalOn, seedDental } from '../support/dental.ts'
import { describeBoth, freshServer } from '../support/postgres.ts'
import { describeWith } from '../support/services.ts'
import { aroundSql } from '../support/sql.ts'

const JOHN = '67570000001'
const MARY = '67570000002'
const STRANGER = '67570000009'
const SAMPLE = Date.parse('2025-05-01T09:00:00+10:00')
const DAY = 86_400_000

describeBoth('the dental service', (database) => {
  let clock: FakeClock
  let service: BackendModule
  let serial = 0

  beforeEach(async () => {
    const { knex } = database.db
    const tables = [
      'sms_outbox',
      'dental_hold',
      'dental_appointment',
      'dental_slot',
      'dental_profile',
      'dental_type',
      'dental_clinic',
    ]
    await knex.raw(`TRUNCATE ${tables.join(', ')} CASCADE`)
    clock = fakeClock(SAMPLE)
    await seedDental(database.db.sql, { atMs: SAMPLE })
    service = open()
  })

  const open = (settings: Partial<DentalSettings> = {}) => dentalOn({ sql: database.db.sql, clock, settings })

  function call(operation: string, args: JsonObject, who: Partial<CallContext> = {}): Promise<Json | Refusal> {
    const context: CallContext = {
      intention: `e:1:${++serial}`,
      epoch: `epoch-of-${who.msisdn ?? JOHN}`,
      msisdn: JOHN,
      language: 'en',
      line: 'digicel',
      todayMs: clock.today(),
      signal: new AbortController().signal,
      ...who,
    }
    return service.operations[operation]!(args, context)
  }
  const rows = async (operation: string, args: JsonObject = {}, who: Partial<CallContext> = {}) =>
    ((await call(operation, args, who)) as { rows: Record<string, string>[] }).rows
  const freeSlots = (who: Partial<CallContext> = {}, type = 'checkup') => rows('slots', { type }, who)
  const firstSlot = async () => (await freeSlots())[0]!.id!
  const outbox = (msisdn = JOHN) =>
    database.db.knex('sms_outbox').where({ msisdn }).orderBy('due_at').select('*') as Promise<Record<string, unknown>[]>
  const refused = (answer: unknown, refusal: string) => {
    assert.ok(answer instanceof Refusal, `no refusal: ${JSON.stringify(answer)}`)
    assert.equal(answer.refusal, refusal)
  }

  it('has the sample data of 1 May 2025', async () => {
    assert.deepEqual(await call('profile', {}), { known: true, name: 'John', language: 'en' })
    assert.deepEqual(
      (await rows('appointments', { for: 'view' })).map(({ id: _id, ...row }) => row),
      [
        { type: 'Cleaning', clinic: 'Koki Dental Clinic', at: '2025-03-10T10:00:00+10:00', status: 'done' },
        { type: 'Checkup', clinic: 'Gerehu Dental Clinic', at: '2025-05-15T10:00:00+10:00', status: 'upcoming' },
      ],
    )
    assert.deepEqual(
      (await rows('appointments', { for: 'cancel' })).map((row) => row.type),
      ['Checkup'],
    )
    assert.deepEqual(await rows('types'), [
      { id: 'cleaning', name: 'Cleaning' },
      { id: 'checkup', name: 'Checkup' },
      { id: 'filling', name: 'Filling' },
    ])
    assert.deepEqual(
      (await freeSlots()).map(({ id: _id, ...row }) => row),
      [
        { clinic: 'Koki Dental Clinic', at: '2025-05-10T09:00:00+10:00' },
        { clinic: 'Gerehu Dental Clinic', at: '2025-05-12T14:00:00+10:00' },
      ],
    )
    assert.deepEqual(await freeSlots({}, 'filling'), [])
    assert.deepEqual(await call('profile', {}, { msisdn: MARY }), { known: true, name: 'Mary', language: 'en' })
    assert.deepEqual(await rows('appointments', { for: 'view' }, { msisdn: MARY }), [])
  })

  it('seeds twice to the same data, and gives John nothing back that he cancelled', async () => {
    const [checkup] = await rows('appointments', { for: 'cancel' })
    await call('cancel', { appointment: checkup!.id! })
    await seedDental(database.db.sql, { atMs: SAMPLE })
    assert.deepEqual(await rows('appointments', { for: 'cancel' }), [])
    assert.equal((await rows('appointments', { for: 'view' })).length, 1)
    assert.equal((await freeSlots()).length, 3)
  })

  it('lays the sample relative to today for a demo', async () => {
    const atMs = Date.parse('2026-02-03T13:20:00+10:00')
    await database.db.knex.raw('TRUNCATE dental_appointment, dental_slot CASCADE')
    await seedDental(database.db.sql, { atMs, relative: true })
    await seedDental(database.db.sql, { atMs: atMs + 3 * DAY, relative: true })
    const who = { todayMs: atMs }
    assert.deepEqual(
      (await rows('appointments', { for: 'view' }, who)).map((row) => [row.type, row.at, row.status]),
      [
        ['Cleaning', '2025-12-13T10:00:00+10:00', 'done'],
        ['Checkup', '2026-02-17T10:00:00+10:00', 'upcoming'],
      ],
    )
    assert.equal((await freeSlots(who))[0]!.at, '2026-02-12T09:00:00+10:00')
    const kila = await call('profile', {}, { msisdn: '67570000003' })
    assert.deepEqual(kila, { known: true, name: 'Kila', language: 'tpi' })
  })

  it('knows no stranger, and registers one once for the same answer delivered twice', async () => {
    const who = { msisdn: STRANGER, intention: 'e:2:1', language: 'tpi' }
    assert.deepEqual(await call('profile', {}, who), { known: false, name: '', language: 'tpi' })
    const answers = await Promise.all([
      call('register', { name: '  Ann  Marie ' }, who),
      call('register', { name: 'Ann Marie' }, who),
    ])
    assert.deepEqual(answers, [{ name: 'Ann Marie' }, { name: 'Ann Marie' }])
    assert.deepEqual(await call('profile', {}, who), { known: true, name: 'Ann Marie', language: 'tpi' })
    for (const name of ['A', 'x'.repeat(41), 'R2D2', '', 7]) refused(await call('register', { name }, who), 'bad-name')
    assert.deepEqual(await call('register', { name: "Ñandú O'Neil-Đặng Jr." }, who), { name: "Ñandú O'Neil-Đặng Jr." })
  })

  it('keeps the language of the subscriber and names the types in it', async () => {
    assert.deepEqual(await call('language', { language: 'tpi' }), {})
    assert.equal(((await call('profile', {})) as JsonObject).language, 'tpi')
    assert.equal((await rows('types', {}, { language: 'tpi' }))[0]!.name, 'Klinim tit')
    assert.equal((await rows('types', {}, { language: 'fr' }))[0]!.name, 'Cleaning')
    refused(await call('language', { language: "x'; --" }), 'bad-language')
  })

  it('books, and owes a confirmation and two reminders in the same transaction', async () => {
    const slot = await firstSlot()
    const held = await call('hold', { slot })
    assert.deepEqual(held, { slot, type: 'Checkup', clinic: 'Koki Dental Clinic', at: '2025-05-10T09:00:00+10:00' })
    const booked = (await call('book', { slot })) as JsonObject
    assert.equal(booked.at, '2025-05-10T09:00:00+10:00')
    const sms = await outbox()
    assert.deepEqual(
      sms.map((row) => [row.text, (row.due_at as Date).toISOString(), row.quiet_zone]),
      [
        ['Confirmed: Checkup at Koki Dental Clinic on 10/05/2025, 9 AM.', '2025-04-30T23:00:00.000Z', null],
        [
          'Reminder: Checkup at Koki Dental Clinic on 10/05/2025, 9 AM.',
          '2025-05-08T23:00:00.000Z',
          'Pacific/Port_Moresby',
        ],
        [
          'Reminder: Checkup at Koki Dental Clinic on 10/05/2025, 9 AM.',
          '2025-05-09T21:00:00.000Z',
          'Pacific/Port_Moresby',
        ],
      ],
    )
    assert.ok(sms.every((row) => row.line === 'digicel' && row.subject === `dental:${booked.id}`))
    assert.equal(await database.db.knex('dental_hold').first(), undefined)
    assert.equal((await freeSlots()).length, 1)
  })

  it('books once for a Confirm delivered twice, also at the same moment, with the same answer', async () => {
    const slot = await firstSlot()
    const twice = { intention: 'e:5:1' }
    const answers = await Promise.all([1, 2, 3].map(() => call('book', { slot }, twice)))
    answers.push(await call('book', { slot }, twice))
    assert.equal(new Set(answers.map((answer) => JSON.stringify(answer))).size, 1)
    assert.ok(!(answers[0] instanceof Refusal))
    assert.equal((await outbox()).length, 3)
  })

  it('gives a slot to one of two subscribers, and to one of twenty', async () => {
    const [one, two] = await freeSlots()
    const both = await Promise.all([JOHN, MARY].map((msisdn) => call('book', { slot: one!.id! }, { msisdn })))
    assert.equal(both.filter((answer) => answer instanceof Refusal).length, 1)
    const many = await Promise.all(
      Array.from({ length: 20 }, (_, i) => call('book', { slot: two!.id! }, { msisdn: i % 2 ? JOHN : MARY })),
    )
    assert.equal(many.filter((answer) => !(answer instanceof Refusal)).length, 1)
    for (const answer of many.filter((one) => one instanceof Refusal)) refused(answer, 'slot-taken')
  })

  it('has a constraint, not only code, against two bookings of a slot', async () => {
    const row = { msisdn: JOHN, slot: await firstSlot(), booked_at: new Date(SAMPLE) }
    await database.db.knex('dental_appointment').insert({ ...row, intention: 'a' })
    await assert.rejects(database.db.knex('dental_appointment').insert({ ...row, intention: 'b' }), {
      constraint: 'dental_appointment_slot_once',
    })
    await assert.rejects(
      database.db.knex('dental_appointment').insert({ ...row, intention: 'a', status: 'cancelled' }),
      { constraint: 'dental_appointment_intention_once' },
    )
  })

  it('hides a slot that somebody else holds, shows it to its holder, and refuses it to others until the hold lapses', async () => {
    const slot = await firstSlot()
    await call('hold', { slot })
    assert.equal((await freeSlots()).length, 2)
    assert.equal((await freeSlots({ msisdn: MARY })).length, 1)
    refused(await call('hold', { slot }, { msisdn: MARY }), 'slot-taken')
    refused(await call('book', { slot }, { msisdn: MARY }), 'slot-taken')
    await clock.advance(210_001)
    assert.equal((await freeSlots({ msisdn: MARY })).length, 2)
    assert.ok(!((await call('hold', { slot }, { msisdn: MARY })) instanceof Refusal))
    refused(await call('hold', { slot }), 'slot-taken')
  })

  it('removes what is over its retention: no more rows of a table at a call than it is told, and nothing sooner', async () => {
    const { knex } = database.db
    const count = async (table: string) => Number((await knex(table).count('* as n'))[0]!.n)
    const all = { appointments: await count('dental_appointment'), profiles: await count('dental_profile') }
    assert.ok(all.appointments > 1 && all.profiles > 1)
    const slots = (await knex('dental_slot').limit(2).pluck('id')) as string[]
    const hold = (slot: string) => ({ slot, epoch: 'e', msisdn: STRANGER, expires_at: new Date(SAMPLE - 2 * DAY) })
    const purge = (todayMs: number, rowsMax: number) =>
      service.purge!({ nowMs: SAMPLE, todayMs, keepMs: 30 * DAY, rowsMax, signal: new AbortController().signal })
    const none = { appointments: 0, profiles: 0, holds: 0 }
    const first = (await knex('dental_slot').min('starts_at as at').first())!.at as Date
    assert.deepEqual(await purge(first.getTime() + 29 * DAY, 100), none)
    await knex('dental_hold').insert(slots.map(hold))
    const one = await purge(SAMPLE + 4000 * DAY, 1)
    assert.deepEqual([one.appointments, one.holds], [1, 1])
    assert.ok(one.profiles! <= 1)
    assert.deepEqual(await purge(SAMPLE + 4000 * DAY, 100), {
      appointments: all.appointments - 1,
      profiles: all.profiles - one.profiles!,
      holds: 1,
    })
    assert.deepEqual(await purge(SAMPLE + 4000 * DAY, 100), none)
  })

  it('lets one of two subscribers hold a slot', async () => {
    const slot = await firstSlot()
    const both = await Promise.all([JOHN, MARY].map((msisdn) => call('hold', { slot }, { msisdn })))
    assert.equal(both.filter((answer) => answer instanceof Refusal).length, 1)
  })

  it('lets go of a hold on release, on holding another slot, and when the dialogue ends', async () => {
    const [one, two] = (await freeSlots()).map((row) => row.id!)
    const others = () => freeSlots({ msisdn: MARY }).then((free) => free.length)
    await call('hold', { slot: one! })
    await call('release', { slot: one! }, { msisdn: MARY })
    assert.equal(await others(), 1)
    await call('hold', { slot: two! })
    assert.equal(await others(), 1)
    assert.deepEqual(await call('release', { slot: two! }), {})
    assert.equal(await others(), 2)
    await call('hold', { slot: one! }, { epoch: 'lost' })
    await service.ended!('lost', 'idle')
    await service.ended!('lost', 'idle')
    assert.equal(await others(), 2)
  })

  it("takes a subscriber's own hold over after a redial, so that the end of the old dialogue does not free it", async () => {
    const slot = await firstSlot()
    await call('hold', { slot }, { epoch: 'old' })
    await call('hold', { slot }, { epoch: 'new' })
    await service.ended!('old', 'superseded')
    refused(await call('hold', { slot }, { msisdn: MARY }), 'slot-taken')
  })

  it('books nothing in the past, nothing unknown, and nothing for a stranger', async () => {
    const slot = await firstSlot()
    refused(await call('book', { slot }, { todayMs: SAMPLE + 30 * DAY }), 'slot-taken')
    refused(await call('hold', { slot }, { todayMs: SAMPLE + 30 * DAY }), 'slot-taken')
    for (const bad of ['999999', 'x', '', null, '1; DROP', '9'.repeat(30)]) {
      refused(await call('book', { slot: bad }), 'slot-taken')
      refused(await call('hold', { slot: bad }), 'slot-taken')
    }
    refused(await call('book', { slot }, { msisdn: STRANGER }), 'no-profile')
    assert.deepEqual(await freeSlots({ todayMs: SAMPLE + 30 * DAY }), [])
  })

  it('frees the slot and calls the SMS off when an appointment is cancelled, and answers the same twice', async () => {
    const slot = await firstSlot()
    const booked = (await call('book', { slot })) as JsonObject
    const cancelling = { intention: 'e:9:1' }
    assert.deepEqual(await call('cancel', { appointment: booked.id! }, cancelling), {})
    assert.deepEqual(await call('cancel', { appointment: booked.id! }, cancelling), {})
    refused(await call('cancel', { appointment: booked.id! }), 'not-upcoming')
    assert.deepEqual(
      (await outbox()).map((row) => row.state),
      ['cancelled', 'cancelled', 'cancelled'],
    )
    assert.ok((await freeSlots({ msisdn: MARY })).some((free) => free.id === slot))
    assert.ok(!((await call('book', { slot }, { msisdn: MARY })) instanceof Refusal))
    assert.ok((await outbox(MARY)).every((row) => row.state === 'due'))
  })

  it('cancels nothing of others, nothing that is done, and nothing unknown', async () => {
    const [done, upcoming] = await rows('appointments', { for: 'view' })
    refused(await call('cancel', { appointment: upcoming!.id! }, { msisdn: MARY }), 'not-upcoming')
    refused(await call('cancel', { appointment: done!.id! }), 'not-upcoming')
    for (const bad of ['x', '', null, 123456789]) refused(await call('cancel', { appointment: bad }), 'not-upcoming')
  })

  it('shows cancelled appointments where the setting says so, but never as cancellable', async () => {
    service = open({ listCancelled: true })
    const [upcoming] = await rows('appointments', { for: 'cancel' })
    await call('cancel', { appointment: upcoming!.id! })
    assert.deepEqual(
      (await rows('appointments', { for: 'view' })).map((row) => row.status),
      ['done', 'cancelled'],
    )
    assert.deepEqual(await rows('appointments', { for: 'cancel' }), [])
  })

  it('calls an appointment done from its very minute on', async () => {
    const startsMs = Date.parse('2025-05-15T10:00:00+10:00')
    const status = async (todayMs: number) => (await rows('appointments', { for: 'view' }, { todayMs }))[1]!.status
    assert.equal(await status(startsMs - 1), 'upcoming')
    assert.equal(await status(startsMs), 'done')
  })

  it('starts with the type due next and the last clinic where it is tailored', async () => {
    service = open({ tailored: true })
    // Cleaning of March is due again before the checkup of May.
    assert.deepEqual(
      (await rows('types')).map((row) => row.id),
      ['cleaning', 'checkup', 'filling'],
    )
    await database.db.knex('dental_type').where({ id: 'cleaning' }).update({ every_days: 900 })
    assert.deepEqual(
      (await rows('types')).map((row) => row.id),
      ['checkup', 'cleaning', 'filling'],
    )
    assert.deepEqual(
      (await rows('types', {}, { msisdn: MARY })).map((row) => row.id),
      ['cleaning', 'checkup', 'filling'],
    )
    assert.deepEqual(
      (await freeSlots()).map((row) => row.clinic),
      ['Gerehu Dental Clinic', 'Koki Dental Clinic'],
    )
    assert.deepEqual(
      (await freeSlots({ msisdn: MARY })).map((row) => row.clinic),
      ['Koki Dental Clinic', 'Gerehu Dental Clinic'],
    )
  })

  it('gives at most a hundred rows of a thousand, the soonest slots and the latest visits', async () => {
    const { knex } = database.db
    const many = Array.from({ length: 1000 }, (_, i) => ({
      clinic: 'koki',
      type: 'filling',
      starts_at: new Date(SAMPLE + (i - 500) * 3_600_000),
    }))
    const made = (await knex('dental_slot').insert(many).returning('id')) as { id: string }[]
    const free = await freeSlots({}, 'filling')
    assert.equal(free.length, 100)
    assert.equal(free[0]!.at, '2025-05-01T10:00:00+10:00')
    await knex('dental_appointment').insert(
      made.map(({ id }) => ({ msisdn: MARY, slot: id, intention: `many:${id}`, booked_at: new Date(SAMPLE) })),
    )
    const visits = await rows('appointments', { for: 'view' }, { msisdn: MARY })
    assert.equal(visits.length, 100)
    assert.equal(
      visits[99]!.at,
      new Date(SAMPLE + 499 * 3_600_000 + 10 * 3_600_000).toISOString().replace('.000Z', '+10:00'),
    )
  })

  it("writes the SMS in the subscriber's language, in one segment of plain characters", async () => {
    await call('book', { slot: await firstSlot() }, { language: 'tpi' })
    for (const { text } of await outbox()) {
      assert.match(text as string, /^(Orait|Tingim): Sekim tit long Koki Dental Clinic long 10\/05\/2025, 9 AM\.$/)
      assert.ok((text as string).length <= 160)
    }
  })

  it('forgets a subscriber who wants to be forgotten: the slot is free again', async () => {
    const slot = await firstSlot()
    await call('book', { slot })
    assert.equal(await service.subscriber!.erase(JOHN), 4)
    assert.equal(((await call('profile', {})) as JsonObject).known, false)
    assert.ok((await freeSlots({ msisdn: MARY })).some((free) => free.id === slot))
  })

  it('repeats a booking whose COMMIT got lost on the way, with the same key', async () => {
    const slot = await firstSlot()
    let lost = 0
    const flaky = aroundSql(database.db.sql, async ({ name }, ask) => {
      const rows = await ask()
      if (name === 'dental-book' && lost++ === 0) throw new Error('Connection terminated unexpectedly')
      return rows
    })
    service = dentalOn({
      sql: flaky,
      clock: { ...clock, after: (_ms, run) => (run(), () => undefined) },
      chance: () => 0.5,
    })
    const answer = await call('book', { slot })
    assert.ok(!(answer instanceof Refusal))
    assert.equal(lost, 2)
    assert.equal((await rows('appointments', { for: 'cancel' })).length, 2)
  })

  it('knows the next visit, and confirms it while it is to come', async () => {
    const next = (await call('next', {})) as { id: string }
    assert.deepEqual(
      { ...next, id: '' },
      { known: true, id: '', type: 'Checkup', clinic: 'Gerehu Dental Clinic', at: '2025-05-15T10:00:00+10:00' },
    )
    assert.deepEqual(await call('next', {}, { msisdn: MARY }), { known: false })
    refused(await call('confirm', { appointment: next.id }, { msisdn: MARY }), 'not-upcoming')
    assert.deepEqual(await call('confirm', { appointment: next.id }), {})
    assert.deepEqual(await call('confirm', { appointment: next.id }), {})
    await call('cancel', { appointment: next.id })
    refused(await call('confirm', { appointment: next.id }), 'not-upcoming')
    refused(await call('confirm', { appointment: 'x' }), 'not-upcoming')
    assert.deepEqual(await call('next', {}), { known: false })
  })
})

describeWith(['postgres'], 'the statements of the dental service', () => {
  it('are planned once, also with years of visits behind them', async () => {
    const { sql, knex, close } = await freshServer({ poolMax: 1 })
    try {
      const clock = fakeClock(SAMPLE)
      await migrate(knex)
      await seedDental(sql, { atMs: SAMPLE })
      await knex.raw(`
        INSERT INTO dental_slot (clinic, type, starts_at)
        SELECT (SELECT id FROM dental_clinic LIMIT 1), 'checkup', CAST('2025-04-01' AS timestamptz) - n * interval '1 hour'
        FROM generate_series(1, 20000) n`)
      await knex.raw('ANALYZE dental_slot')
      const signal = new AbortController().signal
      const who = { intention: 'i', epoch: 'e', msisdn: JOHN, language: 'en', line: 'digicel', signal }
      const context = { ...who, todayMs: clock.today() }
      for (const tailored of [false, true]) {
        const { operations } = dentalOn({ sql, clock, settings: { tailored } })
        for (let n = 0; n < 12; n++) {
          assert.equal(((await operations.slots!({ type: 'checkup' }, context)) as { rows: object[] }).rows.length, 2)
          await operations.types!({}, context)
        }
      }
      const { rows } = await knex.raw<{ rows: { name: string; generic_plans: string }[] }>(
        "SELECT name, generic_plans FROM pg_prepared_statements WHERE name LIKE 'dental-%' AND name !~ 'seed' ORDER BY name",
      )
      // The first five are planned for their values, to compare.
      assert.deepEqual(
        rows.map(({ name, generic_plans: n }) => `${name} ${n}`),
        ['dental-slots 7', 'dental-slots-tailored 7', 'dental-types 7', 'dental-types-tailored 7'],
      )
    } finally {
      await close()
    }
  })
})
