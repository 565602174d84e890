/**
 * Files of call detail records without a table (`records.to: files`): each daemon writes its own, under numbers of its
 * own. A record stays in the store of dialogues until its file is under its name; a daemon that dies in between writes
 * it once more, and mediation drops the double by its epoch and kind.
 */
import { failpoint, type Counters, type Log } from '../base/index.ts'
import type { CallRecord, RecordShelf } from '../dialogue/index.ts'
import type { Clock } from '../ussd/index.ts'
import { RECORDS_IN_MEMORY_MAX } from './collector.ts'
import { type FileRow, ownFileNameOf } from './file-format.ts'
import { feedOf, isCutDue, SMS_FILED, type Feed } from './file-rows.ts'
import type { FileTimes } from './file-times.ts'
import { writeWhole } from './file-write.ts'
import { openNumbers, type Numbers } from './own-numbers.ts'
import type { UnrecordedSms } from './sms-rows.ts'

export interface OwnFilesDeps {
  shelf: RecordShelf
  feeds: readonly Feed[]
  dir: string
  everyMs: number
  /** The name of this daemon: whose records it writes, and what its files are called. */
  instance: string
  /** Where the numbers of its files are kept. */
  numbersFile: string
  /** Whether this daemon takes what others left behind, and SMS: one of all does. Rejects: nobody knows. */
  mayTakeOthers(): Promise<boolean>
  sms: OwnSms
  times: FileTimes
  clock: Clock
  log: Log
  counters: Counters
}

/** SMS that met their end and are in no file. */
export interface OwnSms {
  rows(limit: number): Promise<UnrecordedSms[]>
  /** They are in a file. */
  filed(rows: readonly UnrecordedSms[]): Promise<void>
}

export interface OwnFiles {
  /** A record that is in no store: it is lost with this process. */
  put(record: CallRecord): void
  /** Writes the files that are due. */
  round(): Promise<void>
  /** Writes what is in no store, before the process ends. */
  last(): Promise<void>
}

/** Rows of one round, which are put in order in memory: some 10 MB. What is more follows in the next files at once. */
export const OWN_ROWS_MAX = 20_000
const PAGE = 500
/** A daemon that lives has its records in a file by then: what is older, another one left behind. */
export const LEFT_MS = 60_000

/** A row, and where it is until its file is there. */
interface Entry {
  row: FileRow
  at?: string
  memory?: CallRecord
  sms?: UnrecordedSms
}

interface Gathered {
  entries: Map<string, Entry[]>
  isFull: boolean
}

export function createOwnFiles(deps: OwnFilesDeps): OwnFiles {
  return new DaemonFiles(deps)
}

class DaemonFiles implements OwnFiles {
  readonly #deps: OwnFilesDeps
  #memory: CallRecord[] = []
  /** Places of records that are in a file and still in the store, which did not answer. */
  readonly #filed = new Set<string>()
  #numbers: Numbers | undefined

  constructor(deps: OwnFilesDeps) {
    this.#deps = deps
  }

  put(record: CallRecord): void {
    const { feeds, counters } = this.#deps
    if (!feedOf(feeds, record)) return
    if (this.#memory.length < RECORDS_IN_MEMORY_MAX) this.#memory.push(record)
    else counters.count('limits_total', { limit: 'records_in_memory_max' })
  }

  async round(): Promise<void> {
    const { feeds, clock, everyMs } = this.#deps
    const numbers = await this.#opened()
    const nowMs = clock.now()
    const due = feeds.filter(({ partner }) => isCutDue(numbers.cutMs(partner), nowMs, everyMs))
    if (due.length > 0) await this.#cut(due, nowMs)
  }

  async last(): Promise<void> {
    if (this.#memory.length > 0) await this.#cut(this.#deps.feeds, this.#deps.clock.now())
  }

  async #opened(): Promise<Numbers> {
    const { numbersFile: file, dir, instance, feeds, times } = this.#deps
    if (this.#numbers) return this.#numbers
    const partners = feeds.map(({ partner }) => partner)
    const numbers = await openNumbers({ file, dir, instance, partners })
    for (const partner of partners) {
      const cutMs = numbers.cutMs(partner)
      if (cutMs !== undefined) times.found(partner, cutMs)
    }
    return (this.#numbers = numbers)
  }

  /** A file for each of these feeds, also an empty one; more where one has no room for all. */
  async #cut(due: readonly Feed[], nowMs: number): Promise<void> {
    await this.#removeFiled()
    const takesOthers = await this.#deps.mayTakeOthers().catch(() => false)
    for (let isFirst = true, isMore = true; isMore; isFirst = false) {
      const { entries, isFull } = await this.#gather(due, nowMs, takesOthers)
      for (const feed of due) {
        const found = entries.get(feed.partner) ?? []
        if (isFirst || found.length > 0) await this.#write(feed, found, nowMs)
      }
      isMore = isFull
    }
  }

  async #gather(due: readonly Feed[], nowMs: number, takesOthers: boolean): Promise<Gathered> {
    const { shelf, feeds, instance, everyMs } = this.#deps
    // A place may be read twice.
    const found = new Map<string, Entry>()
    const entries = new Map<string, Entry[]>()
    const room = () => OWN_ROWS_MAX - found.size
    const leftMs = nowMs - everyMs - LEFT_MS
    const isOurs = (record: CallRecord) => record.instance === instance || (takesOthers && record.endedMs < leftMs)
    const isDue = (record: CallRecord) => due.includes(feedOf(feeds, record)!)
    for (const memory of this.#memory.filter(isDue)) found.set(`memory ${found.size}`, { row: rowOf(memory), memory })
    for await (const page of shelf.pages(PAGE)) {
      const ours = page.filter(({ record, at }) => isOurs(record) && !this.#filed.has(at))
      const unwanted = ours.filter(({ record }) => !feedOf(feeds, record)).map(({ at }) => at)
      if (unwanted.length > 0) await shelf.remove(unwanted)
      for (const { record, at } of ours) if (isDue(record)) found.set(at, { row: rowOf(record), at })
      if (room() <= 0) break
    }
    for (const sms of await this.#smsFor(due, takesOthers ? room() : 0)) found.set(sms.epoch, { row: sms, sms })
    for (const entry of found.values()) {
      const { partner } = feedOf(feeds, entry.row)!
      if (!entries.has(partner)) entries.set(partner, [])
      entries.get(partner)!.push(entry)
    }
    return { entries, isFull: room() <= 0 }
  }

  async #smsFor(due: readonly Feed[], limit: number): Promise<UnrecordedSms[]> {
    const isWanted = due.includes(feedOf(this.#deps.feeds, SMS_FILED)!)
    return isWanted && limit > 0 ? this.#deps.sms.rows(limit) : []
  }

  async #write({ partner, format, unit }: Feed, found: readonly Entry[], nowMs: number): Promise<void> {
    const { dir, instance, times, counters, log } = this.#deps
    const numbers = await this.#opened()
    const seq = String(numbers.next(partner))
    const name = ownFileNameOf({ partner, instance, seq, cut_at: new Date(nowMs), format })
    const rows = found.map(({ row }) => row).toSorted(inOrder)
    await writeWhole({ dir, name, format, unit }, [rows], async () => {
      failpoint('file-cut')
      await numbers.take(partner, nowMs)
    })
    failpoint('file-renamed')
    times.wrote(partner, nowMs)
    counters.count('records_files_total', { partner })
    for (const { kind } of rows) counters.count('records_total', { kind })
    log.info({ file: name, rows: rows.length }, 'file of call detail records written')
    await this.#forget(found)
  }

  /** They are in a file. */
  async #forget(found: readonly Entry[]): Promise<void> {
    const memory = new Set(found.flatMap((entry) => entry.memory ?? []))
    this.#memory = this.#memory.filter((record) => !memory.has(record))
    for (const { at } of found) if (at !== undefined) this.#filed.add(at)
    const sms = found.flatMap((entry) => entry.sms ?? [])
    if (sms.length > 0) await this.#deps.sms.filed(sms)
    await this.#removeFiled()
  }

  async #removeFiled(): Promise<void> {
    if (this.#filed.size === 0) return
    await this.#deps.shelf.remove([...this.#filed])
    this.#filed.clear()
  }
}

function rowOf(record: CallRecord): FileRow {
  const { openedMs, endedMs } = record
  return {
    ...record,
    opened_at: new Date(openedMs),
    ended_at: new Date(endedMs),
    total_ms: String(endedMs - openedMs),
    parts: 0,
  }
}

function inOrder(a: FileRow, b: FileRow): number {
  const [one, other] = [`${a.epoch} ${a.kind}`, `${b.epoch} ${b.kind}`]
  return one < other ? -1 : Number(one > other)
}
