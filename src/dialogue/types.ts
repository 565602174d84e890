/**
 * A dialogue between its turns, what may be done with it, and the register that keeps it.
 *
 * USSD is half duplex and one transaction a subscriber (3GPP TS 24.090), so there is one record a line group and
 * MSISDN. It is *taken* (we owe a reply), *resting* (a question is on the handset), or *ended* (a tombstone, kept to
 * know late duplicates and to offer resume). No locks: a write names the version that it was decided from, and where
 * another was faster the message is decided again.
 */
import type { DialogueEntry } from './entry.ts'
import type { EndReason, JsonObject, ReturnPath, UssdReply } from '../ussd/index.ts'

/** Where a record is: the line group and the subscriber. */
export interface DialogueKey {
  group: string
  msisdn: string
}

/** What the store knows of one dialogue. Survives JSON. */
export interface DialogueRecord {
  key: DialogueKey
  epoch: string
  status: 'taken' | 'resting' | 'ended'
  /** The network's name of it; see UssdMessage.network. */
  network: string
  /** Turns taken so far; the begin is turn 1. */
  turn: number
  /** `dental@9f2c01ab77de`: the flow that it began with and finishes on. '' until the first rest. */
  revision: string
  /** The service code as dialled. */
  code: string
  line: string
  /** The machine's snapshot at the last rest; null until the first. */
  snapshot: JsonObject | null
  /** The journalled answer of the turn that is taken (or was, at the last rest): kind, text, step. */
  answer: { kind: 'begin' | 'input' | 'notify-ack'; text: string; step: number | null }
  /** The reply of the last rest, the step that it was sent with, and the link it went out on. */
  reply: (UssdReply & { step: number | null; link: string }) | null
  returnPath: ReturnPath
  openedMs: number
  /** Wall-clock milliseconds of the last take, rest or end; a takeover leaves those of the take. */
  touchedMs: number
  /** When ended: why. */
  ended: EndReason | null
  /** How often the turn that is taken was taken over from a daemon that did not finish it. Absent: never. */
  takeovers?: number
}

/** A message that wants a turn. */
export interface Taking {
  key: DialogueKey
  network: string
  answer: DialogueRecord['answer']
  code: string
  line: string
  /** The link it came in on. */
  link: string
  returnPath: ReturnPath
  /** Random, one a turn: whoever holds it may rest the dialogue. */
  token: string
  nowMs: number
  /** Until when nobody else takes this turn over. Renewed while a back end is awaited. */
  leaseUntilMs: number
  /** On begin: the epoch if this opens a dialogue (UUIDv7). */
  epoch: string
  /**
   * The network's numbers come round soon (one octet): a begin with the number of an earlier one is a copy only this
   * long after that one. Absent: `tombstoneMs` after its end, and while it is open.
   */
  copyMs?: number | undefined
  /** Whether this daemon had that link and it is closed: what was still under way on it is lost. Absent: not known. */
  isGone?: ((link: string) => boolean) | undefined
}

export type TakeResult =
  /**
   * A new dialogue; `previous` is what stood there before (superseded if it was open, else its tombstone). `isOver`: the
   * turn was played at once, and its outcome is durable, too.
   */
  | { is: 'opened'; record: DialogueRecord; previous: DialogueRecord | null; held: Held; isOver?: true }
  /** The next answer of an open dialogue: it is now taken and the answer is durable; `isOver` as above. */
  | { is: 'next'; record: DialogueRecord; held: Held; isOver?: true }
  /**
   * The network said this before. Nothing was taken. `resend` when the stored reply should go out again: it came over
   * another link than the one that the reply went out on, and that one is closed or its response is overdue. Also given
   * for a late copy of the answer that ended the dialogue, while its tombstone is young.
   */
  | { is: 'repeat'; record: DialogueRecord; resend: boolean }
  /** A turn is under way and this is another answer: it is dropped (half duplex). */
  | { is: 'busy'; record: DialogueRecord }
  /** No such dialogue (ended, expired, lost, or another network number). */
  | { is: 'unknown' }
  /** Others wrote the record each time that this was decided: the SMSC is to deliver it again. */
  | { is: 'crowded' }

/** What a turn came to. */
export interface TurnOutcome {
  nowMs: number
  revision: string
  snapshot: JsonObject
  reply: UssdReply & { step: number | null; link: string }
  /** null: the dialogue rests on a question. Else: it ended with this reply, for this reason. */
  ended: EndReason | null
}

/** The outcome of a turn that was taken before. */
export interface Resting extends TurnOutcome {
  key: DialogueKey
  epoch: string
  token: string
  /** As the take gave it: what stands there most likely, so that it need not be read. */
  held?: Held | undefined
}

/**
 * Plays a turn that awaits nothing: its outcome is then written together with its answer. Null: it awaits something, so
 * the answer is written down first. Must not throw, and has no effect but its answer: it may be asked again.
 */
export type PlayAtOnce = (taken: { record: DialogueRecord; previous: DialogueRecord | null }) => TurnOutcome | null

/** Something whose deadline has come; the store has already given this caller the right to deal with it. */
export type Overdue =
  /**
   * A turn whose daemon died: taken over; its answer is to be played again with the same epoch and turn. `previous` as
   * `open` gave it, if the turn is the first; else null.
   */
  | { is: 'abandoned'; record: DialogueRecord; token: string; previous: DialogueRecord | null; held: Held }
  /**
   * A reply that nobody saw accepted: to be sent once more, and then confirmed; without that it is given again, since
   * whoever had it may have died. The record may have ended with it (a last screen).
   */
  | { is: 'unconfirmed'; record: DialogueRecord }
  /** Too long without an answer, or too long altogether: it has ended; the reason stands in the record. */
  | { is: 'ended'; record: DialogueRecord }

/** How many dialogues are on which revision; '' during the first turn. */
export interface Census {
  open: ReadonlyMap<string, number>
  whole: boolean
}

/** Fixed when a store is made. All milliseconds. */
export interface DialogueLimits {
  /** A dialogue resting this long ends (reason idle). */
  idleMs: number
  /** A dialogue this old ends (reason total). */
  totalMs: number
  /** How long a tombstone knows late duplicates of the opening PDU. Default 120 000. */
  tombstoneMs: number
  /** How long a lost dialogue can be offered for resume; the tombstone lives at least this long. */
  resumeMs: number
  /** A reply that is not confirmed within this is sent once more. */
  confirmMs: number
  /** Octets of one snapshot, as JSON. Over it: StoreError 'too-large'. The setting `dialogue.snapshotOctetsMax`. */
  snapshotOctetsMax: number
  /**
   * A begin without a network number that meets a dialogue of the same code this young, still at turn 1, is a repeat.
   */
  duplicateBeginMs: number
}

/**
 * What may be done with dialogues: decided in this process (classify.ts, outcome.ts), kept by a register. Every call
 * may reject with StoreError. One that timed out may have been applied: `take` and `rest` are safe to repeat with the
 * same token (they answer as they did the first time).
 */
export interface DialogueStore {
  /** A begin. Answers opened, repeat or crowded. */
  open(taking: Taking, atOnce?: PlayAtOnce): Promise<TakeResult>
  /**
   * A begin that was answered without the store, which was away: what comes of its number until `untilMs` is a copy,
   * and what `open` with its token left here, unanswered, ends. False: it was known already. Safe to repeat.
   */
  bury(begin: Taking, untilMs: number, nowMs: number): Promise<boolean>
  /** An answer or an acknowledgement. Answers next, repeat, busy, unknown or crowded. */
  take(taking: Taking, atOnce?: PlayAtOnce): Promise<TakeResult>
  /** Compare-and-set by epoch and token. False: hung up, superseded or taken over; the reply must not go out. */
  rest(resting: Resting): Promise<boolean>
  /** The SMSC accepted the reply of this turn. Fire and forget: losing it costs one more send of the same screen. */
  confirm(record: Settled): void
  /** Keeps a turn that awaits a back end from being taken over. False: it already was. */
  renew(key: DialogueKey, epoch: string, token: string, leaseUntilMs: number): Promise<boolean>
  /**
   * Ends a dialogue from outside a turn (hang-up, refusal, our own stop). With `network` or `epoch`: only if it is that
   * one. Answers what was ended, or null if there was nothing open.
   */
  drop(
    key: DialogueKey,
    which: { network?: string; epoch?: string },
    reason: EndReason,
    nowMs: number,
  ): Promise<DialogueRecord | null>
  /** Seizes what is due. Safe with several daemons: each thing is given to one. At most `limit` at a call. */
  overdue(nowMs: number, limit: number, token: string, leaseUntilMs: number): Promise<Overdue[]>
  /** Looks, without touching. */
  find(key: DialogueKey): Promise<DialogueRecord | null>
  /** Dialogues that are taken or resting (approximate in Redis: what the deadline index holds). */
  count(): Promise<number>
  /**
   * Open dialogues by flow revision, of the first `limit` and those that read here; else it is not `whole`. Reads every
   * record.
   */
  census(limit: number): Promise<Census>
  /** Removes everything about one MSISDN (privacy). Answers how many records. */
  erase(msisdn: string): Promise<number>
  /** Throws StoreError if the store cannot be used; says what could be lost (e.g. appendonly off). */
  check(): Promise<{ durable: boolean; notes: string[] }>
  /** Servers that hold dialogues: known, and connected to. A store without servers has none. */
  nodes?(): { known: number; ready: number }
  close(): Promise<void>
}

/** Of a record whose reply was accepted: which turn it was, and when it was rested. */
export type Settled = Pick<DialogueRecord, 'key' | 'epoch' | 'turn' | 'openedMs' | 'touchedMs' | 'ended'>

/** What stands in a register, and under which name it was read. */
export interface Held {
  entry: DialogueEntry
  /** A store's own. */
  at: string
}

/** Where a value does not read: it makes room, the caller is told, or it is passed over. */
export type Unreadable = 'replace' | 'refuse' | 'leave'

/** One write. */
export interface Write {
  /** What it was decided from: another version, or none, stands there by now: it is refused. */
  from: Held | null
  entry: DialogueEntry
  nowMs: number
  /** When something must be done about it; null: never; absent: the deadline stays. */
  dueMs?: number | null
  /** Only if its deadline had come by then. */
  dueByMs?: number
}

/**
 * The port of a store: records by key, compare-and-set by version, and an index of deadlines. It decides nothing. Calls
 * reject with StoreError; one that timed out may have been applied.
 */
export interface DialogueRegister {
  /**
   * By key, or by a name that `due` gave. What does not read is put aside, but for what another daemon can read: that is
   * undefined where it is to be left.
   */
  read(where: DialogueKey | string, how: { nowMs: number; unreadable: Unreadable }): Promise<Held | null | undefined>
  /** What then stands there; null: refused. */
  write(where: DialogueKey | string, write: Write): Promise<Held | null>
  /** The reply of this turn was accepted: the deadline is that of the rest. Fire and forget, the version stays. */
  settle(record: Settled, dueMs: number | null): void
  /** Moves the deadline; the version stays. False: another version stands there, or its deadline was moved since. */
  touch(where: DialogueKey | string, version: string | null, dueMs: number | null, dueByMs?: number): Promise<boolean>
  /** Names whose deadline has come, soonest first. */
  due(nowMs: number, limit: number): Promise<string[]>
  /** How many have a deadline. */
  count(): Promise<number>
  /** Names that have a deadline, some at a time. */
  names(limit: number): AsyncIterable<string[]>
  erase(msisdn: string): Promise<number>
  check(): Promise<{ durable: boolean; notes: string[] }>
  nodes?(): { known: number; ready: number }
  close(): Promise<void>
}

/**
 * What nobody is told by a rejected call, for a counter. down: a confirmation or a shorter journal that was not written
 * · corrupt: a value that does not read, put aside · torn: a journal that ends in half a line (a crash while it was
 * written)
 * · sealed: a value whose key is not here · unsealed: one without a seal, where there are keys, put aside
 * · newer: one that a later release wrote, which is left to the daemons of that release.
 */
export type StoreFault = 'down' | 'corrupt' | 'torn' | 'sealed' | 'unsealed' | 'newer'
