/**
 * A register in this process: a Map, its deadlines, and an optional journal that makes changes durable. A change has
 * happened when the journal has it.
 */
import { nameOfKey } from '../../dialogue/index.ts'
import { StoreError } from '../../base/index.ts'
import type { StoreFault } from '../../dialogue/index.ts'
import type { Change, RecordsKept, Register, StoredRecords, ValueSlot } from '../register.ts'
import { settled, versionOf, waitsFor } from '../record.ts'
import { deadlines } from './memory-deadlines.ts'

/** One change, as the journal has it. `dueMs`: when something must be done about it; `untilMs`: when it expires. */
export type JournalLine =
  | { put: string; value: string; dueMs: number | null; untilMs: number; cdr?: [field: string, text: string][] }
  /** Call detail records that wait, and those that were removed. */
  | { cdr: [field: string, text: string][] }
  | { collected: readonly string[] }
  | { due: string; dueMs: number | null }
  /** The flag of a value, and its deadline. */
  | { settled: string; dueMs: number | null }
  | { gone: string }

export interface Journal {
  /** Returns when the change would survive the end of this process. Throws StoreError 'down'. */
  append(line: JournalLine): void
  /** A change that may be lost: it is written with the next one. */
  soon(line: JournalLine): void
  /** Keeps only what is in `live`. */
  compact(live: () => Iterable<JournalLine>): void
  /** Whether it has grown so much that it should be compacted. */
  large(): boolean
  check(): { durable: boolean; notes: string[] }
  close(): void
}

export interface MemoryOptions {
  journal?: Journal
  /** The content of the journal. */
  lines?: Iterable<JournalLine>
  /** Absent: no call detail records are stored with values. */
  records?: RecordsKept | undefined
  onFault?: ((fault: StoreFault) => void) | undefined
}

const MEMORY_ONLY = 'dialogues are kept in memory only: a restart loses all of them'
/** How many names are returned at once. */
const NAMES_COUNT = 200

/** A register with the content of `lines`. Without a journal nothing survives the process. */
export function memoryRegister(options: MemoryOptions): Register {
  return new MemoryRegister(options)
}

class MemoryRegister implements Register {
  readonly #journal: Journal | undefined
  readonly #held: ReturnType<typeof createValues>
  readonly #onFault: MemoryOptions['onFault']
  readonly #kept: RecordsKept | undefined
  readonly records?: StoredRecords
  #closed = false

  constructor({ journal, lines = [], records, onFault }: MemoryOptions) {
    this.#kept = records
    if (records) this.records = this.#storedRecords()
    this.#journal = journal
    this.#held = createValues(lines)
    this.#onFault = onFault
  }

  async read({ name }: ValueSlot) {
    const value = this.#open().values.get(name)
    return value === undefined ? null : { value, at: name }
  }

  async write({ name }: ValueSlot, { from, value, dueMs, untilMs, dueByMs, records }: Change) {
    const { due } = this.#open()
    if (!this.#stands(name, from && from.version) || !this.#isDue(name, dueByMs)) return false
    if (value === null) this.#change({ gone: name })
    else {
      const cdr = this.#roomFor(records)
      const put = { put: name, value, untilMs, dueMs: dueMs === undefined ? (due.at(name) ?? null) : dueMs }
      this.#change(cdr ? { ...put, cdr } : put)
    }
    return true
  }

  #roomFor(records: Change['records']): [string, string][] | undefined {
    if (!records || !this.#kept) return undefined
    if (this.#held.records.size < this.#kept.max) return records.map(({ field, text }) => [field, text])
    this.#kept.onFull(records.length)
    return undefined
  }

  #storedRecords(): StoredRecords {
    return {
      at: (_name, field) => field,
      count: async () => this.#open().records.size,
      pages: (limit) => this.#recordPages(limit),
      put: async (_name, { field, text }) => {
        const { records } = this.#open()
        if (records.size >= this.#kept!.max && !records.has(field)) return false
        this.#change({ cdr: [[field, text]] })
        return true
      },
      // What was there is not to be in the journal either.
      replace: async (at, text) => {
        this.#change({ cdr: [[at, text]] })
        this.#journal?.compact(this.#open().live)
      },
      remove: async (at) => {
        const { records } = this.#open()
        const collected = at.filter((field) => records.has(field))
        if (collected.length) this.#change({ collected })
      },
    }
  }

  async *#recordPages(limit: number) {
    const all = [...this.#open().records].map(([field, text]) => ({ at: field, field, text }))
    for (let from = 0; from < all.length; from += limit) yield all.slice(from, from + limit)
  }

  settle({ name }: ValueSlot, turn: string, dueMs: number | null) {
    const value = this.#closed ? undefined : this.#held.values.get(name)
    if (value !== undefined && waitsFor(value, turn)) this.#change({ settled: name, dueMs }, 'soon')
  }

  async touch({ name }: ValueSlot, version: string | null, dueMs: number | null, dueByMs?: number) {
    this.#open()
    if ((version !== null && !this.#stands(name, version)) || !this.#isDue(name, dueByMs)) return false
    this.#change({ due: name, dueMs })
    return true
  }

  /** Expired values are not journalled one by one: they are dropped again after a restart. */
  async due(nowMs: number, limit: number) {
    const held = this.#open()
    held.purge(nowMs)
    return held.due.due(nowMs, limit)
  }

  async count() {
    return this.#open().due.size()
  }

  async *names(limit: number) {
    const { values, due } = this.#open()
    const names = [...values.keys()].filter((name) => due.at(name) !== undefined).slice(0, limit)
    for (let from = 0; from < names.length; from += NAMES_COUNT) yield names.slice(from, from + NAMES_COUNT)
  }

  async putAside({ name }: ValueSlot) {
    this.#change({ gone: name })
  }

  async erase(msisdn: string) {
    const { values, live } = this.#open()
    const suffix = nameOfKey({ group: '', msisdn })
    const names = [...values.keys()].filter((name) => name.endsWith(suffix))
    for (const gone of names) this.#change({ gone })
    this.#journal?.compact(live)
    return names.length
  }

  async check() {
    this.#open()
    return this.#journal?.check() ?? { durable: false, notes: [MEMORY_ONLY] }
  }

  async close() {
    if (!this.#closed) this.#journal?.close()
    this.#closed = true
  }

  #open() {
    if (this.#closed) throw new StoreError('down', 'the dialogue store is closed')
    return this.#held
  }

  #stands(name: string, version: string | null): boolean {
    const value = this.#held.values.get(name)
    return value === undefined ? version === null : versionOf(value) === version
  }

  #isDue(name: string, byMs: number | undefined): boolean {
    return byMs === undefined || (this.#held.due.at(name) ?? Infinity) <= byMs
  }

  /** A change that the journal cannot write did not happen. */
  #change(line: JournalLine, how: 'append' | 'soon' = 'append'): void {
    const journal = this.#journal
    this.#open()
    journal?.[how](line)
    this.#held.apply(line)
    if (journal?.large()) this.#tryToCompact(journal)
  }

  /** The change is durable already: it does not fail because the journal stays long. */
  #tryToCompact(grown: Journal): void {
    try {
      grown.compact(this.#held.live)
    } catch {
      this.#onFault?.('down')
    }
  }
}

function createValues(lines: Iterable<JournalLine>) {
  const values = new Map<string, string>()
  const records = new Map<string, string>()
  const due = deadlines()
  const ends = deadlines()

  const drop = (name: string) => {
    values.delete(name)
    due.set(name, null)
    ends.set(name, null)
  }
  const apply = (line: JournalLine) => {
    if ('cdr' in line) for (const [field, text] of line.cdr ?? []) records.set(field, text)
    if ('put' in line) {
      values.set(line.put, line.value)
      due.set(line.put, line.dueMs)
      ends.set(line.put, line.untilMs)
    } else if ('due' in line) due.set(line.due, line.dueMs)
    else if ('gone' in line) drop(line.gone)
    else if ('collected' in line) for (const field of line.collected) records.delete(field)
    else if ('settled' in line) settle(line.settled, line.dueMs)
  }
  const settle = (name: string, dueMs: number | null) => {
    const value = values.get(name)
    if (value === undefined) return
    values.set(name, settled(value))
    due.set(name, dueMs)
  }
  for (const line of lines) apply(line)
  return {
    values,
    records,
    due,
    apply,
    purge(nowMs: number) {
      for (const name of ends.due(nowMs, Infinity)) drop(name)
    },
    /** Everything, as lines that would create it again. */
    *live(): Iterable<JournalLine> {
      for (const [put, value] of values) yield { put, value, dueMs: due.at(put) ?? null, untilMs: ends.at(put) ?? 0 }
      for (const one of records) yield { cdr: [one] }
    },
  }
}
