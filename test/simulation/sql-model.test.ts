import assert from 'node:assert/strict'
import fc from 'fast-check'
import { execute } from './sql-model.ts'
import { emptyDatabase, snapshot, type Database } from './tables.ts'
import { Refusal, type BackendModule } from '../../src/backend/types.ts'
import type { Sql, SqlRunner } from '../../src/base/sql.ts'
import { silentLog } from '../../src/base/log/port.ts'
import { smsDispatcher, type SmsDispatcher } from '../../src/sms/outbox/dispatch.ts'
import { forgetOld } from '../../src/sms/outbox/forget.ts'
import { CLAIM, TAKE_PARTS } from '../../src/sms/outbox/rows.ts'
import type { Receipt, SmsOutcome, SmsSubmit } from '../../src/sms/terms/types.ts'
import { migrate } from '../../src/store/postgres/migrate.ts'
import type { Postgres } from '../../src/store/postgres/connection.ts'
import { dentalOn } from '../support/dental.ts'
import { freshServer } from '../support/postgres.ts'
import { describeWith } from '../support/services.ts'

const START = Date.parse('2025-05-01T09:00:00+10:00')
const HOUR = 3_600_000
const MSISDNS = ['67570000001', '67570000002', '67570000003'] as const
const ZONE = 'Pacific/Port_Moresby'

const OUTCOMES: readonly SmsOutcome[] = [
  { is: 'accepted', messageIds: ['A1'], line: 'test' },
  { is: 'accepted', messageIds: ['A2'], line: 'test' },
  { is: 'accepted', messageIds: ['A1', 'A3'], line: 'test' },
  { is: 'failed', status: 0x0b },
  { is: 'ambiguous' },
  { is: 'ambiguous' },
  { is: 'ambiguous', partly: { messageIds: ['A4', null], line: 'test' } },
  { is: 'unsent' },
  { is: 'later', status: 0x58, pause: true },
  { is: 'later', status: 0x14, pause: false, destination: true },
]

/** Few values of everything, so that sequences meet themselves. */
const step = fc.record({
  call: fc.constantFrom(
    'hold',
    'book',
    'book',
    'book',
    'cancel',
    'cancel',
    'tick',
    'tick',
    'tick',
    'die',
    'receipt',
    'receipt',
    'late',
    'slots',
    'types',
    'appointments',
    'next',
    'confirm',
    'release',
    'ended',
    'profile',
    'register',
    'language',
    'opt-out',
    'forget',
  ),
  msisdn: fc.constantFrom(MSISDNS[0], MSISDNS[0], MSISDNS[0], ...MSISDNS),
  slot: fc.integer({ min: 1, max: 5 }),
  appointment: fc.constantFrom<number>(1, 1, 1, 2, 3, 4),
  key: fc.constantFrom('e1', 'e1', 'e2', 'e3'),
  waitMs: fc.constantFrom(0, 0, 0, 0, 1_000, 5_000, 40_000, 120_000, HOUR, 22 * HOUR, 30 * HOUR),
  outcome: fc.constantFrom(...OUTCOMES),
  id: fc.constantFrom<string[]>('A1', 'A2', 'A3', 'A4', 'X9'),
  state: fc.constantFrom<Receipt['state']>('delivered', 'delivered', 'undeliverable', 'enroute'),
  reference: fc.constantFrom(null, null, 2, 3),
  late: fc.constantFrom<SmsOutcome>(
    { is: 'accepted', messageIds: ['A2'] },
    { is: 'failed', status: 0x0b },
    { is: 'later', status: 0x58, pause: false },
  ),
  cancelledToo: fc.boolean(),
})

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

const usual: Step = {
  call: 'book',
  msisdn: MSISDNS[0],
  slot: 1,
  appointment: 1,
  key: 'e1',
  waitMs: 0,
  outcome: OUTCOMES[0]!,
  id: 'A1',
  state: 'delivered',
  reference: null,
  late: { is: 'accepted', messageIds: ['A2'] },
  cancelledToo: false,
}
/** What chance may miss: each way that an SMS and a booking can end. */
const WAYS: Step[] = [
  { ...usual, slot: 2 },
  { ...usual, call: 'tick' },
  { ...usual, call: 'receipt' },
  { ...usual, msisdn: MSISDNS[1], slot: 2, key: 'e2' },
  { ...usual, msisdn: MSISDNS[2], slot: 3, key: 'e3' },
  { ...usual, call: 'hold', slot: 3 },
  { ...usual, slot: 3 },
  { ...usual, call: 'die' },
  { ...usual, call: 'tick', waitMs: 40_000 },
  { ...usual, call: 'late', appointment: 3 },
  { ...usual, call: 'late', appointment: 6 },
  { ...usual, call: 'late', appointment: 7 },
  { ...usual, call: 'late', appointment: 8 },
  { ...usual, call: 'cancel' },
  { ...usual, call: 'receipt', id: 'X9' },
  { ...usual, call: 'receipt', id: '', reference: 2 },
  { ...usual, call: 'tick', waitMs: 30 * HOUR },
]

interface Side {
  sql: Sql
  service: BackendModule
  /** Lists in the same order for all. */
  untailored: BackendModule
  outbox: SmsDispatcher
  tables(): Promise<unknown>
  optOut(msisdn: string): Promise<void>
}

/** The model without a way to it: at once, one thing after the other. */
function modelSql(database: Database): Sql {
  const runner: SqlRunner = { run: async ({ name }, bindings) => execute(database, name, bindings) }
  return {
    ...runner,
    async transaction(run) {
      const before = snapshot(database.tables)
      try {
        return await run(runner)
      } catch (error) {
        Object.assign(database.tables, before)
        throw error
      }
    },
  }
}

describeWith(['postgres'], 'the SQL model and Postgres', () => {
  let db: Postgres
  let nowMs: number
  let outcome: SmsOutcome
  const clock = { now: () => nowMs, today: () => nowMs, after: () => () => undefined }

  before(async () => {
    db = await freshServer()
    await migrate(db.knex)
  })
  after(() => db?.close())

  function side(sql: Sql, rest: Pick<Side, 'tables' | 'optOut'>): Side {
    const chance = () => 0.5
    const submit: SmsSubmit = async (_, beforePart) => {
      const ids = outcome.is === 'accepted' ? outcome.messageIds : (outcome.partly?.messageIds ?? [])
      for (let n = 0; ids.length > 1 && n < ids.length; n++) {
        await beforePart?.({ messageIds: ids.map((id, i) => (i < n ? id : null)), line: 'test' })
      }
      return outcome
    }
    return {
      ...rest,
      sql,
      service: dentalOn({ sql, clock, chance, settings: { tailored: true, listCancelled: true } }),
      untailored: dentalOn({ sql, clock, chance, settings: {} }),
      outbox: smsDispatcher({
        sql,
        clock,
        chance,
        log: silentLog,
        counters: { count: () => undefined },
        submit,
        settings: { quietHours: null },
        recall: async ({ messageIds }) => (messageIds.includes('A1') ? 'gone' : 'kept'),
      }),
    }
  }

  /** The same clinics, slots and subscribers on both. */
  async function both(): Promise<[model: Side, server: Side]> {
    const { knex } = db
    const database = emptyDatabase()
    const { tables } = database
    await knex.raw(`TRUNCATE sms_outbox, sms_part, sms_receipt_orphan, sms_id_form, sms_opt_out, sms_incoming, dental_hold, dental_appointment, dental_slot,
      dental_type_name, dental_type, dental_clinic, dental_profile RESTART IDENTITY CASCADE`)
    const clinics = ['C1', 'C2'].map((id, position) => ({ id, name: `Clinic ${id}`, zone: ZONE, position }))
    const types = [
      { id: 'checkup', position: 2, every_days: 3 },
      { id: 'filling', position: 1, every_days: null },
    ]
    const names = [
      { type: 'checkup', language: 'en', name: 'Checkup' },
      { type: 'checkup', language: 'tpi', name: 'Sekim' },
    ]
    const slots = [26, 26, 30, 49, 80].map((hours, i) => ({
      clinic: `C${1 + (i % 2)}`,
      type: i === 3 ? 'filling' : 'checkup',
      starts_at: new Date(START + hours * HOUR + i),
    }))
    const profiles = MSISDNS.slice(0, 2).map((msisdn) => ({
      msisdn,
      name: `N${msisdn}`,
      language: 'en',
      intention: null,
      created_at: new Date(START),
    }))
    for (const [table, rows] of Object.entries({
      clinic: clinics,
      type: types,
      type_name: names,
      slot: slots,
      profile: profiles,
    })) {
      await knex(`dental_${table}`).insert(rows)
    }
    for (const one of clinics) tables.clinics.set(one.id, one)
    for (const one of types) tables.types.set(one.id, one)
    for (const one of names) tables.typeNames.set(`${one.type} ${one.language}`, one)
    for (const [i, one] of slots.entries()) tables.slots.set(i + 1, { id: i + 1, ...one })
    for (const one of profiles) tables.profiles.set(one.msisdn, one)
    const sorted = (rows: object[]) =>
      rows.map((row) => plain(row)).toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
    return [
      side(modelSql(database), {
        optOut: async (msisdn) => void tables.optOuts.add(msisdn),
        tables: async () =>
          Object.fromEntries(
            (['profiles', 'holds', 'appointments', 'sms', 'parts', 'orphans', 'forms'] as const).map((name) => [
              name,
              sorted([...tables[name].values()]),
            ]),
          ),
      }),
      side(db.sql, {
        optOut: async (msisdn) =>
          void (await knex('sms_opt_out')
            .insert({ msisdn, opted_out_at: new Date(nowMs) })
            .onConflict()
            .ignore()),
        tables: async () =>
          Object.fromEntries(
            await Promise.all(
              Object.entries({
                profiles: 'dental_profile',
                holds: 'dental_hold',
                appointments: 'dental_appointment',
                sms: 'sms_outbox',
                parts: 'sms_part',
                orphans: 'sms_receipt_orphan',
                forms: 'sms_id_form',
              }).map(async ([name, table]) => [name, sorted((await knex(table).select('*')) as object[])]),
            ),
          ),
      }),
    ]
  }

  async function call({ service, untailored, outbox, sql }: Side, s: Step, n: number): Promise<unknown> {
    const { msisdn, key } = s
    const context = {
      intention: `${key}:${s.slot}`,
      epoch: key,
      msisdn,
      language: key === 'e3' ? 'tpi' : 'en',
      line: 'test',
      todayMs: nowMs,
      signal: new AbortController().signal,
    }
    const asked = ['slots', 'types'].includes(s.call) && key === 'e1' ? untailored : service
    const run = (operation: string, args = {}) => asked.operations[operation]!(args, context)
    switch (s.call) {
      case 'slots':
        return run('slots', { type: key === 'e2' ? 'filling' : 'checkup' })
      case 'hold':
      case 'release':
      case 'book':
        return run(s.call, { slot: String(s.slot) })
      case 'cancel':
      case 'confirm':
        return run(s.call, { appointment: String(s.appointment) })
      case 'appointments':
        return run('appointments', { for: s.cancelledToo ? 'view' : 'cancel' })
      case 'register':
        return run('register', { name: `Name ${key.slice(0, 1)}` })
      case 'language':
        return run('language', { language: 'tpi' })
      case 'ended':
        return service.ended?.(key, 'idle')
      case 'tick':
        return outbox.tick()
      case 'forget':
        return forgetOld(sql, nowMs, 20 * HOUR)
      case 'late':
        return outbox.late({ id: String(s.appointment), line: 'test', part: 1 }, s.late)
      case 'receipt':
        return outbox.applyReceipt({
          line: 'test',
          messageId: s.id,
          state: s.state,
          error: '000',
          from: msisdn,
          doneMs: null,
          reference: s.reference,
        })
      case 'die': {
        // written, and its daemon is gone
        const [now, until, lease] = [new Date(nowMs), new Date(nowMs + 30_000), `lease ${n}`]
        const wants = JSON.stringify({ test: 1 })
        const rest = { heads: null, quiet: JSON.stringify({ [ZONE]: null }), services: '{}' }
        const rows = await CLAIM(sql, { now, today: now, lease, until, wants, other: 1, ...rest })
        const taken = rows.map(({ id }) => ({ id, lease, line: 'test', parts: 3 }))
        const given = { rows: JSON.stringify(taken), taken: `{${taken.map(({ id }) => id)}}`, ids: '[]', keys: '[]' }
        if (s.cancelledToo && rows.length > 0) await TAKE_PARTS(sql, { ...given, until })
        return rows
          .map(({ taken: _taken, since: _since, ...row }) => row)
          .toSorted((a, b) => Number(a.id) - Number(b.id))
      }
      default:
        return run(s.call)
    }
  }

  it('answer the same to the same calls, and hold the same rows afterwards', async function () {
    this.timeout(120_000)
    const seen = new Set<string>()
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40, size: 'max' }), async (steps) => {
        nowMs = START
        const [model, server] = await both()
        for (const [n, s] of steps.entries()) {
          nowMs += s.waitMs
          outcome = s.outcome
          const said = `step ${n}: ${JSON.stringify(s)}`
          if (s.call === 'opt-out') await Promise.all([model, server].map((one) => one.optOut(s.msisdn)))
          else {
            const [expected, answered] = [await outcomeOf(call(server, s, n)), await outcomeOf(call(model, s, n))]
            assert.deepEqual(answered, expected, said)
            seen.add(`${s.call} ${nameOf(expected)}`)
          }
          assert.deepEqual(await model.tables(), await server.tables(), `after ${said}`)
        }
        for (const row of ((await server.tables()) as { sms: { state: string }[] }).sms) seen.add(`sms ${row.state}`)
      }),
      { numRuns: Number(process.env.FC_RUNS ?? 40), seed: Number(process.env.FC_SEED ?? 2), examples: [[WAYS]] },
    )
    for (const is of [
      'book data',
      'book slot-taken',
      'book no-profile',
      'hold data',
      'cancel data',
      'late true',
      'receipt matched',
      'receipt early',
      'sms ambiguous',
      'sms delivered',
      'sms cancelled',
      'sms failed',
      'sms expired',
    ]) {
      assert.ok(seen.has(is), `no sequence came to '${is}': the property shows less than it says`)
    }
  })
})

async function outcomeOf(calling: Promise<unknown>): Promise<unknown> {
  const answer = await calling
  return answer instanceof Refusal ? { refusal: answer.refusal } : answer
}

function nameOf(answer: unknown): string {
  if (typeof answer === 'object' && answer !== null) return 'refusal' in answer ? String(answer.refusal) : 'data'
  return String(answer)
}

/** A row of either side: numbers for bigints, and of a lease only that there is one. */
function plain(row: object): object {
  const entries = Object.entries(row).map(([name, value]: [string, unknown]) => {
    if (['id', 'slot', 'sms'].includes(name)) return [name, Number(value)]
    return name === 'lease' && value !== null && !String(value).startsWith('lease') ? [name, 'leased'] : [name, value]
  })
  return Object.fromEntries(entries.toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1)))
}
