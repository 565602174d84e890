/** What is done now and again: at once the first time, and never twice at the same time. */
import type { Clock } from '../ussd/index.ts'

export interface Round {
  everyMs: number
  run(): Promise<unknown>
  /** Called when it rejected: the next round tries again. */
  failed(error: unknown): void
}

export interface Rounds {
  start(): void
  /** Resolves when the last round is over. */
  stop(): Promise<void>
}

export interface RoundsDeps {
  clock: Clock
  /** False: the clock of this machine is wrong, and nothing is done. */
  mayRun(): boolean
}

export function startRounds(all: readonly Round[], { clock, mayRun }: RoundsDeps): Rounds {
  const each = all.map((round) => oneRound(round, clock, mayRun))
  return {
    start: () => each.forEach((one) => one.start()),
    async stop() {
      await Promise.all(each.map((one) => one.stop()))
    },
  }
}

function oneRound({ everyMs, run, failed }: Round, clock: Clock, mayRun: () => boolean): Rounds {
  let cancel = (): void => undefined
  let running: Promise<unknown> = Promise.resolve()
  let stopped = true
  const again = (ms: number) => {
    cancel = clock.after(ms, () => {
      running = (mayRun() ? run() : Promise.resolve()).catch(failed).then(() => (stopped ? undefined : again(everyMs)))
    })
  }
  return {
    start() {
      stopped = false
      again(0)
    },
    async stop() {
      stopped = true
      cancel()
      await running
    },
  }
}
