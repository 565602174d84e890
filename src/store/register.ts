/**
 * The port of a store: values by name, compare-and-set by the version with which a value begins, and an index of
 * deadlines. Redis and the journal both implement it; dialogues and parts of SMS each have one.
 *
 * A value is `<form><flag><version> …`; its first line is the head (record.ts). Only the head is read.
 */
export interface ValueSlot {
  name: string
  /** Where it may still be from before there were keys. It moves with the next write. */
  former?: string
}

/** A value, and the name under which it was read. */
export interface Stored {
  value: string
  at: string
}

export interface Change {
  /** What it was decided from: the version that must be stored, and under which name. Null: nothing may be stored. */
  from: { version: string; at: string } | null
  /** Null: removes the value. */
  value: string | null
  /** Null: removes it from the index. Absent: leaves its deadline unchanged. */
  dueMs?: number | null | undefined
  nowMs: number
  /** When it expires. */
  untilMs: number
  /** Only if its deadline had come by then. */
  dueByMs?: number | undefined
  /** Stored with the value, until they are removed. Absent: none. */
  records?: readonly StoredRecord[] | undefined
}

/** A call detail record beside the values. Neither has a line break, and the field has no blank. */
export interface StoredRecord {
  field: string
  text: string
}

/** How many call detail records may wait, and what is told of those that found no room. */
export interface RecordsKept {
  max: number
  onFull(count: number): void
}

/** The call detail records that were stored with values. */
export interface StoredRecords {
  count(): Promise<number>
  /** About so many at once. `at`: their places. */
  pages(limit: number): AsyncIterable<(StoredRecord & { at: string })[]>
  /** One that no value brings. False: there is no room. */
  put(name: string, record: StoredRecord): Promise<boolean>
  replace(at: string, text: string): Promise<void>
  remove(at: readonly string[]): Promise<void>
  /** The place of a record that was stored with the value of this name. */
  at(name: string, field: string): string
}

export interface Register {
  /** What this process wrote there last, if it knows: another one may have replaced it. Absent: it knows nothing. */
  recall?(slot: ValueSlot): Stored | undefined
  /**
   * A write over what was recalled was refused. True: another process had replaced it, which it then knows no more.
   * False: another write of this process was faster.
   */
  isOutdated?(slot: ValueSlot, version: string): boolean
  /** Nothing of what was written stays in the memory of this process. */
  forget?(): void
  /** Rejects with StoreError. Something that is not a value at all reads as ''. */
  read(slot: ValueSlot): Promise<Stored | null>
  /** False: another version is stored. StoreError 'too-large': there is no room for another value. */
  write(slot: ValueSlot, change: Change): Promise<boolean>
  /** Sets the flag of a value whose head has this turn, and moves its deadline; null: none. Not awaited. */
  settle(slot: ValueSlot, turn: string, dueMs: number | null): void
  /** Moves a deadline. False: another version is stored (null: any will do), or the deadline was moved since. */
  touch(slot: ValueSlot, version: string | null, dueMs: number | null, dueByMs?: number): Promise<boolean>
  due(nowMs: number, limit: number): Promise<string[]>
  count(): Promise<number>
  /** Names that have a deadline, in batches. */
  names(limit: number): AsyncIterable<string[]>
  /** Puts an unreadable value aside, for inspection; only if it is still stored. */
  putAside(slot: ValueSlot, stored: Stored): Promise<void>
  /** Removes everything of this MSISDN; `hidden` replaces it in names that hide it. Returns how many. */
  erase(msisdn: string, hidden: string | null): Promise<number>
  check(): Promise<{ durable: boolean; notes: string[] }>
  /** The time of the store's clock, in milliseconds. Absent: it has no clock of its own. */
  time?(): Promise<number>
  nodes?(): { known: number; ready: number }
  /** Absent: it keeps none. */
  records?: StoredRecords
  close(): Promise<void>
}
