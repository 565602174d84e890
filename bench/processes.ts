/**
 * The processes of a bench run: a private Redis and Postgres, the daemon as it is installed, the phones; and what each
 * has cost.
 */
import { execFileSync, fork, spawn, type ChildProcess } from 'node:child_process'
import { createWriteStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import { stringify } from 'yaml'
import { ownPostgres, type OwnPostgres } from '../test/campaigns/own-postgres.ts'
import type { LoadResult } from '../src/simulator/load/index.ts'
import type { Order, Word } from './phones.ts'
import { WALKS } from './walks.ts'

const here = dirname(fileURLToPath(import.meta.url))
const root = resolve(here, '..')

/** Clock ticks of /proc/<pid>/stat a second: USER_HZ, 100 on every Linux that Node runs on. (proc(5)) */
const TICKS = 100
const STOP_MS = 10_000

export interface Stage {
  daemon: ChildProcess
  redis: ChildProcess
  /** URL of the database. */
  postgres: string
  redisPort: number
  /** From the start of the daemon's process until its bind stood. */
  started: { wallMs: number; cpuMs: number }
  /** Runs one order on the phones. */
  walk(order: Order): Promise<LoadResult>
  /** Sums of the daemon's counters and gauges, all labels together. */
  metrics(): Promise<Map<string, number>>
  /** Empties Redis and its append-only file, so that the disk never holds more than one run. */
  clear(): Promise<void>
  stop(): Promise<void>
}

export interface StageOptions {
  /** Where the daemon leaves a CPU profile when it ends. */
  profileDir?: string | undefined
  /** The line's settings of that name. */
  sms?: object
  /** A folder with another build, for figures side by side; default: this one. */
  build?: string
  /** Of the daemon's process, besides ours. */
  env?: Record<string, string>
  /** Before the daemon starts, with the database migrated. */
  prepare?(postgres: string): Promise<void>
}

export async function startStage(options: StageOptions): Promise<Stage> {
  const { build = root } = options
  const dir = mkdtempSync(join(tmpdir(), 'ussd-bench-'))
  const children: ChildProcess[] = []
  let postgres: OwnPostgres | undefined
  const stop = async () => {
    for (const child of children.toReversed()) await end(child)
    await postgres?.close()
    rmSync(dir, { recursive: true, force: true })
  }
  try {
    const [redisPort, adminPort] = [await freePort(), await freePort()]
    const redis = startRedis(redisPort, dir)
    children.push(redis)
    const phones = fork(join(here, 'phones.ts'), { execArgv: ['--import', 'tsx'], cwd: root })
    children.push(phones)
    const listening = await hear(phones, 'listening')
    const admin = new Redis(redisPort, { retryStrategy: () => 50, maxRetriesPerRequest: null })
    admin.on('error', () => undefined)
    await admin.ping()
    postgres = await ownPostgres()
    const config = join(dir, 'connector.yaml')
    const places = { smpp: listening.port, redis: redisPort, postgres: postgres.url, admin: adminPort, dir }
    writeFileSync(config, stringify(settingsOf(places, options.sms)))
    execFileSync(process.execPath, [join(build, 'dist/src/cli/main.js'), 'migrate', '--config', config], {
      stdio: 'ignore',
    })
    await options.prepare?.(postgres.url)
    const bound = hear(phones, 'bound')
    const beganMs = performance.now()
    const daemon = startDaemon(config, dir, { ...options, build })
    children.push(daemon)
    await Promise.race([bound, died(daemon, join(dir, 'daemon.log'))])
    return {
      started: { wallMs: performance.now() - beganMs, cpuMs: Math.round(cpuSeconds(daemon) * 1_000) },
      daemon,
      redis,
      redisPort,
      postgres: postgres.url,
      async walk(order) {
        phones.send(order)
        return (await hear(phones, 'done')).result
      },
      metrics: () => scrape(adminPort),
      clear: () => emptied(admin),
      async stop() {
        admin.disconnect()
        await stop()
      },
    }
  } catch (error) {
    await stop()
    throw error
  }
}

async function emptied(redis: Redis): Promise<void> {
  await redis.flushall()
  await redis.bgrewriteaof()
  while (/aof_rewrite_in_progress:1/.test(await redis.info('persistence')))
    await new Promise((done) => setTimeout(done, 20))
}

/** CPU seconds, user and system, of all threads of a process so far. */
export function cpuSeconds(child: ChildProcess): number {
  const stat = readFileSync(`/proc/${child.pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS
}

/** write, writev and the like, of all threads so far; undefined where /proc does not say. */
export function writeCalls(child: ChildProcess): number | undefined {
  try {
    return Number(/^syscw: (\d+)$/m.exec(readFileSync(`/proc/${child.pid}/io`, 'utf8'))?.[1])
  } catch {
    return undefined
  }
}

function startRedis(port: number, dir: string): ChildProcess {
  const settings = {
    port,
    bind: '127.0.0.1',
    dir,
    save: '',
    appendonly: 'yes',
    appendfsync: 'everysec',
    maxmemory: '256mb',
    'maxmemory-policy': 'noeviction',
    'auto-aof-rewrite-percentage': 0,
  }
  return spawn(
    'redis-server',
    Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]),
    { stdio: 'ignore' },
  )
}

function startDaemon(
  config: string,
  dir: string,
  { profileDir, build, env }: Pick<StageOptions, 'profileDir' | 'env'> & { build: string },
): ChildProcess {
  const profile = profileDir ? ['--cpu-prof', '--cpu-prof-dir', profileDir] : []
  // With the young generation that deploy/ussd-connector.service gives it.
  const child = spawn(
    process.execPath,
    ['--max-semi-space-size=64', ...profile, join(build, 'dist/src/cli/main.js'), 'run', '--config', config],
    {
      cwd: build,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  const log = createWriteStream(join(dir, 'daemon.log'))
  child.stdout!.pipe(log, { end: false })
  child.stderr!.pipe(log, { end: false })
  return child
}

function settingsOf(
  {
    smpp,
    redis,
    postgres,
    admin,
    dir,
  }: Record<'smpp' | 'redis' | 'admin', number> & Record<'postgres' | 'dir', string>,
  sms?: object,
): object {
  return {
    // As many requests in flight as phones: what is measured is the connector, not a window.
    lines: [
      {
        name: 'bench',
        smsc: { host: '127.0.0.1', port: smpp, systemId: 'bench', password: 'bench' },
        window: 1_000,
        ...(sms && { sms }),
      },
    ],
    services: WALKS.map(({ code, flow }) => ({ code, flow })),
    flows: { dir: join(here, 'flows') },
    backends: { shop: { module: join(here, 'shop.mjs') } },
    redis: { url: `redis://127.0.0.1:${redis}/0` },
    postgres: { url: postgres },
    data: join(dir, 'data'),
    admin: { port: admin },
    // Phones press keys faster than a thumb can.
    dialogue: { perSubscriber: { perSecond: 100_000, burst: 100_000 } },
    stopMs: 200,
  }
}

/** The next word of that kind; rejects if the phones fail or end. */
function hear<Is extends Word['is']>(phones: ChildProcess, is: Is): Promise<Extract<Word, { is: Is }>> {
  return new Promise((done, fail) => {
    const gone = () => fail(new Error('the phones have ended'))
    const on = (word: Word) => {
      if (word.is !== is && word.is !== 'failed') return
      phones.off('message', on)
      phones.off('exit', gone)
      if (word.is === 'failed') fail(new Error(`phones: ${word.why}`))
      else done(word as Extract<Word, { is: Is }>)
    }
    phones.on('message', on)
    phones.once('exit', gone)
  })
}

function died(daemon: ChildProcess, log: string): Promise<never> {
  return new Promise((_, fail) => {
    daemon.once('exit', (code) =>
      fail(new Error(`the daemon ended with ${code}:\n${readFileSync(log, 'utf8').slice(-2_000)}`)),
    )
  })
}

async function scrape(port: number): Promise<Map<string, number>> {
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`)
  if (!answer.ok) throw new Error(`/metrics answers ${answer.status}`)
  const text = await answer.text()
  const sums = new Map<string, number>()
  for (const [, name, value] of text.matchAll(/^([a-z_:]+)(?:\{[^}]*\})? ([-\d.e+]+)/gim)) {
    sums.set(name!, (sums.get(name!) ?? 0) + Number(value))
  }
  return sums
}

/** SIGTERM, and SIGKILL for what does not go. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise((done) => child.once('exit', done))
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
  await gone
  clearTimeout(timer)
}

function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer()
      .once('error', fail)
      .listen(0, '127.0.0.1', () => {
        const { port } = server.address() as AddressInfo
        server.close(() => done(port))
      })
  })
}
