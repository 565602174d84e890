/** Node.js processes that run beside each other, and whose output comes one after the other. */
import { spawn, type ChildProcess } from 'node:child_process'
import { constants } from 'node:os'

export interface Beside {
  child: ChildProcess
  /** Writes what it has said, and then what it says. */
  tell(write: (text: string) => void): void
  /** Its exit code; of a process that a signal ended 128 and the number of the signal, as a shell has it. */
  exited: Promise<number>
}

/** `words` are what stands behind `node`. What the process says on both outputs is kept until somebody asks for it. */
export function startBeside(words: readonly string[], options: { cwd: string; env: NodeJS.ProcessEnv }): Beside {
  const child = spawn(process.execPath, words, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  const kept: string[] = []
  let out = (text: string): void => void kept.push(text)
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => out(text))
  return {
    child,
    tell(write) {
      kept.splice(0).forEach(write)
      out = write
    },
    exited: new Promise((done, fail) => {
      child.once('error', fail)
      child.once('close', (code, signal) => done(code ?? 128 + constants.signals[signal!]))
    }),
  }
}
