/**
 * What `subscriber show` costs the database beside many other records and SMS: a schema of its own is filled, asked,
 * and dropped. `node --import tsx bench/subscriber.ts --rows 50000000`: some 400 octets of disk a record until it ends.
 * Each day is written without indexes and gets them when it is attached, unlogged, so that it takes minutes.
 */
import { randomBytes } from 'node:crypto'
import { readFileSync, statfsSync } from 'node:fs'
import { loadavg } from 'node:os'
import { performance } from 'node:perf_hooks'
import knexFactory, { type Knex } from 'knex'
import { rowsOfDialogue, rowsOfSubscriber } from '../src/enquiry/index.ts'
import { uuidV7 } from '../src/base/ids.ts'
import { migrate } from '../src/store/postgres/migrate.ts'
import { openPostgres } from '../src/store/postgres/connection.ts'

const ROWS_MAX = 100_000_000
const ROW_OCTETS = 600
/** One SMS for so many records. */
const SMS_SHARE = 10
const DAYS = 90
/** Of one subscriber in all days: somebody who dials each second day. */
const EACH = 50
const ASKED = 200

const url = process.env.TEST_POSTGRES_URL ?? 'postgres://postgres@127.0.0.1:5432/postgres'
const numberOf = (name: string, otherwise: number) => {
  const at = process.argv.indexOf(name)
  return at < 0 ? otherwise : Number(process.argv[at + 1])
}
const rows = Math.min(ROWS_MAX, numberOf('--rows', 2_000_000))
const subscribers = Math.max(1, Math.floor(rows / EACH))
const schema = `bench_${randomBytes(5).toString('hex')}`
const admin = knexFactory({ client: 'pg', connection: url, pool: { min: 0, max: 1 } })
const say = (line: string) => process.stdout.write(`${line}\n`)
const msisdn = `(67570000000 + n * 7919 % ${subscribers})::text`
const load = () => `load ${loadavg()[0]!.toFixed(1)}`
const today = Date.parse(`${new Date(performance.timeOrigin).toISOString().slice(0, 10)}T00:00:00Z`)
const dayAgo = (days: number) => new Date(today - days * 86_400_000).toISOString().slice(0, 10)

/** Those of the day that was so many days ago. */
async function fillDay(knex: Knex, day: number): Promise<void> {
  const each = Math.floor(rows / DAYS)
  const name = `cdr_b${day}`
  const begin = `timestamptz '${dayAgo(day)}T00:00:00Z'`
  // The epoch as ours: time, then random.
  const epoch = `lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0')`
  const uuid = `substr(h, 1, 8) || '-' || substr(h, 9, 4) || '-7000-8000-' || lpad(to_hex(n), 12, '0')`
  await knex.raw(`CREATE UNLOGGED TABLE ${name} (LIKE cdr INCLUDING DEFAULTS INCLUDING CONSTRAINTS)`)
  await knex.raw(
    `INSERT INTO ${name} (day, epoch, kind, opened_at, ended_at, msisdn, line, code, flow, reason, screen, turns, total_ms, wait_ms,
      backend_ms, language, channel, instance, path, parts, detail, calls, file)
    SELECT date '${dayAgo(day)}', ${uuid}, 'dialogue', at, at + interval '18 seconds', ${msisdn}, 'operator-a', '*384#', 'topup@9f2c01ab77de',
      'completed', 'done', 4, 18250, 17800, 310, 'en', 'ussd', 'd1', 'main:1/4>name:*/11>sure:1/3', 0, '',
      '4.0!wallet.topup=data/240@4310', 0
    FROM (SELECT n, at, ${epoch} AS h FROM (
      SELECT n::bigint, ${begin} + (n % ${each}) * (interval '1 day' / ${each}) AS at
      FROM generate_series(${day * each + 1}, ${(day + 1) * each}) n) timed) made`,
  )
  await knex.raw(
    `ALTER TABLE cdr ATTACH PARTITION ${name} FOR VALUES FROM ('${dayAgo(day)}') TO ('${dayAgo(day - 1)}')`,
  )
}

async function fillSms(knex: Knex): Promise<void> {
  const { rows: indexes } = (await knex.raw(
    `SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = ? AND tablename = 'sms_outbox'
      AND indexname NOT IN (SELECT conname FROM pg_constraint)`,
    [schema],
  )) as { rows: { indexname: string; indexdef: string }[] }
  for (const { indexname } of indexes) await knex.raw(`DROP INDEX ${indexname}`)
  const sms = Math.floor(rows / SMS_SHARE)
  await knex.raw(
    `INSERT INTO sms_outbox (subject, kind, state, msisdn, text, due_at, expires_at, wake_at, created_at, submitted_at, settled_at, recorded)
    SELECT 's' || n, 'reminder', 'delivered', ${msisdn}, 'Your appointment is tomorrow at ten.', at, at, at, at, at, at, true
    FROM (SELECT n::bigint, now() - n * (interval '${DAYS} days' / ${sms}) AS at FROM generate_series(1, ${sms}) n) made`,
  )
  for (const { indexdef } of indexes) await knex.raw(indexdef)
}

function told(what: string, took: number[]): void {
  took.sort((a, b) => a - b)
  const quantile = (share: number) => took[Math.floor(share * (took.length - 1))]!.toFixed(1)
  say(
    `${what}: p50 ${quantile(0.5)} ms, p95 ${quantile(0.95)} ms, p99 ${quantile(0.99)} ms, slowest ${quantile(1)} ms (${load()})`,
  )
}

/**
 * How long a process of the server has worked, in ticks of a hundredth of a second (proc(5)): beside a load that tells
 * more than time. 0: the server is on another machine.
 */
function workedMs(pid: number): number {
  try {
    const words = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
    return (Number(words[11]) + Number(words[12])) * 10
  } catch {
    return 0
  }
}

async function asked(what: string, pid: number, ask: (n: number) => Promise<unknown>): Promise<void> {
  const took: number[] = []
  const beforeMs = workedMs(pid)
  for (let n = 0; n < ASKED; n++) {
    const begun = performance.now()
    await ask(n)
    took.push(performance.now() - begun)
  }
  told(`${what}, of which the server works ${((workedMs(pid) - beforeMs) / ASKED).toFixed(1)} ms`, took)
}

const { bavail, bsize } = statfsSync('/var/lib')
if (bavail * bsize < rows * ROW_OCTETS + 10e9)
  throw new Error(
    `${rows} rows take some ${Math.ceil((rows * ROW_OCTETS) / 1e9)} GB, and that much is not free: give fewer --rows`,
  )
await admin.raw(`CREATE SCHEMA ${schema}`)
const begunMs = performance.now()
const since = () => `${((performance.now() - begunMs) / 1_000).toFixed(0)} s`
try {
  const db = await openPostgres({ url, searchPath: [schema], poolMax: 1, statementMs: 600_000, queryMs: 600_000 })
  try {
    await migrate(db.knex)
    for (let day = 0; day < DAYS; day++) {
      await fillDay(db.knex, day)
      if (day % 10 === 9) say(`${day + 1} of ${DAYS} days, ${since()}, ${load()}`)
    }
    await fillSms(db.knex)
    await db.knex.raw('ANALYZE')
    say(
      `${rows} records of ${subscribers} subscribers in ${DAYS} days, ${Math.floor(rows / SMS_SHARE)} SMS: ${since()}`,
    )
    const { rows: own } = (await db.knex.raw('SELECT pg_backend_pid() AS pid')) as { rows: [{ pid: number }] }
    const { pid } = own[0]
    const now = today + 86_400_000
    for (const days of [1, 7, 90])
      await asked(`${days} days of one subscriber`, pid, (n) => {
        const one = String(67570000000 + ((n * 104_729 + days) % subscribers))
        return rowsOfSubscriber(db.sql, { msisdn: one, sinceMs: now - days * 86_400_000, untilMs: now, open: [] })
      })
    const random = (n: number) => (octets: number) => Buffer.alloc(octets, n)
    await asked('one dialogue by its epoch', pid, (n) =>
      rowsOfDialogue(db.sql, { epoch: uuidV7(today - n * 30_000_000, random(n)), open: [] }),
    )
  } finally {
    await db.close()
  }
} finally {
  await admin.raw(`DROP SCHEMA IF EXISTS ${schema} CASCADE`)
  await admin.destroy()
}
