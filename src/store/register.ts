/**
 * The port of a store: values by name, compare-and-set by the version that a value begins with, and an index of
 * deadlines. Redis and the journal are two of it; dialogues and parts of SMS are kept in one each.
 *
 * A value is `<form><flag><version> …`, its first line the head (record.ts). Only the head is looked at.
 */
export interface ValueSlot {
  name: string
  /** Where it may still stand, from before there were keys; it moves with the next write. */
  former?: string
}

/** A value, and the name that it was read under. */
export interface Stored {
  value: string
  at: string
}

export interface Change {
  /** What it was decided from: the version that must stand there, and under which name. null: nothing stands there. */
  from: { version: string; at: string } | null
  /** null: nothing is to stand there. */
  value: string | null
  /** null: takes it out of the index; absent: leaves it there as it is. */
  dueMs?: number | null
  nowMs: number
  /** When it goes by itself. */
  untilMs: number
  /** Only if its deadline had come by then. */
  dueByMs?: number | undefined
}

export interface Register {
  /** Rejects with StoreError. What is no value at all reads as ''. */
  read(slot: ValueSlot): Promise<Stored | null>
  /** False: another version stands there. StoreError 'too-large': there is no room for one more. */
  write(slot: ValueSlot, change: Change): Promise<boolean>
  /** Sets the flag of a value whose head has this turn, and moves its deadline; null: none. Fire and forget. */
  settle(slot: ValueSlot, turn: string, dueMs: number | null): void
  /** Moves a deadline. False: another version stands there (null: any will do), or the deadline was moved since. */
  touch(slot: ValueSlot, version: string | null, dueMs: number | null, dueByMs?: number): Promise<boolean>
  due(nowMs: number, limit: number): Promise<string[]>
  count(): Promise<number>
  /** Names that have a deadline, some at a time. */
  names(limit: number): AsyncIterable<string[]>
  /** Takes a value out of the way that does not read, to be looked at; only if it still stands there. */
  putAside(slot: ValueSlot, stored: Stored): Promise<void>
  /** Everything of this MSISDN; `hidden` stands for it in names that hide it. Answers how many. */
  erase(msisdn: string, hidden: string | null): Promise<number>
  check(): Promise<{ durable: boolean; notes: string[] }>
  nodes?(): { known: number; ready: number }
  close(): Promise<void>
}
