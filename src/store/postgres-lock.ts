/** The lock of an embedded database's folder: PGlite has none, and two writers corrupt it. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { UsageError } from '../errors.ts'

const FILE = 'postgres.lock'
/** Files that this process has locked. A lock with our own pid that is not here was left by an earlier container. */
const held = new Set<string>()

/** Answers how to unlock. Takes over the lock of a process that is gone; throws UsageError if it lives. */
export function lockDirectory(dir: string): () => void {
  const file = join(dir, FILE)
  for (let tries = 0; tries < 3; tries++) {
    try {
      writeFileSync(file, String(process.pid), { flag: 'wx', mode: 0o600 })
      held.add(file)
      return () => unlock(file)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      refuseIfAlive(file, dir)
      rmSync(file, { force: true })
    }
  }
  throw new UsageError(`the embedded database in ${dir} is being opened by another process: try again`)
}

function refuseIfAlive(file: string, dir: string): void {
  const owner = ownerOf(file)
  if (owner === process.pid ? held.has(file) : isAlive(owner)) {
    throw new UsageError(
      `the embedded database in ${dir} is open in process ${owner}: stop it, or use another data folder` +
      ` (if that process is not a connector, remove ${file})`)
  }
}

function ownerOf(file: string): number {
  try {
    return Number(readFileSync(file, 'utf8'))
  } catch {
    return 0
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function unlock(file: string): void {
  held.delete(file)
  if (ownerOf(file) === process.pid) rmSync(file, { force: true })
}
