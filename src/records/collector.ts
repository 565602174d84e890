/**
 * Collects call detail records: from the store of dialogues, which keeps each until it was written, and from this
 * process, which hands its own on at once, so that they need not be read again. A record may be written twice, by two
 * daemons or after a crash: its key makes it one row.
 */
import { failpoint, type Counters, type Log } from '../base/index.ts'
import type { CallRecord, RecordShelf, WaitingRecord } from '../dialogue/index.ts'
import type { Clock } from '../ussd/index.ts'

export interface CollectorDeps {
  /** Absent: the store of dialogues keeps none. */
  shelf: RecordShelf | undefined
  /** Writes them, durably. `areNew`: nobody should have written any of them, nor we. */
  write(records: readonly CallRecord[], areNew?: boolean): Promise<unknown>
  /** Writes the records of things that are rows already. True: there may be more. Absent: there are none. */
  writeOthers?(): Promise<boolean>
  /** How many are written at once. */
  batch: number
  clock: Clock
  log: Log
  counters: Counters
  /** False: the clock of this machine is wrong. */
  mayRun(): boolean
}

export interface Collector {
  /** A record that is in no store: it is lost with this process. */
  put(record: CallRecord): void
  /** Rows came about that need records (writeOthers): they are looked for within a second. */
  othersCame(): void
  start(): void
  /** Writes what is here, once. What the store keeps is written by others, or after the restart. */
  stop(): Promise<void>
}

/** A bill may be a second late, and a batch is cheaper than rows. */
const SOON_MS = 1_000
/** What a daemon left behind that died is found so soon, and rows that need records of which nobody told us. */
const LOOK_MS = 15_000
/** Younger ones are left to the daemon that ended their dialogue: it writes them in a cheaper way. */
const OURS_MS = 5_000
/** While the database does not answer. */
const AWAY_MS = 5_000
/** Records in memory: five minutes of a hundred dials a second, some 15 MB. What the store keeps is found there. */
export const RECORDS_IN_MEMORY_MAX = 30_000

/** A record here; `at`: also in the store. */
type Pending = { record: CallRecord; at?: string }

/** Writes what waits in the store now, once: for a caller that needs all of it in the table. */
export async function collectWaiting({
  shelf,
  write,
  batch,
}: Pick<CollectorDeps, 'shelf' | 'write' | 'batch'>): Promise<void> {
  for await (const page of shelf?.pages(batch) ?? []) {
    if (page.length === 0) continue
    await write(page.map(({ record }) => record))
    await shelf?.remove(page.map(({ at }) => at))
  }
}

export function createCollector(deps: CollectorDeps): Collector {
  return new RecordCollector(deps)
}

class RecordCollector implements Collector {
  readonly #deps: CollectorDeps
  readonly #pending: Pending[] = []
  #cancel = (): void => undefined
  #round: Promise<unknown> = Promise.resolve()
  #lookMs = 0
  #hasOthers = false
  #isAway = false
  /** A batch failed, and may have been written nevertheless; and meanwhile others may have found what we have. */
  #inDoubt = false
  #stopped = true

  constructor(deps: CollectorDeps) {
    this.#deps = deps
    deps.shelf?.follow((kept) => this.#follow(kept))
  }

  put(record: CallRecord): void {
    if (this.#hasRoom(1)) this.#pending.push({ record })
    else this.#deps.counters.count('limits_total', { limit: 'records_in_memory_max' })
  }

  othersCame(): void {
    this.#hasOthers = true
  }

  start(): void {
    this.#stopped = false
    this.#again(SOON_MS)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancel()
    await this.#round
    try {
      while (this.#pending.length > 0) await this.#writePending()
    } catch {
      // The store keeps it, for another daemon or for this one after its restart.
    }
  }

  #follow(kept: readonly WaitingRecord[]): void {
    if (this.#hasRoom(kept.length)) this.#pending.push(...kept)
  }

  #hasRoom(more: number): boolean {
    return this.#pending.length + more <= RECORDS_IN_MEMORY_MAX
  }

  #again(afterMs: number): void {
    this.#cancel = this.#deps.clock.after(afterMs, () => {
      this.#round = this.#collect().then((pauseMs) => (this.#stopped ? undefined : this.#again(pauseMs)))
    })
  }

  /** Never rejects. Answers when to go on. */
  async #collect(): Promise<number> {
    const { clock, log, mayRun } = this.#deps
    if (!mayRun()) return AWAY_MS
    try {
      await this.#writePending()
      const isDue = clock.now() >= this.#lookMs || clock.now() < this.#lookMs - LOOK_MS
      if (isDue || this.#hasOthers) await this.#writeOthers()
      if (isDue) await this.#look()
      if (this.#isAway) log.info({}, 'call detail records are written again')
      this.#isAway = false
      return SOON_MS
    } catch (error) {
      if (!this.#isAway) log.warn({ err: error, waiting: this.#pending.length }, 'call detail records are not written')
      this.#isAway = true
      return AWAY_MS
    }
  }

  /**
   * What this process has now. What it fails to write stays, and what comes meanwhile waits for the next round: a busy
   * daemon would else write a few at a time without a pause.
   */
  async #writePending(): Promise<void> {
    for (let left = this.#pending.length; left > 0;) {
      const some = this.#pending.slice(0, Math.min(left, this.#deps.batch))
      left -= some.length
      const areNew = !this.#inDoubt
      this.#inDoubt = true
      await this.#write(some, areNew)
      this.#pending.splice(0, some.length)
      this.#inDoubt = !areNew
    }
    this.#inDoubt = false
  }

  /** What is in the store, of all daemons. */
  async #look(): Promise<void> {
    const { shelf, batch, clock } = this.#deps
    for await (const page of shelf?.pages(batch) ?? []) {
      if (this.#stopped) return
      const nowMs = clock.now()
      await this.#write(page.filter(({ record }) => !(Math.abs(nowMs - record.endedMs) < OURS_MS)))
    }
    this.#lookMs = clock.now() + LOOK_MS
  }

  /** What comes about meanwhile is looked for again. */
  async #writeOthers(): Promise<void> {
    this.#hasOthers = false
    try {
      while (!this.#stopped && (await this.#deps.writeOthers?.())) continue
    } catch (error) {
      this.#hasOthers = true
      throw error
    }
  }

  async #write(some: readonly Pending[], areNew = false): Promise<void> {
    if (some.length === 0) return
    const records = some.map(({ record }) => record)
    await this.#deps.write(records, areNew)
    failpoint('cdr-written')
    await this.#deps.shelf?.remove(some.flatMap(({ at }) => at ?? []))
  }
}
