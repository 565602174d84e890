/**
 * What the daemon costs before anybody dials: `npm run build && node --import tsx bench/fixed.ts [--against FOLDER]`.
 * Start until bound, with the files that are loaded for it; a core's share and the round trips while nothing happens;
 * `health`, as a multiple of a Node that does nothing. FOLDER has another build, measured by turns with this one. Only
 * figures of one run compare with each other.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { familyCpuSeconds, leaveOnSignals } from './processes.ts'
import { startStage, type Stage, type StageOptions } from './stage.ts'

const ROUNDS = Number(process.env.ROUNDS ?? 3)
const STARTS = Number(process.env.STARTS ?? 7)
const SECONDS = Number(process.env.SECONDS ?? 60)
const SMS = Number(process.env.SMS ?? 7_000)
/** The compiler and the collector of Node work on the start that long. */
const SETTLE_MS = Number(process.env.SETTLE ?? 120) * 1_000
const HEALTH_RUNS = 10

type Row = Record<string, string | number>

const here = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const against = process.argv.indexOf('--against')
const BUILDS = against > 0 ? { before: resolve(process.argv[against + 1]!), after: here } : { this: here }

const CASES: Record<string, Pick<StageOptions, 'sms' | 'prepare' | 'embedded'>> = {
  'no SMS line': {},
  'embedded stores': { embedded: true },
  [`no SMS line, ${SMS} due`]: { prepare: owe('0 s') },
  [`SMS line, ${SMS} due tomorrow`]: { sms: { source: '123' }, prepare: owe('1 day') },
}

leaveOnSignals()
console.table(await alternating(STARTS, started))
console.table(await alternating(HEALTH_RUNS, health))
console.table(await alternating(ROUNDS, idle, 'together'))

/**
 * Each figure is the median of its rounds. `together`: all builds at the same time, as what they measure hardly uses
 * the machine.
 */
async function alternating(
  rounds: number,
  measure: (build: string) => Promise<Row[]>,
  together?: 'together',
): Promise<Row[]> {
  const groups = new Map<string, Row[]>()
  const keep = (build: string, rows: Row[]) => {
    for (const row of rows) {
      const name = `${row.what} ${build}`
      groups.set(name, [...(groups.get(name) ?? []), { ...row, build }])
    }
  }
  for (let round = 0; round < rounds; round++) {
    const builds = Object.entries(BUILDS)
    if (together) await Promise.all(builds.map(async ([build, folder]) => keep(build, await measure(folder))))
    else for (const [build, folder] of builds) keep(build, await measure(folder))
  }
  return [...groups].toSorted(([a], [b]) => (a < b ? 1 : -1)).map(([, rows]) => medians(rows))
}

function medians(rows: Row[]): Row {
  const of = (name: string) =>
    rows.map((row) => row[name] as number).toSorted((a, b) => a - b)[rows.length >> 1] as number
  return Object.fromEntries(
    Object.entries(rows[0]!).map(([name, value]) => [name, typeof value === 'number' ? of(name) : value]),
  )
}

async function started(build: string): Promise<Row[]> {
  const { wallMs, cpuMs } = await onStage({ build }, async (stage) => stage.started)
  const folder = mkdtempSync(join(tmpdir(), 'ussd-loaded-'))
  try {
    await onStage({ build, env: { NODE_V8_COVERAGE: folder } }, async () => undefined)
    const files = readdirSync(folder).flatMap((file) => urlsOf(join(folder, file)))
    const packages = files.filter((url) => url.includes('/node_modules/'))
    const bare = bareNode()
    return [
      {
        what: 'start to bound',
        'wall ms': Math.round(wallMs),
        'bare wall ms': Math.round(bare.wallMs),
        'wall, bare Nodes': Number((wallMs / bare.wallMs).toFixed(1)),
        'CPU ms': cpuMs,
        'CPU, bare Nodes': Number((cpuMs / bare.cpuMs).toFixed(1)),
        'own files': files.length - packages.length,
        'package files': packages.length,
      },
    ]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** What a process loaded, as its coverage says. */
function urlsOf(file: string): string[] {
  const { result } = JSON.parse(readFileSync(file, 'utf8')) as { result: { url: string }[] }
  return result.map(({ url }) => url).filter((url) => url.startsWith('file:'))
}

async function idle(build: string): Promise<Row[]> {
  return Promise.all(
    Object.entries(CASES).map(([what, options]) =>
      onStage({ ...options, build }, async (stage) => ({ what, ...(await idling(stage)) })),
    ),
  )
}

async function idling({ daemon, redis: { client: redis }, postgres, postgresPid }: Stage): Promise<Row> {
  const sql = new pg.Client({ connectionString: postgres })
  await sql.connect()
  const look = async () => ({
    server: familyCpuSeconds(postgresPid),
    atMs: performance.now(),
    cpu: threadSeconds(daemon.pid!),
    commands: Number(/total_commands_processed:(\d+)/.exec(await redis.info('stats'))![1]),
    transactions: Number(
      (await sql.query(`SELECT sum(xact_commit + xact_rollback) AS n FROM pg_stat_database`)).rows[0].n,
    ),
  })
  const pause = (ms: number) => new Promise((done) => setTimeout(done, ms))
  try {
    await pause(SETTLE_MS)
    const before = await look()
    await pause(SECONDS * 1_000)
    const after = await look()
    const seconds = (after.atMs - before.atMs) / 1_000
    const share = (name: 'cpu' | 'server') => Number((((after[name] - before[name]) / seconds) * 100).toFixed(2))
    const per = (name: 'commands' | 'transactions') => Number(((after[name] - before[name]) / seconds).toFixed(2))
    return {
      'core %': share('cpu'),
      'Postgres core %': share('server'),
      'Redis commands/s': per('commands'),
      'Postgres transactions/s': per('transactions'),
    }
  } finally {
    await sql.end()
  }
}

/** A daemon need not run: what is measured is how long it takes to ask. */
async function health(build: string): Promise<Row[]> {
  const { cpuMs } = costOf([join(build, 'dist/src/cli/main.js'), 'health', '--port', '9'])
  return [{ what: 'health', 'CPU ms': cpuMs, 'bare Nodes': Number((cpuMs / bareNode().cpuMs).toFixed(2)) }]
}

function bareNode(): Cost {
  return costOf(['--eval', '0'])
}

interface Cost {
  wallMs: number
  /** User and system. */
  cpuMs: number
}

/** Of a process from its start to its end. */
function costOf(args: string[]): Cost {
  const times = (): number => {
    const stat = readFileSync('/proc/self/stat', 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[13]) + Number(fields[14])) * 10
  }
  const [before, beganMs] = [times(), performance.now()]
  spawnSync(process.execPath, args, { stdio: 'ignore' })
  return { cpuMs: times() - before, wallMs: performance.now() - beganMs }
}

/** CPU seconds of all threads so far: /proc/PID/stat counts in steps of 10 ms, which is too coarse here. */
function threadSeconds(pid: number): number {
  const tasks = readdirSync(`/proc/${pid}/task`)
  const ns = tasks.map((task) => Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]))
  return ns.reduce((sum, one) => sum + one, 0) / 1e9
}

async function onStage<T>(options: StageOptions, run: (stage: Stage) => Promise<T>): Promise<T> {
  const stage = await startStage(options)
  try {
    return await run(stage)
  } finally {
    await stage.stop()
  }
}

/** SMS that are due so long from now. */
function owe(after: string): (postgres: string) => Promise<void> {
  return async (postgres) => {
    const sql = new pg.Client({ connectionString: postgres })
    await sql.connect()
    try {
      await sql.query(
        `
        INSERT INTO sms_outbox (subject, kind, msisdn, text, due_at, expires_at, wake_at, created_at)
        SELECT 'bench:' || n, 'reminder', (67580000000 + n)::text, 'Reminder', now() + $2::interval,
          now() + interval '2 days', now(), now()
        FROM generate_series(1, $1) AS n`,
        [SMS, after],
      )
    } finally {
      await sql.end()
    }
  }
}
