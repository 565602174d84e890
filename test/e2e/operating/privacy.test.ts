import assert from 'node:assert/strict'
import { Redis } from 'ioredis'
import { PERSONAL_TABLES } from '../../../samples/dental/module.ts'
import type { Knex } from 'knex'
import { purgeOnce } from '../../../src/daemon/records/retention.ts'
import { uuidV7 } from '../../../src/base/ids.ts'
import { silentLog } from '../../../src/base/log/port.ts'
import { erasePerson } from '../../../src/privacy/erasure.ts'
import { exportSubscriber, PERSONAL } from '../../../src/privacy/subscriber.ts'
import { realClock } from '../../support/clock.ts'
import { FROZEN, stageDaemon, type Staged } from '../../support/daemon.ts'
import { dentalOn } from '../../support/dental.ts'
import { foreignSmsc } from '../../support/foreign-smsc.ts'
import { describeWith, services, until } from '../../support/services.ts'

const JOHN = '67570000001'
const MARY = '67570000002'

describeWith(['redis', 'postgres'], 'what is kept of a subscriber', () => {
  let smsc: Awaited<ReturnType<typeof foreignSmsc>>
  let staged: Staged
  const parts = () => ({
    ...staged.daemon.stores,
    groups: ['test'],
    services: staged.settings.services,
    pseudonym: (msisdn: string) => `erased-${msisdn.slice(-1)}`,
    modules: [dentalModule()],
    clock: realClock,
  })
  const dentalModule = () => ({
    name: 'dental',
    module: dentalOn({ sql: staged.daemon.stores.sql, clock: realClock }),
  })

  before(async () => {
    smsc = await foreignSmsc()
    staged = await stageDaemon({ smscPort: smsc.port })
    for (const msisdn of [JOHN, MARY]) {
      const phone = smsc.phone(msisdn)
      await phone.dial('*123#')
      for (const key of ['2', '2', '1', '1']) await phone.answer(key)
      await staged.knex('sms_opt_out').insert({ msisdn, opted_out_at: new Date() })
      await staged.knex('subscriber_language').insert({ msisdn, language: 'tpi', chosen_at: new Date() })
      await staged.knex('sms_incoming').insert({ msisdn, digest: 'x', received_at: new Date() })
    }
  })
  after(async () => {
    await staged?.close()
    smsc?.stop()
  })

  it('the list of what is personal is whole: every column that holds a number is in it', async () => {
    const { rows } = await staged.knex.raw(`SELECT table_name, column_name FROM information_schema.columns
      WHERE table_schema = current_schema() AND column_name ~ 'msisdn|sender|source|destination|phone' AND table_name <> 'flow_revision'
        AND table_name NOT IN (SELECT CAST(CAST(inhrelid AS regclass) AS text) FROM pg_inherits)`)
    const found = (rows as { table_name: string; column_name: string }[]).map(
      (row) => `${row.table_name}.${row.column_name}`,
    )
    const known = [...PERSONAL, ...PERSONAL_TABLES].map(({ table, column }) => `${table}.${column}`)
    assert.deepEqual(found.toSorted(), known.toSorted())
  })

  it('is handed out whole', async () => {
    const { dialogues, tables } = await exportSubscriber(parts(), JOHN)
    assert.equal(dialogues.length, 1)
    for (const table of [
      'dental_profile',
      'dental_appointment',
      'sms_outbox',
      'sms_opt_out',
      'sms_incoming',
      'subscriber_language',
    ]) {
      assert.ok(tables[table]!.length > 0, table)
    }
    assert.doesNotMatch(JSON.stringify({ dialogues, tables }), new RegExp(MARY))
  })

  it('is removed from every table, every key, and was never in logs or figures; others keep theirs', async () => {
    await until(async () => {
      const {
        rows: [row],
      } = await staged.knex.raw(`SELECT (SELECT count(*) FROM sms_receipt_orphan)
        + (SELECT count(*) FROM sms_outbox WHERE state IN ('submitting', 'accepted') OR (state = 'due' AND kind = 'confirmation')
          OR (NOT recorded AND state IN ('delivered', 'failed', 'expired', 'cancelled'))) AS n`)
      return Number(row.n) === 0
    }, 'SMS are still under way')
    assert.ok((await hits(JOHN)) > 0)
    const mary = await hits(MARY)
    const record = {
      day: '2026-11-30',
      kind: 'dialogue',
      opened_at: new Date(),
      ended_at: new Date(),
      msisdn: JOHN,
      line: 'test',
      code: '*123#',
    }
    const nothing = {
      flow: '',
      reason: 'idle',
      screen: '',
      turns: 1,
      total_ms: 0,
      wait_ms: 0,
      backend_ms: 0,
      language: '',
      channel: 'ussd',
    }
    for (const [epoch, file] of [
      ['billed-1', 17],
      ['billed-2', 18],
      ['billed-3', null],
    ])
      await staged
        .knex('cdr')
        .insert({ ...record, ...nothing, epoch, file, instance: '', path: '', parts: 0, detail: '' })
    const erased = await erasePerson(parts(), JOHN, false)
    // What billing needs stays, and says that it is one subscriber; what was handed over is named.
    const kept = (await staged.knex('cdr').whereLike('epoch', 'billed-%').pluck('msisdn')) as string[]
    assert.deepEqual(
      [kept, erased.files],
      [
        ['erased-1', 'erased-1', 'erased-1'],
        ['18', '17'],
      ],
    )
    assert.ok(erased.records >= 3)
    assert.ok(
      erased.dialogues === 1 &&
        erased.modules > 0 &&
        erased.language === 1 &&
        erased.sms > 0 &&
        erased.optOut === 'removed',
    )
    assert.equal(await hits(JOHN), 0)
    assert.equal(await hits(MARY), mary)
    assert.doesNotMatch(JSON.stringify(staged.logged()), new RegExp(`${JOHN}|${MARY}`))
    assert.doesNotMatch(await staged.daemon.metrics.registry.metrics(), new RegExp(`${JOHN}|${MARY}`))
    assert.deepEqual(await erasePerson(parts(), JOHN, false), {
      dialogues: 0,
      modules: 0,
      deferred: 0,
      pin: 0,
      language: 0,
      records: 0,
      texts: 0,
      files: [],
      isInFiles: false,
      sms: 0,
      optOut: 'none',
      failed: [],
      daemons: [],
    })
  })

  it('the wish for no SMS stays where that is asked for', async () => {
    assert.equal((await erasePerson(parts(), MARY, true)).optOut, 'kept')
    assert.equal(await hits(MARY), 1)
  })

  it('of a flow that is edited every minute, the newest stay, and those that a dialogue or a decision rests on', async () => {
    const { knex, settings, daemon } = staged
    const now = realClock.now()
    const name = 'minutely'
    const rows = Array.from({ length: 130 }, (_, n) => ({
      revision: `${name}@${String(n).padStart(12, '0')}`,
      name,
      source: '{}',
      created_at: new Date(now - (n + 1) * 3_600_000),
    }))
    await knex('flow_revision').insert(rows)
    await knex('flow_release').insert({ name, active: rows[120]!.revision })
    await knex('flow_recall').insert({ revision: rows[129]!.revision, name, texts: '{}', recalled_by: 'x' })
    const census = { open: new Map([[rows[125]!.revision, 1]]), whole: true }
    const run = (whole: boolean) =>
      purgeOnce({
        settings,
        sql: daemon.stores.sql,
        knex,
        clock: { ...realClock, today: () => FROZEN },
        log: silentLog,
        metrics: daemon.metrics,
        modules: [dentalModule()],
        dialogues: { census: async () => ({ ...census, whole }) } as never,
        flows: { wanted: () => [rows[110]!.revision] } as never,
      })
    const left = async () =>
      (await knex('flow_revision').where({ name }).orderBy('revision').pluck('revision')) as string[]
    await run(false)
    assert.equal((await left()).length, 130, 'nobody knows which are in use')
    await run(true)
    assert.deepEqual(
      await left(),
      [...rows.slice(0, 100), rows[110]!, rows[120]!, rows[125]!].map(({ revision }) => revision),
    )
    assert.equal((await knex('flow_recall').where({ name })).length, 0)
    await knex('flow_revision').where({ name }).delete()
    await knex('flow_release').where({ name }).delete()
  })

  it('goes by itself when it is old enough, and no sooner', async () => {
    const { knex, settings, daemon } = staged
    settings.retention = {
      smsDays: 90,
      lineEventsDays: 90,
      appointmentsMonths: 24,
      idleMonths: 24,
      flowEventsDays: 730,
      auditDays: 730,
      flowEventsMax: 10_000,
      flowRevisionsDays: 365,
      flowRevisionsMax: 100,
    }
    const now = realClock.now()
    const day = 86_400_000
    const inForce = await knex('flow_revision').first<{ revision: string }>('revision')
    const name = inForce.revision.split('@')[0]!
    await knex('flow_revision').insert([
      { revision: `${name}@000000000001`, name, source: '{}', created_at: new Date(now - 500 * day) },
      { revision: `${name}@000000000002`, name, source: '{}', created_at: new Date(now - 400 * day) },
    ])
    const run = (todayMs: number) =>
      purgeOnce({
        settings,
        sql: daemon.stores.sql,
        knex,
        clock: { ...realClock, today: () => todayMs },
        log: silentLog,
        metrics: daemon.metrics,
        modules: [dentalModule()],
        dialogues: daemon.stores.dialogues,
        flows: { wanted: () => [inForce.revision] } as never,
      })
    const count = async (table: string) => Number((await knex(table).count('* as n'))[0]!.n)
    const before = await count('dental_appointment')
    await run(FROZEN)
    assert.equal(await count('dental_appointment'), before)
    // Of the two old ones, the second has been superseded today only.
    const left = (await knex('flow_revision').where('revision', 'like', `${name}@00000%`).pluck('revision')) as string[]
    assert.deepEqual(left, [`${name}@000000000002`])
    await run(FROZEN + 24 * 40 * day)
    assert.equal(await count('dental_appointment'), 0)
    assert.equal(
      await daemon.metrics.value('retention_purged_total', { what: 'appointments', backend: 'dental' }),
      before,
    )
    assert.equal(await daemon.metrics.value('retention_purged_total', { what: 'flow_revisions', backend: '' }), 27 + 1)
  })

  it("forgets what a subscriber has not used for long, whose number may be another's by now, and holds that nobody gave back", async () => {
    const { knex, settings, daemon } = staged
    const now = realClock.now()
    const day = 86_400_000
    const old = new Date(now - 721 * day)
    const epoch = (ms: number) => uuidV7(ms, () => new Uint8Array(10))
    const pin = (msisdn: string, changed_at: Date, verified_in: string | null) => ({ msisdn, changed_at, verified_in })
    await knex('pin').insert([
      pin('1', old, null),
      pin('2', old, epoch(now - 721 * day)),
      pin('3', old, epoch(now - 700 * day)),
      pin('4', new Date(now), null),
      pin('5', old, 'odd'),
    ])
    await knex('subscriber_language').insert([
      { msisdn: '1', language: 'en', chosen_at: old },
      { msisdn: '2', language: 'en', chosen_at: new Date(now - 700 * day) },
    ])
    const slots = (await knex('dental_slot').limit(2).pluck('id')) as string[]
    await knex('dental_hold').insert(
      slots.map((slot, i) => ({ slot, epoch: `e${i}`, msisdn: '1', expires_at: new Date(now - i * 2 * day) })),
    )
    await purgeOnce({
      settings,
      sql: daemon.stores.sql,
      knex,
      clock: { ...realClock, today: () => FROZEN },
      log: silentLog,
      metrics: daemon.metrics,
      modules: [dentalModule()],
      flows: { wanted: () => [] } as never,
      dialogues: daemon.stores.dialogues,
    })
    assert.deepEqual(await knex('pin').orderBy('msisdn').pluck('msisdn'), ['3', '4'])
    assert.deepEqual(await knex('subscriber_language').pluck('msisdn'), ['2'])
    assert.deepEqual(await knex('dental_hold').pluck('epoch'), ['e0'])
  })

  it('goes although a module fails: that one is named and counted, and stops no other', async () => {
    const { knex, settings, daemon } = staged
    const now = realClock.now()
    const old = new Date(now - 3 * 86_400_000)
    const [slot] = (await knex('dental_slot').limit(1).pluck('id')) as string[]
    await knex('dental_hold').insert({ slot, epoch: 'old', msisdn: '1', expires_at: old }).onConflict('slot').merge()
    const modules = [
      {
        name: 'broken',
        module: {
          purge: async () => {
            throw new Error('the table is gone')
          },
        },
      },
      { name: 'odd', module: { purge: async () => ({ 'Mary 67570000002': 1 }) } },
      { name: 'silent', module: {} },
      dentalModule(),
    ]
    const said: unknown[] = []
    const log = { ...silentLog, warn: (fields: unknown) => void said.push(fields) } as typeof silentLog
    const { metrics, stores } = daemon
    const failed = (backend: string) => metrics.value('module_purge_failed_total', { backend })
    const flows = { wanted: () => [] } as never
    const clock = { ...realClock, today: () => FROZEN }
    await purgeOnce({
      settings,
      sql: stores.sql,
      knex,
      clock,
      log,
      metrics,
      modules,
      flows,
      dialogues: stores.dialogues,
    })
    assert.deepEqual(await knex('dental_hold').where({ epoch: 'old' }), [])
    assert.deepEqual(said, [
      { backend: 'broken', why: 'the table is gone' },
      { backend: 'odd', why: 'purge must answer counts of rows, by at most 20 words such as { visits: 12 }' },
    ])
    assert.deepEqual([await failed('broken'), await failed('odd'), await failed('dental')], [1, 1, 0])
  })

  it('is removed although a module fails: that one is named', async () => {
    const msisdn = '67570000077'
    await staged.knex('dental_profile').insert({ msisdn, name: 'Ann', language: 'en', created_at: new Date() })
    await staged.knex('subscriber_language').insert({ msisdn, language: 'tpi', chosen_at: new Date() })
    const broken = {
      name: 'broken',
      module: {
        subscriber: {
          export: async () => ({}),
          erase: async () => {
            throw new Error('the table is gone')
          },
        },
      },
    }
    const erased = await erasePerson({ ...parts(), modules: [broken, dentalModule()] }, msisdn, false)
    assert.deepEqual(erased.failed, [{ backend: 'broken', why: 'the table is gone' }])
    assert.deepEqual([erased.modules, erased.language], [1, 1])
    assert.equal(await hits(msisdn), 0)
  })

  /** Rows of all tables and keys of Redis, read as text, that have this number in them. */
  async function hits(msisdn: string): Promise<number> {
    return (await rowsWith(staged.knex, msisdn)) + (await keysWith(msisdn))
  }

  async function rowsWith(knex: Knex, msisdn: string): Promise<number> {
    const { rows } = await knex.raw('SELECT tablename FROM pg_tables WHERE schemaname = current_schema()')
    const counts = await Promise.all(
      (rows as { tablename: string }[]).map(async ({ tablename }) => {
        const {
          rows: [row],
        } = await knex.raw('SELECT count(*)::int AS n FROM ?? t WHERE CAST(t AS text) LIKE ?', [
          tablename,
          `%${msisdn}%`,
        ])
        return row.n as number
      }),
    )
    return counts.reduce((sum, n) => sum + n, 0)
  }

  async function keysWith(msisdn: string): Promise<number> {
    const redis = new Redis(services.redisUrl!)
    const { prefix } = staged.settings.redis as { prefix: string }
    try {
      const keys = await redis.keys(`${prefix}:*`)
      const values = await Promise.all(
        keys.map(
          async (key) =>
            key +
            JSON.stringify(
              (await redis.type(key)) === 'zset' ? await redis.zrange(key, '0', '-1') : await redis.get(key),
            ),
        ),
      )
      return values.filter((text) => text.includes(msisdn)).length
    } finally {
      redis.disconnect()
    }
  }
})
