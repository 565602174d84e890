/**
 * What `subscriber show` costs the database beside many other records and SMS: a schema of its own is filled, asked,
 * and dropped. `node --import tsx bench/subscriber.ts --rows 2000000`: some 1 GB of disk until it ends.
 */
import { randomBytes } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import knexFactory from 'knex'
import { rowsOfSubscriber } from '../src/enquiry/index.ts'
import { migrate } from '../src/store/postgres/migrate.ts'
import { openPostgres } from '../src/store/postgres/connection.ts'

const ROWS_MAX = 5_000_000
const PAGE = 250_000
const DAYS = 30
const SUBSCRIBERS = 50_000
const ASKED = 200

const url = process.env.TEST_POSTGRES_URL ?? 'postgres://postgres@127.0.0.1:5432/postgres'
const at = process.argv.indexOf('--rows')
const rows = Math.min(ROWS_MAX, at < 0 ? 2_000_000 : Number(process.argv[at + 1]))
const schema = `bench_${randomBytes(5).toString('hex')}`
const admin = knexFactory({ client: 'pg', connection: url, pool: { min: 0, max: 1 } })
const say = (line: string) => process.stdout.write(`${line}\n`)

/** The same for every row: the time of row `n`, within the last days. */
const AT = `now() - (n * interval '1 second' * ${DAYS * 86_400} / ?::bigint)`

await admin.raw(`CREATE SCHEMA ${schema}`)
try {
  const db = await openPostgres({ url, searchPath: [schema], statementMs: 600_000, queryMs: 600_000 })
  try {
    await migrate(db.knex)
    for (let day = 0; day <= DAYS; day++)
      await db.knex.raw(
        `DO $$ BEGIN EXECUTE format('CREATE TABLE IF NOT EXISTS cdr_b%s PARTITION OF cdr FOR VALUES FROM (%L) TO (%L)', ${day}, current_date - ${day}, current_date - ${day} + 1); END $$`,
      )
    for (let from = 1; from <= rows; from += PAGE) {
      const until = Math.min(rows, from + PAGE - 1)
      await db.knex.raw(
        `INSERT INTO cdr (day, epoch, kind, opened_at, ended_at, msisdn, line, code, flow, reason, screen, turns, total_ms, wait_ms,
          backend_ms, language, channel, instance, path, parts, detail, calls)
        SELECT CAST(at AT TIME ZONE 'UTC' AS date), 'e' || n, 'dialogue', at, at, (67570000000 + n % ${SUBSCRIBERS})::text, 'l', '*384#', 'topup@9f2c01ab77de', 'completed',
          'done', 4, 18250, 17800, 310, 'en', 'ussd', 'd1', 'main:1/4>name:*/11>sure:1/3', 0, '', '4.0!wallet.topup=data/240@4310'
        FROM (SELECT n, ${AT} AS at FROM generate_series(?::int, ?::int) n) made`,
        [rows, from, until],
      )
      await db.knex.raw(
        `INSERT INTO sms_outbox (subject, kind, state, msisdn, text, due_at, expires_at, wake_at, created_at, submitted_at, settled_at, recorded)
        SELECT 's' || n, 'reminder', 'delivered', (67570000000 + n % ${SUBSCRIBERS})::text, 'x', at, at, at, at, at, at, true
        FROM (SELECT n, ${AT} AS at FROM generate_series(?::int, ?::int) n) made`,
        [rows, from, until],
      )
      say(`${until} records and SMS`)
    }
    await db.knex.raw('ANALYZE')
    const took: number[] = []
    for (let i = 0; i < ASKED; i++) {
      const msisdn = String(67570000000 + ((i * 7919) % SUBSCRIBERS))
      const begun = performance.now()
      const now = Date.parse(new Date(performance.timeOrigin + begun).toISOString())
      await rowsOfSubscriber(db.sql, { msisdn, sinceMs: now - 7 * 86_400_000, untilMs: now, open: [] })
      took.push(performance.now() - begun)
    }
    took.sort((a, b) => a - b)
    const quantile = (share: number) => took[Math.floor(share * (took.length - 1))]!.toFixed(1)
    say(
      `of ${rows} records and ${rows} SMS, a week of one subscriber: p50 ${quantile(0.5)} ms, p99 ${quantile(0.99)} ms, slowest ${quantile(1)} ms`,
    )
  } finally {
    await db.close()
  }
} finally {
  await admin.raw(`DROP SCHEMA IF EXISTS ${schema} CASCADE`)
  await admin.destroy()
}
