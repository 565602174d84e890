/**
 * The dialogue store in this process: a Map, its deadlines, and what becomes durable through a journal (or does not).
 * Entries are values: each change puts a new one in, after the journal has it.
 */
import {
  tallied,
  deadlineMs,
  recordOf,
  refuseTooLarge,
  writeSnapshot,
  type DialogueEntry,
  nameOfKey,
  confirm,
  drop,
  rest,
  seize,
  type Seizing,
  bury,
  classifyAnswer,
  classifyBegin,
  type Classified,
  type DialogueLimits,
  type DialogueStore,
  type Overdue,
  type StoreFault,
  type TakeResult,
  type Taking,
} from '../../dialogue/index.ts'
import { StoreError } from '../../base/index.ts'
import { deadlines } from './memory-deadlines.ts'

/** One change, as it is journalled. `dueMs`: when something must be done about the entry. */
export type Change =
  | { put: string; entry: DialogueEntry; dueMs: number | null }
  | { due: string; dueMs: number | null }
  | { confirmed: string; dueMs: number | null }
  | { gone: string }

export interface Journal {
  /** Returns when the change would survive the end of this process. Throws StoreError 'down'. */
  append(change: Change): void
  /** A change that may be lost: it goes out with the next one. */
  soon(change: Change): void
  /** Leaves nothing of what is not in `live`. */
  compact(live: () => Iterable<Change>): void
  /** Whether it has grown so much that it wants to be compacted. */
  large(): boolean
  check(): { durable: boolean; notes: string[] }
  close(): void
}

export interface MemoryOptions {
  limits: DialogueLimits
  journal?: Journal
  /** What the journal held. */
  changes?: Iterable<Change>
  onFault?: (fault: StoreFault) => void
}

/** A store over what `changes` leave. Without a journal nothing survives the process. */
export function memoryDialogues(options: MemoryOptions): DialogueStore {
  const { limits } = options
  const table = createTable(options)
  return {
    open: async (taking) => hear(table, limits, taking, classifyBegin),
    async bury(begin, untilMs, nowMs) {
      const name = nameOfKey(begin.key)
      const entry = bury(table.get(name), begin, untilMs, nowMs)
      if (entry) table.put(name, entry, entry.status === 'ended' && entry.confirmed === null ? null : table.dueAt(name))
      return entry !== undefined
    },
    take: async (taking) => hear(table, limits, taking, classifyAnswer),
    async rest(resting) {
      const stored = writeSnapshot(resting.snapshot)
      refuseTooLarge(stored, limits)
      const name = nameOfKey(resting.key)
      const entry = rest(table.get(name), resting, stored, limits)
      if (typeof entry !== 'string') table.put(name, entry, deadlineMs(entry, limits))
      return entry !== 'refused'
    },
    confirm(key, epoch, turn) {
      const name = nameOfKey(key)
      const entry = confirm(table.peek(name), epoch, turn)
      if (entry) table.confirmed(name, deadlineMs(entry, limits))
    },
    async renew(key, epoch, token, leaseUntilMs) {
      const name = nameOfKey(key)
      const entry = table.get(name)
      if (entry?.status !== 'taken' || entry.epoch !== epoch || entry.token !== token) return false
      table.due(name, leaseUntilMs)
      return true
    },
    async drop(key, which, reason, nowMs) {
      const name = nameOfKey(key)
      const found = drop(table.get(name), { which, reason, nowMs }, limits)
      if (found) table.put(name, found.entry, null)
      return found?.dropped ? recordOf(found.entry) : null
    },
    async overdue(nowMs, limit, token, leaseUntilMs) {
      const seizing = { nowMs, token, leaseUntilMs }
      return table.overdue(nowMs, limit).flatMap((name) => seizeOne(table, name, seizing, limits))
    },
    async find(key) {
      const entry = table.get(nameOfKey(key))
      return entry ? recordOf(entry) : null
    },
    count: async () => table.open(),
    async census(limit) {
      const open = table.all().filter((entry) => entry.status !== 'ended')
      return { open: tallied(open.slice(0, limit).map(({ revision }) => revision)), whole: open.length <= limit }
    },
    erase: async (msisdn) => table.erase(msisdn),
    check: async () => table.check(),
    close: async () => table.close(),
  }
}

const MEMORY_ONLY = 'dialogues are kept in memory only: a restart loses all of them'

type Table = ReturnType<typeof createTable>

/** Entries and their deadlines, changed through the journal. */
function createTable({ journal, changes = [], onFault }: MemoryOptions) {
  const held = createEntries(changes)
  let closed = false
  const refuseClosed = () => {
    if (closed) throw new StoreError('down', 'the dialogue store is closed')
  }
  /** What the journal cannot take has not happened. */
  const change = (what: Change, how: 'append' | 'soon' = 'append') => {
    refuseClosed()
    journal?.[how](what)
    held.apply(what)
    if (journal?.large()) tryToCompact(journal)
  }
  /** The change is durable already: that the journal stays long is no reason to fail it. */
  const tryToCompact = (grown: Journal) => {
    try {
      grown.compact(held.live)
    } catch {
      onFault?.('down')
    }
  }
  return {
    get: (name: string) => (refuseClosed(), held.entries.get(name)),
    peek: (name: string) => (closed ? undefined : held.entries.get(name)),
    put: (name: string, entry: DialogueEntry, dueMs: number | null) => change({ put: name, entry, dueMs }),
    confirmed: (name: string, dueMs: number | null) => change({ confirmed: name, dueMs }, 'soon'),
    due: (name: string, dueMs: number | null) => change({ due: name, dueMs }),
    /** Tombstones that ran out are not journalled one by one: they are dropped again after a restart. */
    overdue: (nowMs: number, limit: number) => (refuseClosed(), held.purge(nowMs), held.due.due(nowMs, limit)),
    dueAt: (name: string) => held.due.at(name) ?? null,
    open: () => (refuseClosed(), held.open()),
    all: () => (refuseClosed(), [...held.entries.values()]),
    erase(msisdn: string) {
      const names = [...held.entries].filter(([, entry]) => entry.key.msisdn === msisdn).map(([name]) => name)
      for (const gone of names) change({ gone })
      refuseClosed()
      journal?.compact(held.live)
      return names.length
    },
    check: () => (refuseClosed(), journal?.check() ?? { durable: false, notes: [MEMORY_ONLY] }),
    close() {
      if (!closed) journal?.close()
      closed = true
    },
  }
}

function createEntries(changes: Iterable<Change>) {
  const entries = new Map<string, DialogueEntry>()
  const due = deadlines()
  const tombstones = deadlines()
  let open = 0

  const set = (name: string, entry: DialogueEntry | undefined, dueMs: number | null) => {
    open += isOpen(entry) - isOpen(entries.get(name))
    if (entry) entries.set(name, entry)
    else entries.delete(name)
    due.set(name, dueMs)
    tombstones.set(name, entry?.untilMs ?? null)
  }
  const apply = (change: Change) => {
    if ('put' in change) return set(change.put, change.entry, change.dueMs)
    if ('gone' in change) return set(change.gone, undefined, null)
    if ('due' in change) return due.set(change.due, change.dueMs)
    const entry = entries.get(change.confirmed)
    if (entry) set(change.confirmed, { ...entry, confirmed: true }, change.dueMs)
  }
  for (const old of changes) apply(old)
  return {
    entries,
    due,
    apply,
    open: () => open,
    purge(nowMs: number) {
      for (const name of tombstones.due(nowMs, Infinity)) set(name, undefined, null)
    },
    /** Everything, as changes that would make it anew. */
    *live(): Iterable<Change> {
      for (const [put, entry] of entries) yield { put, entry, dueMs: due.at(put) ?? null }
    },
  }
}

function seizeOne(table: Table, name: string, seizing: Seizing, limits: DialogueLimits): Overdue[] {
  const old = table.get(name)
  if (!old) return (table.due(name, null), [])
  const { is, entry, deadlineMs: dueMs } = seize(old, seizing, limits)
  if (entry === old) table.due(name, dueMs)
  else table.put(name, entry, dueMs)
  const record = recordOf(entry)
  const previous = entry.previous && recordOf(entry.previous)
  if (is === 'abandoned') return [{ is, record, token: seizing.token, previous }]
  return is === 'nothing' ? [] : [{ is, record }]
}

function hear(table: Table, limits: DialogueLimits, taking: Taking, listen: typeof classifyBegin): TakeResult {
  const name = nameOfKey(taking.key)
  const heard = listen(table.get(name), taking, limits)
  const taken = (heard.is === 'opened' || heard.is === 'next') && !heard.again
  if (taken) table.put(name, heard.entry, taking.leaseUntilMs)
  return takenOf(heard)
}

function takenOf(heard: Classified): TakeResult {
  if (heard.is === 'unknown') return { is: 'unknown' }
  const record = recordOf(heard.entry)
  if (heard.is === 'repeat') return { is: 'repeat', record, resend: heard.resend }
  if (heard.is !== 'opened') return { is: heard.is, record }
  return { is: 'opened', record, previous: heard.entry.previous && recordOf(heard.entry.previous) }
}

function isOpen(entry: DialogueEntry | undefined): number {
  return entry && entry.status !== 'ended' ? 1 : 0
}
