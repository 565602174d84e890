/** The lock on a data directory: a file with the id of the process that holds it. */
import { linkSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { UsageError } from '../../base/index.ts'

/**
 * Process ids repeat after a restart (in a container the id is always the same), so this process remembers its own
 * locks.
 */
const ours = new Set<string>()

/**
 * Returns a function that unlocks. Throws UsageError if a running process has the directory. The lock of a dead process
 * is taken over.
 */
export function lockDirectory(dir: string, owner: 'dialogues' | 'postgres'): () => void {
  const path = realpathSync(dir)
  const file = join(path, `${owner}.lock`)
  if (ours.has(file)) throw inUse(path, process.pid)
  const me = `${process.pid} ${startOf(process.pid)}\n`
  // Written completely, then linked: nobody ever reads half a lock.
  const mine = `${file}.${process.pid}`
  writeFileSync(mine, me, { mode: 0o600 })
  try {
    if (!link(mine, file)) {
      const holder = read(file)
      if (holder && alive(holder)) throw inUse(path, holder.pid)
      takeAway(file, `${file}.stale.${process.pid}`, path)
      if (!link(mine, file)) throw inUse(path, read(file)?.pid)
    }
  } finally {
    rmSync(mine, { force: true })
  }
  ours.add(file)
  return () => {
    ours.delete(file)
    if (read(file)?.pid === process.pid) rmSync(file, { force: true })
  }
}

interface Owner {
  pid: number
  start: string
}

/** Two processes may find the same stale lock: one that moved a fresh lock by mistake puts it back and gives way. */
function takeAway(file: string, aside: string, path: string): void {
  try {
    renameSync(file, aside)
  } catch {
    return
  }
  const moved = read(aside)
  const wrong = moved && alive(moved)
  if (wrong) link(aside, file)
  rmSync(aside, { force: true })
  if (wrong) throw inUse(path, moved.pid)
}

function link(from: string, to: string): boolean {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function read(file: string): Owner | undefined {
  try {
    const [pid, start = ''] = readFileSync(file, 'utf8').trim().split(' ')
    return Number(pid) > 0 ? { pid: Number(pid), start } : undefined
  } catch {
    return undefined
  }
}

function alive({ pid, start }: Owner): boolean {
  if (pid === process.pid) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  // Another process may have got the id of the dead one.
  return start === '' || startOf(pid) === '' || startOf(pid) === start
}

/** When a process started, in the kernel's ticks; '' if that is not available. (proc(5), /proc/pid/stat field 22) */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    return ''
  }
}

function inUse(path: string, pid: number | undefined): UsageError {
  return new UsageError(`${path} is in use by process ${pid ?? '?'}: stop it, or give this one another data directory`)
}
