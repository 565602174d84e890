/**
 * What a call detail record costs, by CPU that processes have used and not by time: rows of walks are written as the
 * daemon writes them, into a Postgres of its own. `node --import tsx bench/records.ts --rows 200000 --batch 500`.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { uuidV7 } from '../src/base/ids.ts'
import type { CallRecord } from '../src/dialogue/index.ts'
import { keepDays, NO_FILE, writeCounted } from '../src/records/index.ts'
import { openPostgres } from '../src/store/postgres/connection.ts'
import { migrate } from '../src/store/postgres/migrate.ts'
import { ownPostgres } from '../test/campaigns/own-postgres.ts'

const numberOf = (name: string, otherwise: number) => {
  const at = process.argv.indexOf(name)
  return at < 0 ? otherwise : Number(process.argv[at + 1])
}
const rows = numberOf('--rows', 200_000)
const batch = numberOf('--batch', 500)
const subscribers = numberOf('--subscribers', 100_000)
const WARM = 5_000

let serial = 0
/** CPU that the making of rows took, which no daemon has. */
let makingUs = 0
/** Dialogues end a millisecond after each other, not in the order in which they began. */
function walked(nowMs: number): CallRecord {
  const n = serial++
  const r = (n * 2_654_435_761) % 4_294_967_296
  const openedMs = nowMs + n - 20_000 - (r % 10_000)
  const octets = Buffer.alloc(10)
  octets.writeUInt32BE(r, 0)
  octets.writeUInt32BE(n, 4)
  return {
    epoch: uuidV7(openedMs, () => octets),
    kind: 'dialogue',
    openedMs,
    endedMs: openedMs + 18_250,
    msisdn: String(67570000000 + (r % subscribers)),
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
    path: `main:1/${r % 9}>clinic:2/${r % 7}>day:3/${r % 5}>patient:*/${r % 23}>sure:1/3`,
    detail: '',
  }
}

/** Nanoseconds on a processor of each child of a process (proc(5), schedstat). */
function worked(parent: number): Map<string, number> {
  const sums = new Map<string, number>()
  for (const pid of readdirSync('/proc').filter((one) => /^\d+$/.test(one))) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      const [, ppid] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      if (Number(ppid) !== parent) continue
      const title = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
        .replaceAll('\0', ' ')
        .replace(/^postgres: /, '')
      const name = /127\.0\.0\.1/.test(title) ? 'backend' : title.trim()
      const ns = Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0])
      sums.set(name, (sums.get(name) ?? 0) + ns)
    } catch {
      continue
    }
  }
  return sums
}

const server = await ownPostgres()
const db = await openPostgres({ url: server.url, poolMax: 1 })
try {
  await migrate(db.knex)
  const nowMs = Date.now()
  await keepDays(db.sql, { nowMs, days: 90 })
  for (const sql of process.env.BENCH_SQL?.split(';') ?? []) await db.knex.raw(sql)
  const how = { fileOf: () => NO_FILE }
  const write = async (count: number) => {
    for (let done = 0; done < count; done += batch) {
      const begun = process.cpuUsage()
      const made = Array.from({ length: Math.min(batch, count - done) }, () => walked(nowMs))
      const { user, system } = process.cpuUsage(begun)
      makingUs += user + system
      await writeCounted(db.sql, made, how)
    }
  }
  await write(WARM)
  const wal = async () => Number((await db.knex.raw(`SELECT pg_current_wal_insert_lsn() - '0/0' AS at`)).rows[0].at)
  const [before, walBefore, cpuBefore] = [worked(server.pid()), await wal(), process.cpuUsage()]
  if (process.env.BENCH_PAUSE) {
    process.stdout.write(`${(await db.knex.raw('SELECT pg_backend_pid() AS pid')).rows[0].pid}\n`)
    await new Promise((done) => setTimeout(done, Number(process.env.BENCH_PAUSE)))
  }
  makingUs = 0
  await write(rows)
  const own = process.cpuUsage(cpuBefore)
  const after = worked(server.pid())
  const perRow = (ns: number) => `${(ns / rows / 1_000).toFixed(1)} µs`
  const parts = [...after]
    .map(([name, ns]) => [name, ns - (before.get(name) ?? 0)] as const)
    .filter(([, ns]) => ns > rows * 50)
  const [stats] = (await db.knex.raw('SELECT wal_fpi, wal_bytes FROM pg_stat_wal')).rows
  process.stdout.write(
    `batches of ${batch}: ${parts.map(([name, ns]) => `${name} ${perRow(ns)}`).join(', ')}; this process ${perRow(
      (own.user + own.system - makingUs) * 1_000,
    )}; WAL ${(((await wal()) - walBefore) / rows) | 0} octets a row, ${stats.wal_fpi} full pages (load ${loadavg()[0]!.toFixed(1)})\n`,
  )
} finally {
  await db.close()
  await server.close()
}
