import { readFileSync } from 'node:fs'

/** How much of a processor the neighbours leave to us just now. */

export interface Spin {
  spinMs?: number
  nowMs?: () => number
  /** Of a processor, by this process. */
  usedMs?: () => number
}

/** 1: all of it. What this process got of the time that it wanted; the event loop stands still meanwhile. */
export function shareOfCore({ spinMs = 150, nowMs = () => performance.now(), usedMs = used }: Spin = {}): number {
  const [startMs, before] = [nowMs(), usedMs()]
  let endMs = startMs
  while (endMs - startMs < spinMs) endMs = nowMs()
  return Math.min(1, (usedMs() - before) / (endMs - startMs))
}

function used(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}

/**
 * Milliseconds that the main thread of a process could have run and was not let, since it began; 0 where the system
 * does not tell. (Linux, Documentation/scheduler/sched-stats.rst: the second figure of schedstat)
 */
export function keptWaitingMs(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ')[1]) / 1e6
  } catch {
    return 0
  }
}

export interface OwnTime {
  nowMs?: () => number
  keptMs?: (pid: number) => number
}

/**
 * Begins a watch on what a wait is, but for what the machine adds: while its neighbours kept one of these processes from
 * running, the watch stood still. The answer reads it, in milliseconds.
 */
export function watchOwnTime(
  pids: readonly number[],
  { nowMs = () => performance.now(), keptMs = keptWaitingMs }: OwnTime = {},
): () => number {
  const kept = () => pids.reduce((sum, pid) => sum + keptMs(pid), 0)
  const [startMs, before] = [nowMs(), kept()]
  return () => Math.max(0, nowMs() - startMs - (kept() - before))
}

const TICK_MS = 20

export interface Stalls {
  /** Milliseconds that this process stood still since they were taken last. */
  takeMs(): number
  stop(): void
}

/** What the machine does to a peer that a campaign plays: what came meanwhile comes in one heap. */
export function stallsOf(nowMs: () => number = () => performance.now()): Stalls & { tick(): void } {
  let [lastMs, stalledMs] = [nowMs(), 0]
  const tick = (): void => {
    const now = nowMs()
    stalledMs += Math.max(0, now - lastMs - 2 * TICK_MS)
    lastMs = now
  }
  const timer = setInterval(tick, TICK_MS)
  return {
    tick,
    takeMs: () => {
      tick()
      const taken = stalledMs
      stalledMs = 0
      return taken
    },
    stop: () => clearInterval(timer),
  }
}
