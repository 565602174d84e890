/**
 * A dialogue between its turns, the operations on it, and the register that stores it.
 *
 * USSD is half duplex, with one transaction per subscriber (3GPP TS 24.090), so there is one record per line group and
 * MSISDN. It is *taken* (we owe a reply), *resting* (a question is on the handset), or *ended* (a tombstone, kept to
 * recognise late duplicates and to offer resume). There are no locks: a write names the version from which it was
 * decided, and if another write was faster, the message is decided again.
 */
import type { CallRecord } from './cdr.ts'
import type { DialogueEntry } from './entry.ts'
import type { Step, Track } from './track.ts'
import type { Standstill } from '../base/index.ts'
import type { EndReason, JsonObject, ReturnPath, UssdReply } from '../ussd/index.ts'

/** The place of a record: the line group and the subscriber. */
export interface DialogueKey {
  group: string
  msisdn: string
}

/** What the store knows about one dialogue. Survives JSON. */
export interface DialogueRecord {
  key: DialogueKey
  epoch: string
  status: 'taken' | 'resting' | 'ended'
  /** The network's name of it; see UssdMessage.network. */
  network: string
  /** How many turns were taken; the begin is turn 1. */
  turn: number
  /** `dental@9f2c01ab77de`: the flow with which it began and on which it finishes. '' until the first rest. */
  revision: string
  /** The service code as dialled. */
  code: string
  line: string
  /** The machine's snapshot at the last rest. Null until the first rest. */
  snapshot: JsonObject | null
  /** The stored answer of the taken turn (or of the last rest): kind, text, step. */
  answer: Answer
  /** The reply of the last rest, its step, and the link on which it was sent. */
  reply: (UssdReply & { step: number | null; link: string }) | null
  returnPath: ReturnPath
  openedMs: number
  /** Wall-clock milliseconds of the last take, rest or end. A takeover does not change them. */
  touchedMs: number
  /** If ended: why. */
  ended: EndReason | null
  /** How often the taken turn was taken over from a daemon that did not finish it. Absent: never. */
  takeovers?: number
}

/** A dialogue as it stands in the store, for who looks at it: with its way so far. */
export interface StandingDialogue extends DialogueRecord {
  /** Absent: nothing was answered yet. */
  track?: Track
}

/** What the network said in a turn. */
export interface Answer {
  kind: 'begin' | 'input' | 'notify-ack'
  text: string
  /** The network's turn counter; null: it has none. */
  step: number | null
  /**
   * The network's counter did not increment, or went back, when it should have incremented. It is ignored until it
   * increments again.
   */
  isStalled?: true
}

/** A message that asks for a turn. */
export interface Taking {
  key: DialogueKey
  network: string
  answer: DialogueRecord['answer']
  code: string
  line: string
  /** The link on which it came. */
  link: string
  returnPath: ReturnPath
  /** Random, one per turn: its holder may rest the dialogue. */
  token: string
  nowMs: number
  /**
   * When this daemon stood still, a moment ago: the message may have waited since then, and the SMSC may have delivered
   * it to another daemon meanwhile. Absent: it did not wait.
   */
  still?: Standstill | undefined
  /** Until then nobody else takes this turn over. It is renewed while a back end is awaited. */
  leaseUntilMs: number
  /** On begin: the epoch, if this opens a dialogue (UUIDv7). */
  epoch: string
  /**
   * The network reuses its numbers soon (one octet): a begin with the number of an earlier one is a copy only for this
   * long after that one. Absent: for `tombstoneMs` after its end, and while it is open.
   */
  copyMs?: number | undefined
  /**
   * For networks whose counter does not tell a copy from a key that is pressed twice: the same key as the last one
   * within this time after its screen may be a copy. Absent: never.
   */
  sameKeyMs?: number | undefined
  /** Whether this daemon had that link and it is closed: what was in flight on it is lost. Absent: not known. */
  isGone?: ((link: string) => boolean) | undefined
}

export type TakeResult =
  /**
   * A new dialogue. `previous` is the record before it (superseded if it was open, otherwise its tombstone). `isOver`:
   * the turn was played at once, and its outcome is durable too.
   */
  | { is: 'opened'; record: DialogueRecord; previous: DialogueRecord | null; held: Held; isOver?: true }
  /** The next answer of an open dialogue: it is now taken, and the answer is durable. `isOver` as above. */
  | { is: 'next'; record: DialogueRecord; held: Held; isOver?: true }
  /**
   * The network sent this before. Nothing was taken. `resend`: the stored reply should be sent again, because the copy
   * came over another link than the reply, and that link is closed or its response is overdue. Also for a late copy of
   * the answer that ended the dialogue, while its tombstone is young.
   */
  | { is: 'repeat'; record: DialogueRecord; resend: boolean }
  /** A turn is running, and this is another answer: it is dropped (half duplex). */
  | { is: 'busy'; record: DialogueRecord }
  /** There is no such dialogue (ended, expired, lost, or another network number). */
  | { is: 'unknown' }
  /** Other writers were faster each time: the SMSC should deliver the message again. */
  | { is: 'crowded' }

/** The outcome of a turn. */
export interface TurnOutcome {
  nowMs: number
  revision: string
  snapshot: JsonObject
  reply: UssdReply & { step: number | null; link: string }
  /** Null: the dialogue rests on a question. Otherwise: it ended with this reply, for this reason. */
  ended: EndReason | null
  /** What the call detail record says of the turn. Absent: no flow was asked. */
  step?: Step | undefined
}

/** The outcome of a turn that was taken before. */
export interface Resting extends TurnOutcome {
  key: DialogueKey
  epoch: string
  token: string
  /** From the take: most likely the current value, so that it need not be read. */
  held?: Held | undefined
}

/**
 * Plays a turn that awaits nothing, so that its outcome is written together with its answer. Null: the turn awaits
 * something, so the answer is stored first. 'show-again': the answer may be a copy (`mayBeCopy`) and would change
 * something, so the current screen is sent once more. Must not throw, and must have no effect except its result: it may
 * be called again.
 */
export type PlayAtOnce = (taken: {
  record: DialogueRecord
  previous: DialogueRecord | null
  mayBeCopy: boolean
  /** When the dialogue was last written, in wall-clock milliseconds. Null: this is its begin. */
  writtenMs: number | null
}) => TurnOutcome | null | 'show-again'

/** Something that is due. The store has already given this caller the right to handle it. */
export type Overdue =
  /**
   * A turn whose daemon died, taken over: its answer must be played again with the same epoch and turn. `previous` as
   * from `open` if the turn is the first, otherwise null.
   */
  | { is: 'abandoned'; record: DialogueRecord; token: string; previous: DialogueRecord | null; held: Held }
  /**
   * A reply that nobody saw accepted: send it once more, then confirm it. Without the confirmation it is returned
   * again, because the daemon that had it may have died. The record may have ended with it (a last screen).
   */
  | { is: 'unconfirmed'; record: DialogueRecord }
  /** Too long without an answer, or too long altogether: it has ended. The record has the reason and the last text. */
  | { is: 'ended'; record: DialogueRecord }

/** How many dialogues use which revision; '' during the first turn. */
export interface Census {
  open: ReadonlyMap<string, number>
  whole: boolean
}

/** Fixed when a store is created. All in milliseconds. */
export interface DialogueLimits {
  /** A dialogue that rests this long ends (reason idle). */
  idleMs: number
  /** A dialogue this old ends (reason total). */
  totalMs: number
  /** How long a tombstone recognises late duplicates of the opening PDU. Default 120 000. */
  tombstoneMs: number
  /** How long a lost dialogue can be offered for resume; its tombstone lives at least this long. */
  resumeMs: number
  /** A reply that is not confirmed within this time is sent once more. */
  confirmMs: number
  /**
   * The most octets of one snapshot, as JSON. Above it: StoreError 'too-large'. The setting
   * `dialogue.snapshotOctetsMax`.
   */
  snapshotOctetsMax: number
  /**
   * A begin without a network number is a repeat if it meets a dialogue with the same code that is this young and still
   * at turn 1.
   */
  duplicateBeginMs: number
}

/**
 * The operations on dialogues. This process decides (classify.ts, outcome.ts), and a register stores. Every call may
 * reject with StoreError. A call that timed out may have been applied: `take` and `rest` are safe to repeat with the
 * same token (they give the same result again). Records are values: neither the caller nor the store changes a record
 * that was passed, because the store may remember it.
 */
export interface DialogueStore {
  /** A begin. Resolves with opened, repeat or crowded. */
  open(taking: Taking, atOnce?: PlayAtOnce): Promise<TakeResult>
  /**
   * A begin that was answered without the store, which was unreachable. Until `untilMs`, anything with its number is a
   * copy. A dialogue that `open` left here with its token, unanswered, ends. False: it was known already. Safe to
   * repeat.
   */
  bury(begin: Taking, untilMs: number, nowMs: number): Promise<boolean>
  /** An answer or an acknowledgement. Resolves with next, repeat, busy, unknown or crowded. */
  take(taking: Taking, atOnce?: PlayAtOnce): Promise<TakeResult>
  /** Compare-and-set by epoch and token. False: hung up, superseded or taken over; the reply must not be sent. */
  rest(resting: Resting): Promise<boolean>
  /** The SMSC accepted the reply of this turn. Not awaited: if it is lost, the same screen is sent once more. */
  confirm(record: Settled): void
  /** Keeps a turn that awaits a back end from being taken over. False: it was taken over already. */
  renew(key: DialogueKey, epoch: string, token: string, leaseUntilMs: number): Promise<boolean>
  /**
   * Ends a dialogue from outside a turn (hang-up, refusal, our own stop). With `network` or `epoch`: only if it is that
   * one. Resolves with the ended record, or null if none was open.
   */
  drop(
    key: DialogueKey,
    which: { network?: string; epoch?: string },
    reason: EndReason,
    nowMs: number,
  ): Promise<DialogueRecord | null>
  /**
   * Seizes what is due. Safe with several daemons: each item goes to one of them. At most `limit` per call. `farewell`
   * gives the text with which a dialogue ends at its deadline. It is stored like any last reply: unless it is
   * confirmed, it is returned again. Absent: there is none.
   */
  overdue(
    nowMs: number,
    limit: number,
    token: string,
    leaseUntilMs: number,
    farewell?: (record: DialogueRecord) => UssdReply,
  ): Promise<Overdue[]>
  /** Reads without changing anything. */
  find(key: DialogueKey): Promise<DialogueRecord | null>
  /** The same with its way so far. */
  standing(key: DialogueKey): Promise<StandingDialogue | null>
  /** Dialogues that are taken or resting (approximate in Redis: what the deadline index holds). */
  count(): Promise<number>
  /**
   * Open dialogues by flow revision: the first `limit`, and only those that can be read here; otherwise it is not
   * `whole`. Reads every record.
   */
  census(limit: number): Promise<Census>
  /** Removes everything about one MSISDN (privacy). Resolves with how many records. */
  erase(msisdn: string): Promise<number>
  /** Another daemon erases: nothing of any dialogue stays in the memory of this one. It reads again what it needs. */
  forget(): void
  /** Throws StoreError if the store cannot be used. Reports what could be lost (e.g. appendonly off). */
  check(): Promise<{ durable: boolean; notes: string[] }>
  /** The time of the store's clock, in milliseconds. Absent: the store has no clock of its own. */
  time?(): Promise<number>
  /**
   * The servers that hold dialogues: how many are known, and how many are connected. A store without servers has none.
   */
  nodes?(): { known: number; ready: number }
  /** Call detail records that wait to be collected. Absent: none are kept. */
  records?: RecordShelf
  close(): Promise<void>
}

/** A call detail record that waits, and its place in the store. */
export interface WaitingRecord {
  record: CallRecord
  at: string
}

/** Where call detail records wait until a database has them. Several daemons may collect at once. */
export interface RecordShelf {
  count(): Promise<number>
  /** Those that can be read here, about so many at once. */
  pages(limit: number): AsyncIterable<WaitingRecord[]>
  /**
   * Keeps a record that no write of a dialogue brings, under the name of this key. The same again changes nothing.
   * False: there is no room.
   */
  keep(key: DialogueKey, record: CallRecord): Promise<boolean>
  /** Puts another record there, under the name of this key. */
  replace(at: string, key: DialogueKey, record: CallRecord): Promise<void>
  /** They were collected. Safe to repeat. */
  remove(at: readonly string[]): Promise<void>
  /** Gets what this process keeps from now on, so that it need not be read. Nothing is removed by that. */
  follow(kept: (records: WaitingRecord[]) => void): void
}

/** A record whose reply was accepted: which turn it was, and when it was rested. */
export type Settled = Pick<DialogueRecord, 'key' | 'epoch' | 'turn' | 'openedMs' | 'touchedMs' | 'ended'>

/** The current value in a register, and the name under which it was read. */
export interface Held {
  entry: DialogueEntry
  /** Private to the store. */
  at: string
}

/** What to do with an unreadable value: replace it, tell the caller, or leave it. */
export type Unreadable = 'replace' | 'refuse' | 'leave'

/** One write. */
export interface Write {
  /** The value from which it was decided. If another version is stored by now, or none, the write is refused. */
  from: Held | null
  entry: DialogueEntry
  nowMs: number
  /** When it is due. Null: never. Absent: the deadline stays. */
  dueMs?: number | null
  /** Only if its deadline had come by then. */
  dueByMs?: number
  /** Of dialogues that end with this write: kept until they were collected. Absent: none. */
  records?: readonly CallRecord[] | undefined
}

/**
 * The port of a store: records by key, compare-and-set by version, and an index of deadlines. It decides nothing. Calls
 * reject with StoreError; a call that timed out may have been applied.
 */
export interface DialogueRegister {
  /** What this process wrote last. Another one may have replaced it: writing over it is then refused. Absent: reads. */
  recall?(key: DialogueKey, nowMs: number): Held | undefined
  /**
   * A write over what was recalled was refused. True: another process had replaced it. False: another write of this
   * process was faster.
   */
  isOutdated?(key: DialogueKey, recalled: Held): boolean
  /** Nothing of what was written stays in the memory of this process. */
  forget?(): void
  /**
   * Reads by key, or by a name from `due`. An unreadable value is put aside, except one that another daemon can read:
   * for `leave`, the result is then undefined.
   */
  read(where: DialogueKey | string, how: { nowMs: number; unreadable: Unreadable }): Promise<Held | null | undefined>
  /** The value afterwards. Null: refused. */
  write(where: DialogueKey | string, write: Write): Promise<Held | null>
  /** The reply of this turn was accepted: the deadline becomes that of the rest. Not awaited; the version stays. */
  settle(record: Settled, dueMs: number | null): void
  /** Moves the deadline; the version stays. False: another version is stored, or its deadline was moved since. */
  touch(where: DialogueKey | string, version: string | null, dueMs: number | null, dueByMs?: number): Promise<boolean>
  /** Names whose deadline has come, the earliest first. */
  due(nowMs: number, limit: number): Promise<string[]>
  /** How many have a deadline. */
  count(): Promise<number>
  /** Names that have a deadline, in batches. */
  names(limit: number): AsyncIterable<string[]>
  erase(msisdn: string): Promise<number>
  check(): Promise<{ durable: boolean; notes: string[] }>
  time?(): Promise<number>
  nodes?(): { known: number; ready: number }
  records?: RecordShelf
  close(): Promise<void>
}

/**
 * Faults that no rejected call reports, for a counter. down: a confirmation, or a compacted journal, was not written ·
 * corrupt: an unreadable value, put aside · torn: a journal that ends in half a line (a crash while it was written) ·
 * sealed: a value whose key is not here · unsealed: a value without a seal although there are keys, put aside · newer:
 * a value of a later release, left to the daemons of that release.
 */
export type StoreFault = 'down' | 'corrupt' | 'torn' | 'sealed' | 'unsealed' | 'newer'
