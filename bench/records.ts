/**
 * What call detail records cost, in processor time. `node --import tsx bench/records.ts` writes rows of walks as the
 * daemon does, into a Postgres of its own (--rows 200000, --batch 500): also beside a load that says who works for a
 * row. `--pairs 5`, on a quiet machine and a build: two daemons by turns, one with records and one without; the
 * difference of all processes in 10,000 turns of `walk` (--seconds 8).
 */
import { readdirSync, readFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { uuidV7 } from '../src/base/ids.ts'
import type { CallRecord } from '../src/dialogue/index.ts'
import { keepDays, NO_FILE, writeCounted } from '../src/records/index.ts'
import type { Sql } from '../src/base/index.ts'
import { openPostgres } from '../src/store/postgres/connection.ts'
import { migrate } from '../src/store/postgres/migrate.ts'
import { ownPostgres } from '../test/campaigns/own-postgres.ts'
import { leaveOnSignals, runToEnd } from './processes.ts'
import { daemonSystem, type DaemonSystem } from './systems.ts'
import { numberOf } from './options.ts'

const SUBSCRIBERS = 100_000
const WARM_ROWS = 5_000
const TURNS = 10_000
/** The last records are written within a second. */
const WRITTEN_MS = 2_500
const say = (line: string) => process.stdout.write(`${line} (load ${loadavg()[0]!.toFixed(1)})\n`)

let serial = 0

/** Dialogues end a millisecond after each other, not in the order in which they began. */
function walked(nowMs: number): CallRecord {
  const n = serial++
  const any = (n * 2_654_435_761) % 4_294_967_296
  const openedMs = nowMs + n - 20_000 - (any % 10_000)
  const octets = Buffer.alloc(10)
  octets.writeUInt32BE(any, 0)
  octets.writeUInt32BE(n, 4)
  return {
    epoch: uuidV7(openedMs, () => octets),
    kind: 'dialogue',
    openedMs,
    endedMs: openedMs + 18_250,
    msisdn: String(67570000000 + (any % SUBSCRIBERS)),
    line: 'bench',
    code: '*384*1#',
    flow: 'walk@9f2c01ab77de',
    reason: 'completed',
    screen: 'booked',
    turns: 6,
    waitMs: 15_000,
    backendMs: 0,
    language: 'en',
    channel: 'ussd',
    instance: 'd1',
    path: `main:1/${any % 9}>clinic:2/${any % 7}>day:3/${any % 5}>patient:*/${any % 23}>sure:1/3`,
    detail: '',
  }
}

/** Microseconds on a processor of each child of a process, by what it is (schedstat of proc(5), title of Postgres). */
function workedUs(parent: number): Map<string, number> {
  const sums = new Map<string, number>()
  for (const pid of readdirSync('/proc').filter((one) => /^\d+$/.test(one))) {
    const read = (file: string) => readFileSync(`/proc/${pid}/${file}`, 'utf8')
    try {
      const stat = read('stat')
      if (Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) !== parent) continue
      const title = read('cmdline')
        .replaceAll('\0', ' ')
        .replace(/^postgres: /, '')
      const name = title.includes('127.0.0.1') ? 'backend' : title.trim()
      sums.set(name, (sums.get(name) ?? 0) + Number(read('schedstat').split(' ')[0]) / 1_000)
    } catch {
      // It has ended.
    }
  }
  return sums
}

/** Answers how much of this process the making of rows took, which no daemon has. */
async function writeRows(sql: Sql, { count, batch, nowMs }: { count: number; batch: number; nowMs: number }) {
  let makingUs = 0
  for (let done = 0; done < count; done += batch) {
    const begun = process.cpuUsage()
    const made = Array.from({ length: Math.min(batch, count - done) }, () => walked(nowMs))
    const { user, system } = process.cpuUsage(begun)
    makingUs += user + system
    await writeCounted(sql, made, { fileOf: () => NO_FILE })
  }
  return makingUs
}

async function byRow(count: number, batch: number): Promise<void> {
  const server = await ownPostgres()
  const db = await openPostgres({ url: server.url, poolMax: 1 })
  try {
    await migrate(db.knex)
    const nowMs = Date.now()
    await keepDays(db.sql, { nowMs, days: 90 })
    await writeRows(db.sql, { count: WARM_ROWS, batch, nowMs })
    const wal = async () => {
      const { rows } = (await db.knex.raw(`SELECT pg_current_wal_insert_lsn() - '0/0' AS at`)) as {
        rows: [{ at: string }]
      }
      return Number(rows[0].at)
    }
    const [before, walBefore, ownBefore] = [workedUs(server.pid()), await wal(), process.cpuUsage()]
    const makingUs = await writeRows(db.sql, { count, batch, nowMs })
    const { user, system } = process.cpuUsage(ownBefore)
    const each = (us: number) => `${(us / count).toFixed(1)} µs`
    const parts = [...workedUs(server.pid())]
      .map(([name, us]) => [name, us - (before.get(name) ?? 0)] as const)
      .filter(([, us]) => us / count > 0.05)
    say(
      `${count} rows in batches of ${batch}, for each: ${parts.map(([name, us]) => `${name} ${each(us)}`).join(', ')}; ` +
        `this process ${each(user + system - makingUs)}; WAL ${Math.round(((await wal()) - walBefore) / count)} octets`,
    )
  } finally {
    await db.close()
    await server.close()
  }
}

type Cost = Record<string, number>

/** CPU seconds of 10,000 turns, by process, until the last record is written. */
async function turned(system: DaemonSystem, seconds: number): Promise<Cost> {
  await system.clear()
  const before = system.cpu()
  const { turns } = await system.walk({ scenario: 'walk', concurrent: 500, seconds })
  await new Promise((done) => setTimeout(done, WRITTEN_MS))
  return Object.fromEntries(
    Object.entries(system.cpu()).map(([name, used]) => [name, ((used - before[name]!) / turns) * TURNS]),
  )
}

const sumOf = (cost: Cost) => Object.values(cost).reduce((sum, one) => sum + one, 0)
const middleOf = (all: readonly number[]) => all.toSorted((a, b) => a - b)[all.length >> 1]!
const shown = (cost: Cost) =>
  `${sumOf(cost).toFixed(3)} (${Object.entries(cost)
    .map(([name, used]) => `${name} ${used.toFixed(3)}`)
    .join(', ')})`

async function byTurn(pairs: number, seconds: number): Promise<void> {
  const [without, withThem] = [
    await daemonSystem('daemon', { records: { to: 'none' } }),
    await daemonSystem('daemon', { records: { to: 'postgres' } }),
  ]
  for (const system of [without, withThem]) await turned(system, seconds)
  const shares: number[] = []
  for (let pair = 0; pair < pairs; pair++) {
    const order = pair % 2 ? [withThem, without] : [without, withThem]
    const costs = new Map<DaemonSystem, Cost>()
    for (const system of order) costs.set(system, await turned(system, seconds))
    const [none, some] = [costs.get(without)!, costs.get(withThem)!]
    shares.push((sumOf(some) / sumOf(none) - 1) * 100)
    say(`without ${shown(none)}, with ${shown(some)} CPU s per 10,000: ${shares.at(-1)!.toFixed(1)} %`)
  }
  say(
    `records cost ${middleOf(shares).toFixed(1)} % of a turn (${Math.min(...shares).toFixed(1)} to ${Math.max(...shares).toFixed(1)}, ${pairs} pairs)`,
  )
}

leaveOnSignals()
const pairs = numberOf('--pairs', 0)
runToEnd(() =>
  pairs > 0 ? byTurn(pairs, numberOf('--seconds', 8)) : byRow(numberOf('--rows', 200_000), numberOf('--batch', 500)),
)
