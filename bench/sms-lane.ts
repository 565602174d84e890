/**
 * The SMS lane, and USSD beside it: `npm run bench -- sms`. The daemon as it is installed, one bind with a window of
 * 100, `sms.perSecond: 10000`, a Postgres of its own, the SMSC in a process of its own. Each round: subscribers alone;
 * thousands of SMS that are due at once; subscribers while SMS become due at half the rate of those; and the same while
 * another daemon, with an SMSC and a database of its own, sends those SMS: what subscribers wait there is the machine's
 * part. With `--before` by turns with another build.
 */
import pg from 'pg'
import { cpuSeconds, familyCpuSeconds } from './processes.ts'
import { startStage, type Stage } from './stage.ts'

/** SMS due at once, and turns a second beside them. */
const SMS = Number(process.env.SMS ?? 10_000)
const PER_SECOND = Number(process.env.PER_SECOND ?? 100)
const LOOK_MS = 100
const FEED_MS = 100

export interface LaneAsked {
  rounds: number
  seconds: number
  before?: { name: string; root: string }
}

interface LaneRow {
  build: string
  receipts: boolean
  round: number
  /** SMS a second until the last was accepted, and until the last receipt was stored. */
  accepted: number
  delivered: number | null
  /** CPU seconds of 10,000 SMS: of the daemon, of Postgres, and of both. */
  daemon: number
  postgres: number
  cpu: number
  /** Milliseconds of a screen, with nothing else and with half as many SMS as go out at most. */
  aloneP99: number
  besideP99: number
  /** The same while another daemon on this machine sends the SMS. */
  elsewhereP99: number
  /** SMS a second meanwhile, here and there. */
  beside: number
  elsewhere: number
  lost: number
}

/** Prints a line for each round, and the medians. */
export async function playLane(asked: LaneAsked, tell: (line: string) => void): Promise<void> {
  const builds = [...(asked.before ? [asked.before] : []), { name: 'this build', root: undefined }]
  const rows: LaneRow[] = []
  for (const receipts of [false, true]) {
    for (let round = 0; round < asked.rounds; round++) {
      for (const { name, root } of builds) {
        const row = { build: name, receipts, round: round + 1, ...(await laneRound(root, receipts, asked.seconds)) }
        rows.push(row)
        tell(JSON.stringify(row))
      }
    }
  }
  console.table(
    [false, true].flatMap((receipts) =>
      builds.map(({ name }) => {
        const own = rows.filter((row) => row.build === name && row.receipts === receipts)
        const of = (key: keyof LaneRow) => median(own.map((row) => Number(row[key])))
        return {
          build: name,
          receipts,
          'accepted/s': of('accepted'),
          'delivered/s': receipts ? of('delivered') : null,
          'CPU s per 10,000': of('cpu'),
          'of which Postgres': of('postgres'),
          'USSD p99 alone': of('aloneP99'),
          'USSD p99 beside': of('besideP99'),
          'SMS of another daemon': of('elsewhereP99'),
          'SMS/s beside': of('beside'),
        }
      }),
    ),
  )
}

async function laneRound(
  build: string | undefined,
  receipts: boolean,
  seconds: number,
): Promise<Omit<LaneRow, 'build' | 'receipts' | 'round'>> {
  return withLane(build, receipts, async ({ stage, sql }) => {
    const order = { scenario: 'walk', concurrent: 50, seconds, perSecond: PER_SECOND } as const
    await stage.walk({ ...order, seconds: 1 })
    await stage.clear()
    const alone = await stage.walk(order)
    const lane = await allAtOnce(stage, sql, receipts)
    await stage.clear()
    const feed = feeding(sql, lane.accepted / 2)
    const beside = await stage.walk(order)
    const fed = await feed.stop()
    await stage.clear()
    const elsewhere = await withLane(build, receipts, async (other) => {
      // It has just started, and compiles while it sends its first thousands.
      await allAtOnce(other.stage, other.sql, receipts)
      const feed = feeding(other.sql, lane.accepted / 2)
      const before = await sentOf(other.stage)
      const { latency, seconds, lost } = await stage.walk(order)
      const sent = (await sentOf(other.stage)) - before
      await feed.stop()
      return { p99: latency.p99, lost, perSecond: sent / seconds }
    })
    return {
      ...lane,
      aloneP99: alone.latency.p99,
      besideP99: beside.latency.p99,
      elsewhereP99: elsewhere.p99,
      beside: round(Math.min(fed, beside.sms) / beside.seconds),
      elsewhere: round(elsewhere.perSecond),
      lost: alone.lost + beside.lost + elsewhere.lost,
    }
  })
}

interface LaneStage {
  stage: Stage
  sql: pg.Client
}

/** A daemon whose lane has sent some. */
async function withLane<T>(
  build: string | undefined,
  receipts: boolean,
  run: (lane: LaneStage) => Promise<T>,
): Promise<T> {
  const sms = { source: '123', perSecond: 10_000, receipts }
  const stage = await startStage({ sms, window: 100, ...(build && { build }) })
  const sql = new pg.Client({ connectionString: stage.postgres })
  sql.on('error', () => undefined)
  try {
    await sql.connect()
    await owe(sql, 200)
    await told(stage, 'sms_total', 200)
    return await run({ stage, sql })
  } finally {
    await sql.end()
    await stage.stop()
  }
}

async function sentOf(stage: Stage): Promise<number> {
  return (await stage.metrics()).get('sms_total') ?? 0
}

/** Thousands due in the same moment. */
async function allAtOnce(stage: Stage, sql: pg.Client, receipts: boolean) {
  const before = await stage.metrics()
  const cpu = () => ({ daemon: cpuSeconds(stage.daemon), postgres: familyCpuSeconds(stage.postgresPid) })
  const [sent, settled] = ['sms_total', 'sms_receipts_total'].map((name) => before.get(name) ?? 0)
  await owe(sql, SMS)
  const [from, fromMs] = [cpu(), performance.now()]
  await told(stage, 'sms_total', sent! + SMS)
  const accepted = (SMS / (performance.now() - fromMs)) * 1_000
  if (receipts) await told(stage, 'sms_receipts_total', settled! + SMS)
  const delivered = receipts ? (SMS / (performance.now() - fromMs)) * 1_000 : null
  const to = cpu()
  const per10000 = (used: number) => Math.round((used / SMS) * 1_000_000) / 100
  return {
    accepted: round(accepted),
    delivered: delivered && round(delivered),
    daemon: per10000(to.daemon - from.daemon),
    postgres: per10000(to.postgres - from.postgres),
    cpu: per10000(to.daemon - from.daemon + to.postgres - from.postgres),
  }
}

async function told(stage: Stage, name: string, count: number): Promise<void> {
  while (((await stage.metrics()).get(name) ?? 0) < count) await pause(LOOK_MS)
}

/** Owes so many a second until it is stopped; then says how many. */
function feeding(sql: pg.Client, perSecond: number): { stop(): Promise<number> } {
  const startMs = performance.now()
  let sum = 0
  const stopping = new AbortController()
  const run = async () => {
    while (!stopping.signal.aborted) {
      const due = Math.floor(((performance.now() - startMs) * perSecond) / 1_000)
      if (due > sum) await owe(sql, due - sum)
      sum = Math.max(sum, due)
      await pause(FEED_MS)
    }
  }
  const running = run()
  return {
    async stop() {
      stopping.abort()
      await running
      return sum
    },
  }
}

async function owe(sql: pg.Client, count: number): Promise<void> {
  await sql.query(
    `
    INSERT INTO sms_outbox (subject, kind, msisdn, text, due_at, expires_at, wake_at, created_at)
    SELECT 'bench:' || gen_random_uuid(), 'reminder', (67580000000 + n)::text, 'Reminder: Checkup', now(), now() + interval '1 hour', now(), now()
    FROM generate_series(1, $1::int) n`,
    [count],
  )
}

function pause(ms: number): Promise<unknown> {
  return new Promise((done) => setTimeout(done, ms))
}

function round(value: number): number {
  return Math.round(value)
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!
}
