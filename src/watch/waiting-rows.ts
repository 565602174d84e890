/** Rows that are written by and by, never where they happen: while Postgres is unreachable they wait in memory. */
import type { Counters } from '../base/index.ts'
import type { Clock } from '../ussd/index.ts'

export interface WaitingRowsDeps<Row> {
  clock: Clock
  counters: Counters
  /** The name of this daemon, and its run: together they make the ids of rows unique. */
  name: string
  instance: string
  /** The most that may wait: the oldest go when there are more. */
  max: number
  /** What is counted then, in `limits_total`. */
  limit: string
  /** Called once when Postgres begins to take none. */
  onAway(error: unknown, waiting: number): void
  write(rows: Stamped<Row>[]): Promise<unknown>
}

/** A row with its id, its time and the daemon that it is of. */
export type Stamped<Row> = { id: string; at: string; instance: string } & Row

export interface WaitingRows<Row> {
  put(row: Row): void
  /** Writes what is left, once. */
  stop(): Promise<void>
}

const ROWS_EACH = 500
const SOON_MS = 1_000
const AGAIN_MS = 5_000

export function createWaitingRows<Row>(deps: WaitingRowsDeps<Row>): WaitingRows<Row> {
  const { clock, counters, name, instance, max, limit } = deps
  const waiting: Stamped<Row>[] = []
  let count = 0
  let cancel: (() => void) | undefined
  let writing = Promise.resolve()
  let isAway = false

  function later(ms: number): void {
    cancel = clock.after(ms, () => {
      writing = write().then((isDone) => {
        cancel = undefined
        if (waiting.length > 0) later(isDone ? 0 : AGAIN_MS)
      })
    })
  }

  /** Never rejects. False: Postgres did not take them. */
  async function write(): Promise<boolean> {
    const rows = waiting.slice(0, ROWS_EACH)
    try {
      await deps.write(rows)
    } catch (error) {
      if (!isAway) deps.onAway(error, waiting.length)
      isAway = true
      return false
    }
    isAway = false
    const written = new Set(rows)
    waiting.splice(0, waiting.length, ...waiting.filter((row) => !written.has(row)))
    return true
  }

  return {
    put(row) {
      waiting.push({ id: `${instance}-${++count}`, at: new Date(clock.now()).toISOString(), instance: name, ...row })
      if (waiting.length > max) {
        waiting.shift()
        counters.count('limits_total', { limit })
      }
      if (!cancel) later(SOON_MS)
    },
    async stop() {
      cancel?.()
      await writing
      cancel?.()
      if (waiting.length > 0) await write()
    },
  }
}
