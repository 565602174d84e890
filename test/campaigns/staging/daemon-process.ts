/** One daemon as a process, compiled, as an operator runs it: started, killed, asked for its figures. */
import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { packageRoot } from '../../../src/base/package-root.ts'
import { HELD_ENV, heldMbOf } from '../judging/live-memory.ts'

const OUT = join(packageRoot, 'dist/campaigns')
/** Of Linux' count of a process's time (USER_HZ). */
const TICK_MS = 10
/** Lines of a log that are kept. */
const LINES_MAX = 20_000

/** Compiles the sources once: a compiled daemon is up in half the time. Returns its program. */
export function compile(out = OUT): string {
  const tsc = join(packageRoot, 'node_modules/.bin/tsc')
  execFileSync(tsc, ['-p', 'tsconfig.build.json', '--outDir', out], { cwd: packageRoot, stdio: 'inherit' })
  execFileSync(process.execPath, ['scripts/copy-assets.mjs', out], { cwd: packageRoot, stdio: 'inherit' })
  return join(out, 'src/cli/main.js')
}

export interface Ended {
  code: number | null
  signal: NodeJS.Signals | null
}

export interface DaemonProcess {
  readonly pid: number
  readonly adminPort: number
  /** Its settings file. */
  readonly config: string
  /** What it wrote, parsed; what is no JSON is under `raw`. */
  log(): Record<string, unknown>[]
  raw(): string
  kill(signal: NodeJS.Signals): void
  readonly alive: boolean
  /** How it ended; undefined: it lives. */
  readonly end: Ended | undefined
  exited: Promise<Ended>
  /** Megabytes that it holds once its garbage is collected. */
  heldMb(): Promise<number>
}

export function startDaemonProcess(
  config: string,
  adminPort: number,
  env: Record<string, string> = {},
  cli = join(OUT, 'src/cli/main.js'),
): DaemonProcess {
  const child: ChildProcess = spawn(process.execPath, [cli, 'run', '--config', config], {
    cwd: packageRoot,
    env: { ...process.env, ...HELD_ENV, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  const lines: string[] = []
  let rest = ''
  const take = (chunk: Buffer): void => {
    const parts = (rest + String(chunk)).split('\n')
    rest = parts.pop()!
    lines.push(...parts)
    if (lines.length > LINES_MAX) lines.splice(0, lines.length - LINES_MAX)
  }
  child.stdout!.on('data', take)
  child.stderr!.on('data', take)
  let end: Ended | undefined
  const exited = new Promise<Ended>((done) => child.once('exit', (code, signal) => done((end = { code, signal }))))
  return {
    pid: child.pid!,
    adminPort,
    config,
    exited,
    get alive() {
      return !end
    },
    get end() {
      return end
    },
    log: () => lines.map((line) => parsed(line)),
    raw: () => lines.join('\n'),
    kill: (signal) => void child.kill(signal),
    heldMb: () => heldMbOf(child),
  }
}

/** Milliseconds that this machine, as busy as it is now, takes to load the modules of a daemon and nothing else. */
export async function loadingMs(): Promise<number> {
  const startMs = performance.now()
  await promisify(execFile)(process.execPath, [
    '--input-type=module',
    '-e',
    `await import(${JSON.stringify(pathToFileURL(join(OUT, 'src/daemon/run.js')).href)})`,
  ])
  return performance.now() - startMs
}

function parsed(line: string): Record<string, unknown> {
  try {
    return JSON.parse(line) as Record<string, unknown>
  } catch {
    return { raw: line }
  }
}

/** Megabytes of resident memory (to be told, not to be judged by: see live-memory.ts), and open file descriptors. */
export function figuresOf(pid: number): { rssMb: number; fds: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const rssMb = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024
  return { rssMb, fds: readdirSync(`/proc/${pid}/fd`).length }
}

/** Milliseconds of a processor that it has had so far. */
export function processorMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS
}

/** Tokens of the role `read`, by the port of the admin server: one with a file of tokens lets nobody look without. */
const tokens = new Map<number, string>()

export function knowToken(adminPort: number, token: string): void {
  tokens.set(adminPort, token)
}

function looking(adminPort: number, withinMs: number): RequestInit {
  const token = tokens.get(adminPort)
  return {
    signal: AbortSignal.timeout(withinMs),
    ...(token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }),
  }
}

export async function metricsOf(adminPort: number): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${adminPort}/metrics`, looking(adminPort, 5_000))
  return answer.text()
}

export async function isReady(adminPort: number): Promise<boolean> {
  const answer = await fetch(`http://127.0.0.1:${adminPort}/ready`, looking(adminPort, 3_000)).catch(() => undefined)
  return answer?.ok ?? false
}
