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
