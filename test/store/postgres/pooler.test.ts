import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { statement } from '../../../src/base/sql.ts'
import { checkPostgres } from '../../../src/store/postgres/check.ts'
import { openPostgres, type Postgres, type ServerSettings } from '../../../src/store/postgres/connection.ts'
import { migrate } from '../../../src/store/postgres/migrate.ts'
import { unreachable } from '../../../src/store/unreachable.ts'
import { pgbouncer, startPgbouncer } from '../../support/pgbouncer.ts'
import { describeWith, services } from '../../support/services.ts'

const LIMITS = ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout']

/** What PgBouncer answers where a statement's name is another connection's: it is not there, or is there already. */
const FOREIGN_NAME = /^(26000|42P05)$/

const skipped = pgbouncer ? '' : ' (skipped: no pgbouncer here; Debian has it in pgbouncer)'

describeWith(['postgres'], `behind a pooler in transaction mode${skipped}`, () => {
  // A role and its schema, no database of its own: dropping one waits for all that the server has still to write out.
  const role = `p_${randomBytes(6).toString('hex')}`
  const password = randomBytes(6).toString('hex')
  const direct = () => Object.assign(new URL(services.postgresUrl!), { username: role, password }).toString()
  const opened: { close(): Promise<void> }[] = []

  before(async function () {
    if (!pgbouncer) return this.skip()
    await byHand(`CREATE ROLE ${role} LOGIN PASSWORD '${password}'; CREATE SCHEMA ${role} AUTHORIZATION ${role};
      ALTER ROLE ${role} SET search_path = ${role}`)
  })
  afterEach(async () => {
    while (opened.length) await opened.pop()!.close()
  })
  after(() => (pgbouncer ? byHand(`DROP OWNED BY ${role} CASCADE; DROP ROLE ${role}`) : undefined))

  async function byHand(sql: string): Promise<void> {
    // With no limits of its own: a busy machine may take longer than a subscriber waits.
    const client = new pg.Client({ connectionString: services.postgresUrl! })
    await client.connect()
    await client.query(sql).finally(() => client.end())
  }

  async function open(settings: Partial<ServerSettings>, ignored?: string[]): Promise<Postgres> {
    const pooler = await startPgbouncer(direct(), ignored)
    opened.push({ close: () => pooler.stop() })
    const db = await openPostgres({ url: pooler.url, poolMax: 8, ...settings })
    opened.push(db)
    return db
  }

  const SLOTS = Array.from({ length: 40 }, (_, n) => n)
  const STATEMENTS = SLOTS.slice(0, 8).map((n) =>
    statement<{ n: number }>(`test-pooled-${n}`, `SELECT CAST(:given AS int) + ${n} AS n, pg_sleep(0.002)`),
  )
  const ask = async ({ sql }: Postgres, n: number) => {
    const one = STATEMENTS[n % STATEMENTS.length]!
    const [[alone], [first, second]] = await Promise.all([
      one(sql, { given: n }),
      sql.transaction(async (trx) => [(await one(trx, { given: n }))[0], (await STATEMENTS[0]!(trx, { given: n }))[0]]),
    ])
    return [alone, first, second].map((row) => row!.n - n)
  }
  const expected = (n: number) => [n % STATEMENTS.length, n % STATEMENTS.length, 0]

  it('the daemon is told so at once, and what to set', async () => {
    const db = await open({})
    const error = await db.sql
      .run({ name: '', text: 'SELECT 1', parameters: [], mayShare: false }, {})
      .catch((why: unknown) => why)
    assert.match(String(unreachable(error, 'postgres')?.remedy), /set postgres\.pooler: transaction/)
  })

  it('names of statements are those of others, and the check says that no limit is kept', async () => {
    const db = await open({}, LIMITS)
    const all = await Promise.allSettled(SLOTS.map((n) => ask(db, n)))
    const states = all.flatMap((one) => (one.status === 'rejected' ? [(one.reason as { code: string }).code] : []))
    assert.ok(
      states.some((state) => FOREIGN_NAME.test(state)),
      `no name was lost: ${states.join(' ')}`,
    )
    const { notes } = await checkPostgres(db)
    assert.match(notes.join(), /statement_timeout is 0.*postgres\.pooler: transaction/s)
  })

  it('with `pooler: transaction` the schema is brought up, and each statement and transaction is whole', async () => {
    const db = await open({ pooler: 'transaction' })
    assert.ok((await migrate(db.knex)).length > 0)
    assert.deepEqual(await Promise.all(SLOTS.map((n) => ask(db, n))), SLOTS.map(expected))
    const INSERT = statement(
      'test-pooled-insert',
      `INSERT INTO sms_opt_out VALUES (:msisdn, CAST(:now AS timestamptz))`,
    )
    const half = SLOTS.map((n) =>
      db.sql.transaction(async (trx) => {
        await INSERT(trx, { msisdn: `${n}`, now: new Date(0) })
        if (n % 2) throw new TypeError('no')
      }),
    )
    await Promise.allSettled(half)
    const kept = await db.knex('sms_opt_out').pluck<string[]>('msisdn')
    assert.deepEqual(
      kept.toSorted(),
      SLOTS.filter((n) => n % 2 === 0)
        .map(String)
        .toSorted(),
    )
  })

  it('the limits are those of the role, which the check looks at', async () => {
    const noted = async () => {
      const notes = (await checkPostgres(await open({ pooler: 'transaction' }))).notes.join('\n')
      const wanted = [...notes.matchAll(/ALTER ROLE … SET (\w+) = /g)].map(([, name]) => name!)
      return notes.includes('statement_timeout is 0') ? ['statement_timeout', ...wanted] : wanted
    }
    const set = (setting: string) => byHand(`ALTER ROLE ${role} SET ${setting}`)
    const others = [
      `jit = 'on'`,
      `enable_seqscan = 'on'`,
      'max_parallel_workers_per_gather = 2',
      'statement_timeout = 0',
    ]
    for (const setting of others) await set(setting)
    const planning = ['jit', 'enable_seqscan', 'max_parallel_workers_per_gather']
    assert.deepEqual(await noted(), ['statement_timeout', ...planning])
    await set(`statement_timeout = '2s'`)
    assert.deepEqual(await noted(), planning)
    await set(`jit = 'off'`)
    await set(`enable_seqscan = 'off'`)
    assert.deepEqual(await noted(), ['max_parallel_workers_per_gather'])
    await set('max_parallel_workers_per_gather = 0')
    assert.deepEqual(await noted(), [])
  })
})
