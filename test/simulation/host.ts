/** A process of the simulation: its clock, and its end. What a dead one had under way never goes on. */
import type { Clock } from '../../src/ussd/vocabulary.ts'
import type { Scheduler } from './scheduler.ts'

/** 2025-05-01 09:00 in Port Moresby. */
export const EPOCH_MS = Date.parse('2025-05-01T09:00:00+10:00')

export interface Host {
  readonly name: string
  readonly clock: Clock
  alive(): boolean
  /** Runs after that long, if the process still lives. */
  after(ms: number, label: string, run: () => void): () => void
  /** The wall clock jumps; timers do not. */
  step(ms: number): void
  onDeath(run: () => void): void
  /** As kill -9: nothing of it runs any more. */
  kill(): void
}

/** `skewMs`: how wrong its wall clock is. */
export function host(name: string, scheduler: Scheduler, skewMs = 0): Host {
  const deaths: (() => void)[] = []
  let alive = true
  let skew = skewMs
  const after = (ms: number, label: string, run: () => void) =>
    scheduler.after(ms, label, () => {
      if (alive) run()
    })
  const now = () => EPOCH_MS + Math.floor(scheduler.nowMs()) + skew
  return {
    name,
    after,
    clock: { now, today: now, after: (ms, run) => after(ms, `${name} timer`, run) },
    alive: () => alive,
    step: (ms) => void (skew += ms),
    onDeath: (run) => void deaths.push(run),
    kill() {
      if (!alive) return
      alive = false
      for (const run of deaths) run()
    },
  }
}
