/**
 * Does USSD ever wait behind SMS? `npm run build && node --import tsx bench/sms-lane.ts`: the daemon as it is
 * installed, one bind, the SMSC in a process of its own; USSD turns at a fixed rate, by turns with nothing else and
 * with 10,000 SMS due. Prints p95 with over p95 without, from one run. SMS_PER_SECOND is the line's `sms.perSecond`, by
 * default that of the settings; 10000 is no limit at all.
 */
import pg from 'pg'
import { startStage } from './processes.ts'

const ROUNDS = Number(process.env.ROUNDS ?? 6)
const SMS = Number(process.env.SMS ?? 10_000)
const SECONDS = Number(process.env.SECONDS ?? 8)
const PER_SECOND = Number(process.env.PER_SECOND ?? 100)
const SMS_PER_SECOND = Number(process.env.SMS_PER_SECOND ?? 50)

const stage = await startStage({ sms: { source: '123', perSecond: SMS_PER_SECOND, receipts: false } })
const sql = new pg.Client({ connectionString: stage.postgres })
sql.on('error', () => undefined)
process.once('SIGINT', () => void stage.stop().finally(() => process.exit(130)))
try {
  await sql.connect()
  await round(0) // warm up
  const rows: ({ sms: 'none' | 'due' } & Awaited<ReturnType<typeof round>>)[] = []
  for (let n = 0; n < ROUNDS; n++) {
    // Which is first changes, so that a machine that becomes busier spoils both alike.
    const both = n % 2 === 0 ? (['none', 'due'] as const) : (['due', 'none'] as const)
    for (const sms of both) rows.push({ sms, ...(await round(sms === 'due' ? SMS : 0)) })
  }
  console.table(rows)
  const p95 = (sms: string) => median(rows.filter((row) => row.sms === sms).map((row) => row.p95))
  const sent = rows.reduce((sum, row) => sum + row.sent, 0)
  const ratio = (p95('due') / p95('none')).toFixed(2)
  console.log(
    `USSD p95 with SMS over without: ${ratio}; ${sent} SMS sent meanwhile, ${SMS_PER_SECOND} a second at most`,
  )
} finally {
  await sql.end()
  await stage.stop()
}

async function round(sms: number) {
  // Each round numbers its dialogues from the beginning: they must not be taken for copies of the last round's.
  await stage.clear()
  if (sms) await owe(sms)
  const {
    latency,
    lost,
    sms: sent,
    turns,
  } = await stage.walk({ flow: 'walk', concurrent: 50, seconds: SECONDS, perSecond: PER_SECOND })
  // What is left of them must not disturb the next round.
  await sql.query(`DELETE FROM sms_outbox WHERE state = 'due'`)
  return { turns, p50: latency.p50, p95: latency.p95, max: latency.max, lost, sent }
}

async function owe(count: number): Promise<void> {
  await sql.query(
    `
    INSERT INTO sms_outbox (subject, kind, msisdn, text, due_at, expires_at, wake_at, created_at)
    SELECT 'bench:' || gen_random_uuid(), 'reminder', (67580000000 + n)::text, 'Reminder: Checkup', now(), now() + interval '1 hour', now(), now()
    FROM generate_series(1, $1::int) n`,
    [count],
  )
  await sql.query('ANALYZE sms_outbox')
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!
}
