import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server, type Socket, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { UsageError } from '../../../src/base/errors.ts'
import { purgeOnce } from '../../../src/daemon/records/retention.ts'
import { silentLog } from '../../../src/base/log/port.ts'
import { statement } from '../../../src/base/sql.ts'
import { flowArchive } from '../../../src/store/postgres/archive.ts'
import { checkPostgres } from '../../../src/store/postgres/check.ts'
import { migrate, migrationStatus, requireMigrated } from '../../../src/store/postgres/migrate.ts'
import { openPostgres, type Postgres } from '../../../src/store/postgres/connection.ts'
import { unreachable } from '../../../src/store/unreachable.ts'
import { root } from '../../style/tree.ts'
import { realClock } from '../../support/clock.ts'
import {
  describeBoth,
  dropSchema,
  freshEmbedded,
  freshServer,
  makeSchema,
  type OpenFresh,
} from '../../support/postgres.ts'
import { describeWith, services, until } from '../../support/services.ts'

const NAMES = readdirSync(join(root, 'migrations'))
  .map((file) => file.replace(/\.ts$/, ''))
  .toSorted()

function migrations(open: OpenFresh): void {
  let db: Postgres
  beforeEach(async () => {
    db = await open()
  })
  afterEach(() => db?.close())

  it('brings an empty database up, and then has nothing more to do', async () => {
    assert.deepEqual(await migrationStatus(db.knex), { applied: [], pending: NAMES, unknown: [] })
    await assert.rejects(requireMigrated(db.knex), /lacks 001_flow_revision.*ussd-connector migrate/)
    assert.deepEqual(await migrate(db.knex), NAMES)
    assert.deepEqual(await migrate(db.knex), [])
    assert.deepEqual(await migrationStatus(db.knex), { applied: NAMES, pending: [], unknown: [] })
    await requireMigrated(db.knex)
  })

  it('refuses a schema that is newer than the code, and leaves it alone', async () => {
    await migrate(db.knex)
    await db.knex('schema_migration').insert({ name: '999_later', batch: 9, migration_time: new Date() })
    await assert.rejects(migrate(db.knex), (error) => error instanceof UsageError && /999_later/.test(error.message))
    await assert.rejects(requireMigrated(db.knex), /newer than this program/)
  })

  it('applies all or nothing', async () => {
    await db.knex.schema.createTable('dental_clinic', (table) => table.text('in_the_way'))
    await assert.rejects(migrate(db.knex), /dental_clinic/)
    assert.equal(await db.knex.schema.hasTable('flow_revision'), false)
    await db.knex.schema.dropTable('dental_clinic')
    assert.deepEqual(await migrate(db.knex), NAMES)
  })
}

describeWith(['postgres'], 'migrations (Postgres)', () => {
  migrations(freshServer)

  it('lets four daemons start at once: each migration runs once', async () => {
    const schema = await makeSchema()
    const open = () => openPostgres({ url: services.postgresUrl!, searchPath: [schema] })
    const daemons = await Promise.all([open(), open(), open(), open()])
    const applied = await Promise.all(daemons.map((daemon) => migrate(daemon.knex)))
    assert.deepEqual(applied.flat().toSorted(), NAMES)
    await Promise.all(daemons.map((daemon) => daemon.close()))
    await dropSchema(schema)
  })
})
describeWith(['postgres'], 'a migration', () => {
  it('may take longer than a subscriber would wait', async () => {
    const schema = await makeSchema()
    const open = (statementMs: number) =>
      openPostgres({ url: services.postgresUrl!, searchPath: [schema], statementMs })
    const [holder, db] = [await open(0), await open(100)]
    const lock = await holder.knex.transaction()
    await lock.raw('SELECT pg_advisory_xact_lock(7553384001)')
    const migrated = migrate(db.knex)
    const waits = async () => {
      const { rows } = await holder.knex.raw<{ rows: unknown[] }>(`SELECT FROM pg_stat_activity
        WHERE query LIKE 'SELECT pg_sleep%' AND clock_timestamp() - query_start > '110 ms'`)
      return rows.length > 0
    }
    await Promise.race([until(waits, 'it does not wait for its turn'), migrated])
    await lock.rollback()
    assert.deepEqual(await migrated, NAMES)
    await Promise.all([holder.close(), db.close()])
    await dropSchema(schema)
  })
})

describe('migrations (PGlite)', () => migrations(freshEmbedded))

describeBoth('the flow archive', (database) => {
  it('keeps what was first put under a revision, and knows nothing else', async () => {
    const archive = flowArchive(database.db.knex)
    await archive.put('dental@9f2c01ab77de', 'dental', 'flow: dental\n')
    await archive.put('dental@9f2c01ab77de', 'dental', 'flow: other\n')
    assert.equal(await archive.get('dental@9f2c01ab77de'), 'flow: dental\n')
    assert.equal(await archive.get('dental@000000000000'), undefined)
  })
})

describeWith(['postgres'], 'the pool', () => {
  it('gives up a lock and a slow statement by the limits of its settings', async () => {
    const db = await freshServer({ statementMs: 300, lockMs: 100 })
    await assert.rejects(db.knex.raw('SELECT pg_sleep(5)'), { code: '57014' })
    await db.knex.transaction(async (trx) => {
      await trx.raw('SET LOCAL statement_timeout = 0')
      await trx.raw('CREATE TABLE held (id int)')
    })
    await db.knex.transaction(async (trx) => {
      await trx.raw('LOCK TABLE held')
      await assert.rejects(db.knex.raw('SELECT * FROM held'), { code: '55P03' })
    })
    await db.close()
  })

  it('plans by indexes, and compiles nothing', async () => {
    const db = await freshServer()
    const { rows } = await db.knex.raw(
      `SELECT current_setting('jit') AS jit, current_setting('enable_seqscan') AS seqscan`,
    )
    assert.deepEqual(rows, [{ jit: 'off', seqscan: 'off' }])
    await db.close()
  })

  it('has a small table read by one process of the server', async () => {
    const db = await freshServer()
    await db.knex.raw('CREATE TABLE few (name text)')
    await db.knex.raw('VACUUM ANALYZE few')
    const explained: { rows: Record<'QUERY PLAN', string>[] } = await db.knex.raw(
      'EXPLAIN SELECT name FROM few UNION ALL SELECT name FROM few',
    )
    const plan = explained.rows.map((row) => row['QUERY PLAN']).join('\n')
    assert.match(plan, /Seq Scan on few/)
    assert.doesNotMatch(plan, /Gather|Parallel/)
    await db.close()
  })

  it('says so within the acquire limit when all connections are in use', async () => {
    const db = await freshServer({ poolMax: 1, acquireMs: 100 })
    await db.knex.transaction(async () => {
      await assert.rejects(db.knex.raw('SELECT 1'), /pool is probably full/)
    })
    await db.close()
  })

  it('gives a connection where it was our own event loop that stood still', async () => {
    const one = statement<{ n: number }>('test-one', 'SELECT 1 AS n')
    const acquireMs = 1_000
    const db = await freshServer({ poolMax: 1, acquireMs })
    const waiting = await db.sql.transaction(async (trx) => {
      await one(trx, {})
      const next = one(db.sql, {})
      const last = one(trx, {})
      for (let n = 0; n < 2; n++) await new Promise((done) => setImmediate(done)) // it is written
      const untilMs = performance.now() + acquireMs + 500
      while (performance.now() < untilMs);
      await last
      return { next }
    })
    assert.deepEqual(await waiting.next, [{ n: 1 }])
    await db.close()
  })

  it('survives the server ending its idle connections', async () => {
    const db = await freshServer({ poolMax: 2 })
    const other = await freshServer()
    const { rows } = await db.knex.raw('SELECT pg_backend_pid() AS pid')
    await other.knex.raw('SELECT pg_terminate_backend(?)', [rows[0].pid])
    await assert.doesNotReject(untilAnswers(db))
    await other.close()
    await db.close()
  })

  it('leaves a server that only lets us read, such as one that is a standby by now: the next write has a new connection', async () => {
    const db = await freshServer({ poolMax: 1 })
    await db.knex.raw('CREATE TABLE noted (id int)')
    await db.knex.raw('SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY')
    await assert.rejects(db.knex('noted').insert({ id: 1 }), { code: '25006' })
    await db.knex('noted').insert({ id: 2 })
    await db.knex.raw('SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY')
    await assert.rejects(
      db.knex.transaction((trx) => trx('noted').insert({ id: 3 })),
      { code: '25006' },
    )
    await db.knex.transaction((trx) => trx('noted').insert({ id: 4 }))
    assert.deepEqual(await db.knex('noted').pluck('id').orderBy('id'), [2, 4])
    await db.close()
  })

  it('destroys a connection whose server went silent, and the next query has a new one', async () => {
    const proxy = await silentProxy()
    const url = new URL(services.postgresUrl!)
    const real = Number(url.port || 5432)
    proxy.to(real)
    url.port = String(proxy.port)
    const db = await openPostgres({ url: url.toString(), queryMs: 200, poolMax: 1 })
    await db.knex.raw('SELECT 1')
    proxy.silence()
    await assert.rejects(db.knex.raw('SELECT 2'), /Query read timeout/)
    const { rows } = await db.knex.raw('SELECT 3 AS three')
    assert.equal(rows[0].three, 3)
    assert.equal(proxy.connections(), 2)
    await db.close()
    await proxy.close()
  })
})

describeWith(['postgres'], 'a server that ends in the middle of a question', () => {
  it('is away for a while: a start tries again', async () => {
    const db = await openPostgres({ url: services.postgresUrl!, poolMax: 1 })
    const question = db.knex.raw('SELECT pg_backend_pid(), pg_sleep(20)').then(String, (error: unknown) => error)
    const other = await openPostgres({ url: services.postgresUrl! })
    const hangUp = async () => {
      const { rows } = await other.knex.raw<{ rows: unknown[] }>(`SELECT pg_terminate_backend(pid)
        FROM pg_stat_activity WHERE query LIKE 'SELECT pg_backend_pid(), pg_sleep(20)%' AND pid <> pg_backend_pid()`)
      return rows.length > 0
    }
    await until(hangUp, 'nobody asks')
    const ended = await question
    for (const error of [
      ended,
      new Error('SELECT 1 - Connection terminated unexpectedly'),
      new Error('Knex: Timeout acquiring a connection. The pool is probably full.'),
    ])
      assert.equal(unreachable(error, 'postgres')?.passes, true, String(error))
    await Promise.all([db.close(), other.close()])
  })
})

describeBoth('what /ready says of Postgres', (database) => {
  it('is that it answers, and whether nobody takes statistics', async () => {
    const { rows } = await database.db.knex.raw('SHOW autovacuum')
    const { ok, kind, notes } = await checkPostgres(database.db)
    assert.deepEqual({ ok, kind }, { ok: true, kind: database.kind })
    assert.deepEqual(
      notes.map((note) => /^autovacuum is off: .*VACUUM \(ANALYZE\)/.test(note)),
      rows[0].autovacuum === 'off' ? [true] : [],
    )
  })
})

describeWith(['postgres'], 'what /ready says of Postgres', () => {
  it('is that autovacuum is off, where the server says so', async () => {
    const knex = { raw: () => ({ timeout: async () => ({ rows: [{ autovacuum: 'off' }] }) }) }
    const stub = { sql: undefined as never, knex: knex as never, kind: 'server' as const, close: async () => undefined }
    const { ok, notes } = await checkPostgres(stub)
    assert.equal(ok, true)
    assert.match(notes[0]!, /autovacuum is off/)
  })
  it('is that it takes nothing, where it only lets us read', async () => {
    const url = new URL(services.postgresUrl!)
    url.searchParams.set('options', '-c default_transaction_read_only=on')
    const db = await openPostgres({ url: url.toString() })
    const { ok, notes } = await checkPostgres(db)
    await db.close()
    assert.equal(ok, false)
    assert.match(notes[0]!, /^read-only: /)
  })
  it('is why it does not answer', async () => {
    const db = await openPostgres({ url: 'postgres://nobody@127.0.0.1:1/none' })
    const { ok, notes } = await checkPostgres(db)
    assert.equal(ok, false)
    assert.match(notes[0]!, /ECONNREFUSED/)
    await db.close()
  })
})

describe('the embedded database', () => {
  it('has statistics taken by the hourly purge: it has no autovacuum, and plans made for empty tables grow slow', async () => {
    const { sql, knex, close } = await freshEmbedded()
    await migrate(knex)
    await knex('dental_type').insert({ id: 'checkup', position: 1 })
    const known = async () =>
      Number((await knex('pg_class').where({ relname: 'dental_type' }).first('reltuples')).reltuples)
    assert.equal(await known(), -1)
    await purgeOnce({
      sql,
      knex,
      clock: realClock,
      log: silentLog,
      metrics: { count: () => undefined } as never,
      settings: {
        postgres: 'embedded',
        retention: {
          smsDays: 90,
          lineEventsDays: 90,
          appointmentsMonths: 24,
          idleMonths: 24,
          flowEventsDays: 730,
          auditDays: 730,
          flowEventsMax: 10_000,
          flowRevisionsDays: 365,
          flowRevisionsMax: 100,
        },
      } as never,
      dialogues: { census: async () => ({ open: new Map(), whole: true }) } as never,
      flows: { wanted: () => [] } as never,
      modules: [],
    })
    assert.equal(await known(), 1)
    await close()
  })
  it('keeps its rows from one run to the next and refuses a second owner', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'ussd-pglite-'))
    const first = await openPostgres({ embedded: dir })
    await migrate(first.knex)
    await flowArchive(first.knex).put('a@1', 'a', 'text')
    await assert.rejects(openPostgres({ embedded: dir }), /is in use by process/)
    await first.close()
    // A container that was killed leaves a lock with the pid that the next one will have.
    writeFileSync(join(dir, 'postgres.lock'), String(process.pid))
    const second = await openPostgres({ embedded: dir })
    assert.equal(await flowArchive(second.knex).get('a@1'), 'text')
    await second.close()
    rmSync(dir, { recursive: true })
  })
})

async function untilAnswers(db: Postgres): Promise<void> {
  await db.knex.raw('SELECT 1').catch(() => db.knex.raw('SELECT 1'))
}

/** Passes octets on until it is silenced: then the connections of that moment never hear anything again. */
async function silentProxy() {
  let real = 0
  let accepted = 0
  const open = new Set<Socket>()
  const server: Server = createServer((client) => {
    accepted++
    const upstream = connect(real, '127.0.0.1')
    client.pipe(upstream).pipe(client)
    for (const socket of [client, upstream]) {
      open.add(socket)
      socket.on('error', () => undefined).on('close', () => open.delete(socket))
    }
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return {
    port: (server.address() as { port: number }).port,
    to: (port: number) => {
      real = port
    },
    connections: () => accepted,
    silence: () => {
      for (const socket of open) socket.unpipe().pause()
    },
    close: () =>
      new Promise<void>((done) => {
        for (const socket of open) socket.destroy()
        server.close(() => done())
      }),
  }
}
