/**
 * Measures how long work on outside data holds the event loop, piece by piece, so that a piece that is too long has a
 * name. Nobody else is served meanwhile.
 */
import { performance } from 'node:perf_hooks'

/** What is measured: labels of the metric `slow_stretches_total`. */
export type StretchPlace =
  | 'smpp-octets'
  | 'dialect-read'
  | 'sms-text'
  | 'flow-step'
  | 'flow-check'
  | 'pattern'
  | 'back-end-answer'
  | 'app-reply'
  | 'http-ingress'
  | 'trace'

/** The longest stretch that a subscriber beside it does not notice. */
export const STRETCH_MS_MAX = 50

/** Told of each stretch that was too long. */
export type StretchWatcher = (where: StretchPlace, ms: number) => void

/** Runs synchronous work. What is inside it is measured for itself, and does not count for what is around it. */
export type Stretch = <Args extends unknown[], Result>(
  where: StretchPlace,
  work: (...args: Args) => Result,
  ...args: Args
) => Result

export interface StretchClocks {
  wallMs(): number
  /** Time of the processor that this process used. */
  cpuMs(): number
}

/**
 * Reading the processor's time costs a hundred times as much as reading the clock: all threads are summed up. So it is
 * read at most once in this time; a stretch may seem longer by it, never shorter.
 */
const CPU_EACH_MS = 20

export function createStretches({ wallMs, cpuMs }: StretchClocks): {
  stretch: Stretch
  watch(watcher: StretchWatcher): () => void
} {
  const watchers = new Set<StretchWatcher>()
  let [cpuReadMs, cpuAtMs] = [-Infinity, 0]
  // How long what was inside the current stretch took.
  let insideMs = 0
  const end = (where: StretchPlace, ownMs: number, cpuBeganMs: number) => {
    if (ownMs <= STRETCH_MS_MAX) return
    // The machine may have stopped us for a while. Then nothing was done.
    const ms = Math.min(ownMs, cpuMs() - cpuBeganMs)
    if (ms > STRETCH_MS_MAX) for (const watcher of watchers) watcher(where, ms)
  }
  return {
    stretch(where, work, ...args) {
      if (watchers.size === 0) return work(...args)
      const startedMs = wallMs()
      const aroundMs = insideMs
      insideMs = 0
      if (startedMs - cpuReadMs > CPU_EACH_MS) [cpuReadMs, cpuAtMs] = [startedMs, cpuMs()]
      const cpuBeganMs = cpuAtMs
      try {
        return work(...args)
      } finally {
        const wholeMs = wallMs() - startedMs
        end(where, wholeMs - insideMs, cpuBeganMs)
        insideMs = aroundMs + wholeMs
      }
    },
    watch(watcher) {
      watchers.add(watcher)
      return () => void watchers.delete(watcher)
    },
  }
}

const ofThisProcess = createStretches({
  wallMs: () => performance.now(),
  cpuMs() {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1_000
  },
})

export const { stretch } = ofThisProcess

/** Told of every stretch of this process that is too long, until the returned function is called. */
export const watchStretches = ofThisProcess.watch
