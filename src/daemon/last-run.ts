/**
 * Whether the process that used this data folder before ended in order. A message may kill each daemon that evaluates
 * its step. Nothing is stored of it then, and the SMSC delivers it again, to the next daemon. So after a crash, the
 * turns that may be the cause are stored before they are played: then their attempts count (`dialogue.takeoversMax`). Other
 * turns cost no second write.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Log } from '../base/index.ts'

export interface LastRun {
  /**
   * Whether a turn may be the one that killed the process. `writtenMs`: when its dialogue was last written, in
   * wall-clock milliseconds; null: it is a dial.
   */
  isSuspect(writtenMs: number | null): boolean
  /** From now on this process serves. */
  begin(): void
  /** This process ends in order. */
  end(): void
}

export interface LastRunDeps {
  /** The data folder. */
  data: string
  instance: string
  clock: { now(): number }
  log: Log
}

/** For so long after the start a dial is suspect: SMSCs deliver what they kept within seconds of a bind. */
export const DIALS_SUSPECT_MS = 30_000

const FILE = 'running'

export function createLastRun({ data, instance, clock, log }: LastRunDeps): LastRun {
  const file = join(data, FILE)
  const hasCrashed = existsSync(file) && !isServed(file)
  const startedMs = clock.now()
  if (hasCrashed) log.warn({}, 'the last run did not end in order: first turns are stored before they are played')
  let hasBegun = false
  const mark = `${process.pid} ${instance}`
  const isOwn = () => hasBegun && readFileSync(file, 'utf8') === mark
  return {
    isSuspect(writtenMs) {
      if (!hasCrashed) return false
      return writtenMs === null ? clock.now() < startedMs + DIALS_SUSPECT_MS : writtenMs < startedMs
    },
    begin() {
      try {
        writeFileSync(file, mark, { mode: 0o600 })
        hasBegun = true
      } catch (error) {
        log.warn({ err: error }, 'a crash of this run will not be noticed at the next start')
      }
    },
    end() {
      // Another process may have taken the folder over.
      if (isOwn()) rmSync(file, { force: true })
    },
  }
}

/** Whether the process that wrote the file still runs. In a container, the one before this had the same id. */
function isServed(file: string): boolean {
  try {
    const pid = Number.parseInt(readFileSync(file, 'utf8'), 10)
    return pid > 0 && pid !== process.pid && process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
