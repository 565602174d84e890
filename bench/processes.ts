/** The processes of a bench: how each is started and ended, and what it has cost. */
import { fork, spawn, type ChildProcess } from 'node:child_process'
import {
  closeSync,
  createWriteStream,
  existsSync,
  fstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
} from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import type { LoadResult } from '../src/simulator/load/index.ts'
import type { Order, Word } from './phones.ts'

export const benchDir = dirname(fileURLToPath(import.meta.url))
export const root = resolve(benchDir, '..')

/** Clock ticks of /proc/<pid>/stat a second: USER_HZ, 100 on every Linux that Node runs on. (proc(5)) */
const TICKS = 100
const STOP_MS = 10_000
/** After a signal, also for what was still being started. */
const LEAVE_MS = 30_000
const REWRITE_LOOK_MS = 20
/** How much of what a process wrote last is in its error. */
const SAID_OCTETS = 2_000

/** Processes that belong together, and a folder of theirs. */
export interface Crew {
  dir: string
  /** What it says goes into `<name>.out`. */
  start(name: string, program: string, args: string[], options?: CrewOptions): ChildProcess
  /** One that was started otherwise. */
  add(child: ChildProcess): void
  /** Something else to end, before the processes. */
  onStop(work: () => Promise<unknown>): void
  /** Resolves with the work; rejects when one of them ends before. */
  until<T>(work: Promise<T>): Promise<T>
  stop(): Promise<void>
}

interface CrewOptions {
  cwd?: string
  env?: Record<string, string | undefined>
  /** With a channel for messages. */
  ipc?: boolean
}

const crews = new Set<Crew>()

/** Ends every process of every crew, also of those that are still being started. */
export async function stopCrews(): Promise<void> {
  await Promise.all([...crews].map((crew) => crew.stop()))
}

let isStopping = false

/** A signal has ended the bench: what fails now fails of that. */
export function isLeaving(): boolean {
  return isStopping
}

/** Ends the bench with all its processes. What is under way fails as they end. */
export function leave(code: number): void {
  isStopping = true
  process.exitCode = code
  void stopCrews()
  setTimeout(() => process.exit(code), LEAVE_MS).unref()
}

/** Ctrl-C, a supervisor's SIGTERM, and a reader that goes (`| head`) leave no process and no folder behind. */
export function leaveOnSignals(): void {
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)
    process.once(signal, () => leave(code))
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => isStopping || leave(1))
}

/** Starts them. If that fails, it ends all that it has started. */
export async function crewOf<T>(name: string, build: (crew: Crew) => Promise<T>): Promise<T> {
  const crew = newCrew(name)
  crews.add(crew)
  try {
    return await build(crew)
  } catch (error) {
    await crew.stop()
    throw error
  }
}

function newCrew(name: string): Crew {
  const dir = mkdtempSync(join(tmpdir(), `ussd-bench-${name}-`))
  const children: ChildProcess[] = []
  const works: (() => Promise<unknown>)[] = []
  const gone: Promise<never>[] = []
  let stopped: Promise<void> | undefined
  const stopAll = async () => {
    for (const child of children.toReversed()) await end(child)
    for (const work of works.toReversed()) await work().catch(() => undefined)
    rmSync(dir, { recursive: true, force: true })
    crews.delete(crew)
  }
  const crew: Crew = {
    dir,
    start(as, program, args, { cwd = root, env = {}, ipc = false } = {}) {
      if (stopped) throw new Error('the bench is stopped')
      const stdio = ['ignore', 'pipe', 'pipe', ...(ipc ? ['ipc' as const] : [])] as const
      const child = spawn(program, args, { cwd, env: { ...process.env, ...env }, stdio: [...stdio] })
      const log = join(dir, `${as}.out`)
      const out = createWriteStream(log)
      child.stdout!.pipe(out, { end: false })
      child.stderr!.pipe(out, { end: false })
      crew.add(child)
      gone.push(died(child, log))
      return child
    },
    add(child) {
      if (stopped) void end(child)
      else children.push(child)
    },
    onStop(work) {
      if (stopped) void work().catch(() => undefined)
      else works.push(work)
    },
    until: (work) => Promise.race([work, ...gone]),
    stop: () => (stopped ??= stopAll()),
  }
  return crew
}

/** Rejects when it ends; the error has what it wrote. Nobody need wait for it. */
function died(child: ChildProcess, log: string): Promise<never> {
  const ended = new Promise<never>((_, fail) => {
    child.once('error', fail)
    child.once('exit', (code, signal) => {
      fail(new Error(`${child.spawnfile} ended with ${code ?? signal}:\n${endOf(log)}`))
    })
  })
  ended.catch(() => undefined)
  return ended
}

/** What was said last; the whole may be larger than a string can be. */
function endOf(log: string): string {
  if (!existsSync(log)) return ''
  const file = openSync(log, 'r')
  try {
    const { size } = fstatSync(file)
    const octets = Buffer.alloc(Math.min(size, SAID_OCTETS))
    readSync(file, octets, 0, octets.length, size - octets.length)
    return octets.toString('utf8')
  } finally {
    closeSync(file)
  }
}

export interface Phones {
  port: number
  process: ChildProcess
  /** Resolves when the first ESME is bound. */
  bound: Promise<void>
  walk(order: Order): Promise<LoadResult>
}

export async function startPhones(crew: Crew): Promise<Phones> {
  const child = fork(join(benchDir, 'phones.ts'), { execArgv: ['--import', 'tsx'], cwd: root })
  crew.add(child)
  const bound = hear(child, 'bound').then(() => undefined)
  // Whoever waits for it hears of it.
  bound.catch(() => undefined)
  const { port } = await hear(child, 'listening')
  return {
    port,
    process: child,
    bound,
    async walk(order) {
      child.send(order)
      return (await hear(child, 'done')).result
    },
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

export interface OwnRedis {
  port: number
  process: ChildProcess
  client: Redis
  /** Empties it and its append-only file. */
  clear(): Promise<void>
}

/** Its file is rewritten as it grows, so a run never fills the disk. */
export async function startRedis(crew: Crew, maxMb = 256): Promise<OwnRedis> {
  const port = await freePort()
  const settings = {
    port,
    bind: '127.0.0.1',
    dir: crew.dir,
    save: '',
    appendonly: 'yes',
    appendfsync: 'everysec',
    maxmemory: `${maxMb}mb`,
    'maxmemory-policy': 'noeviction',
    'auto-aof-rewrite-percentage': 100,
    'auto-aof-rewrite-min-size': '256mb',
  }
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)])
  const child = crew.start('redis', 'redis-server', args)
  const client = new Redis(port, { retryStrategy: () => 50, maxRetriesPerRequest: null })
  client.on('error', () => undefined)
  child.once('exit', () => client.disconnect())
  await crew.until(client.ping())
  return { port, process: child, client, clear: () => emptied(client) }
}

async function emptied(redis: Redis): Promise<void> {
  await redis.flushall()
  await rewritten(redis)
}

/** Makes the append-only file as short as it can be. */
export async function rewritten(redis: Redis): Promise<void> {
  const isBusy = async () => /aof_rewrite_(in_progress|scheduled):1/.test(await redis.info('persistence'))
  const pause = () => new Promise((done) => setTimeout(done, REWRITE_LOOK_MS))
  while (await isBusy()) await pause()
  await redis.bgrewriteaof()
  while (await isBusy()) await pause()
}

/** CPU seconds, user and system, of all threads of a process so far. */
export function cpuSeconds(child: ChildProcess): number {
  const [user = 0, system = 0] = statOf(child.pid!)!.slice(11)
  return (user + system) / TICKS
}

/** CPU seconds of a process with its children, those that have ended among them. */
export function familyCpuSeconds(pid: number): number {
  const own = statOf(pid)
  if (!own) throw new Error(`process ${pid} has ended`)
  const living = readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .flatMap((one) => [statOf(one) ?? []])
    .filter((stat) => stat[1] === pid)
  const all = [own, ...living].map((stat) => stat.slice(11, 15).reduce((sum, one) => sum + one, 0))
  return all.reduce((sum, one) => sum + one, 0) / TICKS
}

/** From the state on (proc(5)); undefined where it has ended. */
function statOf(pid: number | string): number[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number)
  } catch {
    return undefined
  }
}

/** write, writev and the like, of all threads so far; undefined where /proc does not say. */
export function writeCalls(child: ChildProcess): number | undefined {
  try {
    return Number(/^syscw: (\d+)$/m.exec(readFileSync(`/proc/${child.pid}/io`, 'utf8'))?.[1])
  } catch {
    return undefined
  }
}

/** SIGTERM, and SIGKILL for what does not go. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  const gone = new Promise((done) => child.once('exit', done))
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
  await gone
  clearTimeout(timer)
}

export function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer()
      .once('error', fail)
      .listen(0, '127.0.0.1', () => {
        const { port } = server.address() as AddressInfo
        server.close(() => done(port))
      })
  })
}

/** Runs a bench; says what stopped it, and ends all that it started. */
export function runToEnd(main: () => Promise<void>): void {
  main()
    .catch((error: Error) => {
      if (isLeaving()) return
      console.error(error.message)
      leave(1)
    })
    .finally(stopCrews)
}
