/**
 * Very many call detail records of a million subscribers in 90 days, their SMS, and sums of the funnel: what a large
 * operator has. Each day is written without indexes and gets them when it is attached, unlogged, so that 50 million
 * take minutes.
 */
import { readFileSync, statfsSync } from 'node:fs'
import { loadavg } from 'node:os'
import { performance } from 'node:perf_hooks'
import type { Knex } from 'knex'
import { FINE_DAYS, FUNNEL_SPANS } from '../src/records/funnel.ts'
import { numberOf } from './options.ts'

const ROWS_MAX = 100_000_000
const ROW_OCTETS = 600
/** One SMS for so many records. */
const SMS_SHARE = 10
export const DAYS = 90
/** Of one subscriber in all days: somebody who dials each second day. */
const EACH = 50
const DAY_MS = 86_400_000

export const say = (line: string) => process.stdout.write(`${line}\n`)
const load = () => `load ${loadavg()[0]!.toFixed(1)}`
export const today = Date.parse(`${new Date(performance.timeOrigin).toISOString().slice(0, 10)}T00:00:00Z`)
const dayAgo = (days: number) => new Date(today - days * DAY_MS).toISOString().slice(0, 10)

/** Of every record that is made: what the page of one dialogue draws. */
export interface Pattern {
  line: string
  code: string
  flow: string
  reason: string
  screen: string
  turns: number
  path: string
  calls: string | null
}

export interface Many {
  rows: number
  subscribers: number
}

/** As many as `--rows` says. Throws if the disk does not have the room. */
export function manyAsked(): Many {
  const rows = Math.min(ROWS_MAX, numberOf('--rows', 2_000_000))
  const { bavail, bsize } = statfsSync('/var/lib')
  if (bavail * bsize < rows * ROW_OCTETS + 10e9)
    throw new Error(
      `${rows} rows take some ${Math.ceil((rows * ROW_OCTETS) / 1e9)} GB, and that much is not free: give fewer --rows`,
    )
  return { rows, subscribers: Math.max(1, Math.floor(rows / EACH)) }
}

export const msisdnOfMany = ({ subscribers }: Many, n: number) => String(67570000000 + (n % subscribers))

/** The tables are there, without a record. */
export async function fillMany(knex: Knex, many: Many, pattern: Pattern): Promise<void> {
  const begunMs = performance.now()
  const since = () => `${((performance.now() - begunMs) / 1_000).toFixed(0)} s`
  for (let day = 0; day < DAYS; day++) {
    await fillDay(knex, day, many, pattern)
    if (day % 10 === 9) say(`${day + 1} of ${DAYS} days, ${since()}, ${load()}`)
  }
  await fillSms(knex, many, pattern)
  await fillFunnel(knex, many, pattern)
  await knex.raw('ANALYZE')
  const sms = Math.floor(many.rows / SMS_SHARE)
  say(`${many.rows} records of ${many.subscribers} subscribers in ${DAYS} days, ${sms} SMS: ${since()}, ${load()}`)
}

const msisdn = ({ subscribers }: Many) => `(67570000000 + n * 7919 % ${subscribers})::text`

/** Those of the day that was so many days ago. */
async function fillDay(knex: Knex, day: number, many: Many, of: Pattern): Promise<void> {
  const each = Math.floor(many.rows / DAYS)
  const name = `cdr_b${day}`
  const begin = `timestamptz '${dayAgo(day)}T00:00:00Z'`
  // The epoch as ours: time, then random.
  const epoch = `lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0')`
  const uuid = `substr(h, 1, 8) || '-' || substr(h, 9, 4) || '-7000-8000-' || lpad(to_hex(n), 12, '0')`
  await knex.raw(`CREATE UNLOGGED TABLE ${name} (LIKE cdr INCLUDING DEFAULTS INCLUDING CONSTRAINTS)`)
  await knex.raw(
    `INSERT INTO ${name} (day, epoch, kind, opened_at, ended_at, msisdn, line, code, flow, reason, screen, turns, total_ms, wait_ms,
      backend_ms, language, channel, instance, path, parts, detail, calls, file)
    SELECT date '${dayAgo(day)}', ${uuid}, 'dialogue', at, at + interval '18 seconds', ${msisdn(many)}, :line, :code, :flow,
      :reason, :screen, :turns, 18250, 17800, 310, 'en', 'ussd', 'd1', :path, 0, '', :calls, 0
    FROM (SELECT n, at, ${epoch} AS h FROM (
      SELECT n::bigint, ${begin} + (n % ${each}) * (interval '1 day' / ${each}) AS at
      FROM generate_series(${day * each + 1}, ${(day + 1) * each}) n) timed) made`,
    { ...of },
  )
  await knex.raw(
    `ALTER TABLE cdr ATTACH PARTITION ${name} FOR VALUES FROM ('${dayAgo(day)}') TO ('${dayAgo(day - 1)}')`,
  )
}

/** One in 50 was refused, one in 200 came too late, and one in 200 is due next week. */
async function fillSms(knex: Knex, many: Many, { line }: Pattern): Promise<void> {
  const { rows: indexes } = (await knex.raw(
    `SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema() AND tablename = 'sms_outbox'
      AND indexname NOT IN (SELECT conname FROM pg_constraint)`,
  )) as { rows: { indexname: string; indexdef: string }[] }
  for (const { indexname } of indexes) await knex.raw(`DROP INDEX ${indexname}`)
  const sms = Math.floor(many.rows / SMS_SHARE)
  await knex.raw(
    `INSERT INTO sms_outbox (subject, kind, state, line, msisdn, text, due_at, expires_at, wake_at, created_at, submitted_at,
      settled_at, recorded, attempts, last_error, last_status)
    SELECT 's' || n, 'reminder', state, :line, ${msisdn(many)}, 'Your appointment is tomorrow at ten.', due, due, due, at,
      CASE WHEN state IN ('delivered', 'failed') THEN at END, CASE WHEN state <> 'due' THEN at END, state <> 'due',
      CASE WHEN state IN ('delivered', 'failed') THEN 1 ELSE 0 END,
      CASE WHEN state = 'failed' THEN 'refused' END, CASE WHEN state = 'failed' THEN 11 END
    FROM (SELECT n, at, state, CASE WHEN state = 'due' THEN now() + interval '7 days' ELSE at END AS due
      FROM (SELECT n::bigint, now() - n * (interval '${DAYS} days' / ${sms}) AS at,
        CASE WHEN n % 50 = 0 THEN 'failed' WHEN n % 200 = 1 THEN 'expired' WHEN n % 200 = 2 THEN 'due'
          ELSE 'delivered' END AS state FROM generate_series(1, ${sms}) n) numbered) made`,
    { line },
  )
  for (const { indexdef } of indexes) await knex.raw(indexdef)
}

/** What the writer of records would have summed, for twenty screens and the revision before, too. */
async function fillFunnel(knex: Knex, { rows }: Many, { flow }: Pattern): Promise<void> {
  const perDay = Math.floor(rows / DAYS)
  const [name] = flow.split('@')
  const [fine] = FUNNEL_SPANS
  for (const span of FUNNEL_SPANS)
    await knex.raw(
      `INSERT INTO flow_funnel (flow, span, at, revision, screen, reached, place, times, ended, chosen, cut)
      SELECT :name, ${span}, at, revision, screen, reached, reached, times, '{"hung-up": 3, "idle": 2}', '{"1": 9, "2": 7}', 0
      FROM generate_series(timestamptz '${dayAgo(span === fine ? FINE_DAYS : DAYS)}T00:00:00Z', now(), interval '${span} seconds') at
      CROSS JOIN unnest(ARRAY[:flow, :before]) revision
      CROSS JOIN (SELECT CASE WHEN n = 0 THEN '' ELSE 's' || n END AS screen, GREATEST(1, CAST(${perDay} AS bigint) * ${span} / 86400 / (n + 1)) AS reached
        FROM generate_series(0, 20) n) screens
      CROSS JOIN (SELECT array_agg(n) AS times FROM generate_series(1, 8) n) t
      ON CONFLICT DO NOTHING`,
      { name: name!, flow, before: `${name}@000000000000` },
    )
}

/**
 * How long a process has worked, in ticks of a hundredth of a second (proc(5)): beside a load that tells
 * more than time. 0: it is gone, or on another machine.
 */
export function workedMs(pid: number): number {
  try {
    const words = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
    return (Number(words[11]) + Number(words[12])) * 10
  } catch {
    return 0
  }
}

/** Answers p95. */
export function told(what: string, took: readonly number[]): number {
  const sorted = took.toSorted((a, b) => a - b)
  const quantile = (share: number) => sorted[Math.floor(share * (sorted.length - 1))]!
  const said = (
    [
      ['p50', 0.5],
      ['p95', 0.95],
      ['p99', 0.99],
      ['slowest', 1],
    ] as const
  ).map(([name, share]) => `${name} ${quantile(share).toFixed(1)}`)
  say(`${what}: ${said.join(', ')} ms (${load()})`)
  return quantile(0.95)
}
