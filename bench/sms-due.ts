/**
 * So many SMS due in the same moment: `npm run bench -- sms --due 1000000`. The stage of the SMS lane (sms-lane.ts): the
 * daemon as it is installed, a Postgres of its own, which goes with its folder. Beside them half as many that are done
 * and old, for the purge, one subscriber with thousands of the same kind, due a moment earlier, and an OTP every two
 * seconds. Tells memory of the daemon, rate and cost as it goes, and how long an OTP and the first of the others waited.
 */
import { readFileSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import pg from 'pg'
import { cpuSeconds, familyCpuSeconds } from './processes.ts'
import { startStage, type Stage } from './stage.ts'

/** What a row takes on the disk at most, with its index entries, versions and log. */
const ROW_OCTETS = 4_096
const CROWD = 5_000
/** The simulated SMSC keeps a phone for each: a million take more memory than its process has. */
const SUBSCRIBERS_MAX = 200_000
const OTP_EVERY_MS = 2_000
const TELL_EVERY_MS = 10_000
const LOOK_MS = 200
/** A million at a thousand a second take as long. */
const LIMIT_MS = 1_200_000
/** Older than what is kept. */
const OLD = { state: 'accepted', ago: `interval '100 days'` }

export interface DueAsked {
  due: number
  before?: { name: string; root: string }
}

export async function playDue(asked: DueAsked, tell: (line: string) => void): Promise<void> {
  const { bavail, bsize } = statfsSync(tmpdir())
  if (bavail * bsize < asked.due * ROW_OCTETS)
    throw new Error(`--due ${asked.due} needs ${Math.ceil((asked.due * ROW_OCTETS) / 1e9)} GB free in ${tmpdir()}`)
  const rows = []
  for (const { name, root } of [...(asked.before ? [asked.before] : []), { name: 'this build', root: undefined }])
    rows.push({ build: name, ...(await dueRound(asked.due, root, tell)) })
  console.table(rows)
}

async function dueRound(due: number, build: string | undefined, tell: (line: string) => void) {
  const sms = { source: '123', perSecond: 10_000, receipts: false }
  // The purge begins with the daemon.
  const prepare = (url: string) => withClient(url, (on) => owe(on, { count: Math.ceil(due / 2), kind: 'old', ...OLD }))
  const stage = await startStage({ sms, window: 100, prepare, ...(build && { build }) })
  const sql = new pg.Client({ connectionString: stage.postgres })
  sql.on('error', () => undefined)
  try {
    await sql.connect()
    await owe(sql, { count: 200, kind: 'reminder' })
    await accepted(sql, 'reminder', 200)
    const restMb = memoryMb(stage)
    await sql.query('BEGIN')
    await owe(sql, { count: CROWD, kind: 'campaign', msisdn: '67570000001', ago: `interval '1 minute'` })
    await owe(sql, { count: due, kind: 'campaign' })
    await sql.query('COMMIT')
    await sql.query('ANALYZE sms_outbox')
    const told = await watched(stage, sql, { due, tell })
    const { rows } = await sql.query<{ otp: number[]; first: number; lost: string }>(
      `SELECT array(SELECT extract(epoch FROM submitted_at - created_at)::float8 * 1000 FROM sms_outbox
          WHERE kind = 'otp' AND submitted_at IS NOT NULL ORDER BY 1) AS otp,
        (SELECT extract(epoch FROM min(submitted_at) - min(created_at))::float8 * 1000 FROM sms_outbox
          WHERE kind = 'campaign' AND msisdn <> '67570000001') AS first,
        (SELECT count(*) FROM sms_outbox WHERE state IN ('failed', 'ambiguous', 'expired')) AS lost`,
    )
    const { otp, first, lost } = rows[0]!
    const at = (share: number) => Math.round(otp[Math.min(otp.length - 1, Math.floor(otp.length * share))] ?? NaN)
    const memory = { 'MB at rest': restMb, 'MB at most': told.mostMb }
    const waits = { 'OTP p50 ms': at(0.5), 'OTP p99 ms': at(0.99), 'behind the crowd ms': Math.round(first) }
    return {
      due,
      sent: told.sent,
      'SMS/s': told.perSecond,
      'CPU s per 10,000': told.cpu,
      ...memory,
      ...waits,
      lost: Number(lost),
    }
  } finally {
    await sql.end()
    await stage.stop()
  }
}

/** Until all have left, or the time is over. */
async function watched(stage: Stage, sql: pg.Client, { due, tell }: { due: number; tell(line: string): void }) {
  const sentBy = async () => (await stage.metrics()).get('sms_total') ?? 0
  const cpu = () => cpuSeconds(stage.daemon) + familyCpuSeconds(stage.postgresPid)
  const [startMs, startCpu, before] = [performance.now(), cpu(), await sentBy()]
  const all = due + CROWD
  let [sent, mostMb, toldMs, toldSent, otpMs] = [0, 0, startMs, 0, -Infinity]
  for (let nowMs = startMs; sent < all && nowMs - startMs < LIMIT_MS; nowMs = performance.now()) {
    if (nowMs - otpMs >= OTP_EVERY_MS) {
      otpMs = nowMs
      await owe(sql, { count: 1, kind: 'otp' })
    }
    mostMb = Math.max(mostMb, memoryMb(stage))
    sent = (await sentBy()) - before
    if (nowMs - toldMs >= TELL_EVERY_MS) {
      const [perSecond, old] = [Math.round(((sent - toldSent) / (nowMs - toldMs)) * 1_000), await oldLeft(sql)]
      tell(
        JSON.stringify({ seconds: Math.round((nowMs - startMs) / 1_000), sent, perSecond, mb: memoryMb(stage), old }),
      )
      ;[toldMs, toldSent] = [nowMs, sent]
    }
    await new Promise((over) => setTimeout(over, LOOK_MS))
  }
  const seconds = (performance.now() - startMs) / 1_000
  const used = Math.round(((cpu() - startCpu) / sent) * 1_000_000) / 100
  return { sent, mostMb, perSecond: Math.round(sent / seconds), cpu: used }
}

async function withClient(url: string, run: (on: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await run(client).finally(() => client.end())
}

interface Owed {
  count: number
  kind: string
  /** Default: each another, up to SUBSCRIBERS_MAX. */
  msisdn?: string
  state?: string
  ago?: string
}

async function owe(sql: pg.Client, { count, kind, msisdn, state = 'due', ago = `interval '0'` }: Owed): Promise<void> {
  await sql.query(
    `INSERT INTO sms_outbox (subject, kind, msisdn, text, state, due_at, expires_at, wake_at, created_at)
    SELECT 'bench:' || gen_random_uuid(), $2, COALESCE($3, (67580000000 + n % ${SUBSCRIBERS_MAX})::text), 'Reminder: Checkup', $4,
      clock_timestamp() - ${ago}, clock_timestamp() - ${ago} + interval '2 hours', clock_timestamp() - ${ago},
      clock_timestamp() - ${ago}
    FROM generate_series(1, $1::int) n`,
    [count, kind, msisdn ?? null, state],
  )
}

async function accepted(sql: pg.Client, kind: string, count: number): Promise<void> {
  for (;;) {
    const { rows } = await sql.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM sms_outbox WHERE kind = $1 AND state = 'accepted'`,
      [kind],
    )
    if (rows[0]!.n >= count) return
    await new Promise((over) => setTimeout(over, LOOK_MS))
  }
}

async function oldLeft(sql: pg.Client): Promise<number> {
  const { rows } = await sql.query<{ n: number }>(`SELECT count(*)::int AS n FROM sms_outbox WHERE kind = 'old'`)
  return rows[0]!.n
}

/** Resident memory of the daemon. */
function memoryMb({ daemon }: Stage): number {
  return Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${daemon.pid}/status`, 'utf8'))?.[1]) / 1_024)
}
