/** The daemon as the process that an operator runs: for kill -9, SIGTERM, and exit codes. */
import { spawn, type ChildProcess } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import type { Settings } from '../../src/config/schema.ts'
import type { Smsc } from '../../src/simulator/smsc/smsc.ts'
import { root } from '../style/tree.ts'

/** Of a machine that has much else to do. */
const START_MS = 50_000

export interface DaemonProcess {
  readonly child: ChildProcess
  /** What it wrote, line by line. */
  output(): string[]
  kill(signal: NodeJS.Signals): void
  /** Resolves with the exit code (null: killed). */
  exited: Promise<number | null>
}

/** Starts `ussd-connector run` on these settings. */
export function runProcess(settings: Settings, folder: string, env: Record<string, string> = {}): DaemonProcess {
  const file = join(folder, 'connector.yaml')
  writeFileSync(file, stringify(JSON.parse(JSON.stringify(settings))), { mode: 0o600 })
  return runCli(['run', '--config', file], env)
}

/** Waits for a daemon that starts, however slow the machine; one that ends instead says why. */
export async function bound(daemon: DaemonProcess, smsc: Pick<Smsc, 'bound'>, count = 1): Promise<void> {
  const ended = daemon.exited.then((code) => {
    throw new Error(`the daemon ended with ${code}:\n${daemon.output().join('\n')}`)
  })
  await Promise.race([smsc.bound(count, START_MS), ended])
}

/** The compiled CLI, which the suite names (suite.ts): it starts in a third of the time that the sources take. */
export const COMPILED_CLI = 'TEST_COMPILED_CLI'

/** Starts any command of the CLI: from the sources, where no suite has compiled them. */
export function runCli(words: string[], env: Record<string, string> = {}): DaemonProcess {
  const compiled = { ...process.env, ...env }[COMPILED_CLI]
  const program = compiled ? [compiled] : ['--import', 'tsx', join(root, 'src/cli/main.ts')]
  return runProgram([...program, ...words], root, env)
}

/** Starts Node with these words in that folder. */
export function runProgram(words: string[], folder: string, env: Record<string, string> = {}): DaemonProcess {
  const child = spawn(process.execPath, words, {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let written = ''
  child.stdout!.on('data', (chunk) => (written += String(chunk)))
  child.stderr!.on('data', (chunk) => (written += String(chunk)))
  return {
    child,
    output: () => written.split('\n').filter(Boolean),
    kill: (signal) => void child.kill(signal),
    exited: new Promise((done) => child.once('exit', (code) => done(code))),
  }
}
