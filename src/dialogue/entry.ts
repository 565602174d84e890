/** What a store keeps of one dialogue: its record, and what only the store needs. */
import type { EndReason, JsonObject, ReturnPath } from '../ussd/index.ts'
import type { Track } from './track.ts'
import type { DialogueLimits, DialogueRecord } from './types.ts'

/** How many other network numbers of the same subscriber are remembered: a late copy of their begin is not a redial. */
export const PAST_MAX = 8

export interface DialogueEntry extends DialogueRecord {
  /**
   * The version of the last write, never used twice. It begins with the token of its turn; the holder of the token may
   * rest the turn.
   */
  version: string
  /** Whether the SMSC accepted the last reply. Null: no reply waits for that (taken, or ended from outside). */
  confirmed: boolean | null
  past: PastNumbers
  /** What it heard before its last message, if the network has a counter: heard.ts. */
  heard?: string
  /** For its call detail record. Absent: nothing was answered yet. */
  track?: Track
  /** What the SMS is if the dialogue is left on the screen where it rests. Absent: there is none. */
  ifLeft?: JsonObject
  /** If ended: until when the tombstone counts. */
  untilMs: number | null
  /** The entry before this one, kept during the first turn: `open` gives the same result if it is called again. */
  previous: DialogueEntry | null
}

/** An ending at a deadline. Its text, which is stored as its last reply, answers nobody: a redial is never its copy. */
const AT_DEADLINE: ReadonlySet<EndReason | null> = new Set<EndReason>(['idle', 'total'])

/** `confirmed`, for the reply of a turn. Null if none waits for that, and for the text of a deadline. */
export function accepted({ ended, confirmed }: DialogueEntry): boolean | null {
  return AT_DEADLINE.has(ended) ? null : confirmed
}

/**
 * Network numbers that named earlier dialogues of this subscriber, the last one first: each is followed by until when
 * it counts. In one list as it is stored, because only a begin looks at it.
 */
export type PastNumbers = readonly (string | number)[]

/** Until when this number counts. Undefined: it named no earlier dialogue. */
export function pastUntilMs(past: PastNumbers, network: string): number | undefined {
  for (let at = 0; at < past.length; at += 2) if (past[at] === network) return past[at + 1] as number
  return undefined
}

/** With another number before them, as many as are remembered. */
export function pastWith(past: PastNumbers, network: string, untilMs: number): PastNumbers {
  return [network, untilMs, ...past].slice(0, 2 * PAST_MAX)
}

/**
 * The version of a taken turn is its token. Every other write of the turn has an additional random word. That of a turn
 * played at once is empty.
 */
export function tokenOf(version: string): string {
  const at = version.indexOf(SINCE)
  return at < 0 ? version : version.slice(0, at)
}

/** The version of the next write of the same turn. `fresh` is random, so that no two writers choose the same. */
export function nextVersion(version: string, fresh: string): string {
  return `${tokenOf(version)}${SINCE}${fresh}`
}

/** The version of a turn whose answer and outcome were written together. */
export function playedAtOnce(token: string): string {
  return nextVersion(token, '')
}

/** Does not occur in a token. */
const SINCE = '/'

/** The record of an entry: the part that everybody may see. */
export function recordOf(entry: DialogueEntry): DialogueRecord {
  const { epoch, status, network, turn, revision, code, line, openedMs, touchedMs, ended } = entry
  const record: DialogueRecord = {
    epoch,
    status,
    network,
    turn,
    revision,
    code,
    line,
    openedMs,
    touchedMs,
    ended,
    key: entry.key,
    snapshot: entry.snapshot,
    answer: entry.answer,
    reply: entry.reply,
    returnPath: entry.returnPath,
  }
  if (status === 'taken' && entry.takeovers) record.takeovers = entry.takeovers
  return record
}

/** A copy to change. A literal: entries have many shapes, and to spread one takes three times as much. */
export function copyOf(entry: DialogueEntry): DialogueEntry {
  const copy: DialogueEntry = {
    key: entry.key,
    epoch: entry.epoch,
    status: entry.status,
    network: entry.network,
    turn: entry.turn,
    revision: entry.revision,
    code: entry.code,
    line: entry.line,
    snapshot: entry.snapshot,
    answer: entry.answer,
    reply: entry.reply,
    returnPath: entry.returnPath,
    openedMs: entry.openedMs,
    touchedMs: entry.touchedMs,
    ended: entry.ended,
    version: entry.version,
    confirmed: entry.confirmed,
    past: entry.past,
    untilMs: entry.untilMs,
    previous: entry.previous,
    takeovers: entry.takeovers ?? 0,
  }
  if (entry.heard !== undefined) copy.heard = entry.heard
  if (entry.track !== undefined) copy.track = entry.track
  if (entry.ifLeft !== undefined) copy.ifLeft = entry.ifLeft
  return copy
}

/** A copy of a return path that shares nothing with the original. */
export function copyPath(path: ReturnPath): ReturnPath {
  const copy: ReturnPath = { ...path, from: [...path.from], to: [...path.to] }
  if (path.more) copy.more = { ...path.more }
  return copy
}

/** Endings after which a subscriber may want to continue where the dialogue stopped. */
const RESUMABLE: ReadonlySet<EndReason> = new Set([
  'subscriber-abort',
  'network-abort',
  'idle',
  'total',
  'backend-failed',
  'store-failed',
  'bind-lost',
  'refused',
  'superseded',
  'overload',
  'failed',
  'drained',
])

/** How long a tombstone of this ending is kept: to recognise late copies and, if that makes sense, to offer resume. */
export function keepMs(reason: EndReason, limits: DialogueLimits): number {
  return RESUMABLE.has(reason) ? Math.max(limits.tombstoneMs, limits.resumeMs) : limits.tombstoneMs
}

/** Whether an entry still counts: it is open, or a tombstone that has not expired. */
export function counts(entry: DialogueEntry | undefined, nowMs: number): entry is DialogueEntry {
  return entry !== undefined && (entry.untilMs === null || nowMs < entry.untilMs)
}

/** When this resting dialogue ends if nothing comes in. */
export function endMs(rested: Pick<DialogueRecord, 'openedMs' | 'touchedMs'>, limits: DialogueLimits): number {
  return Math.min(rested.touchedMs + limits.idleMs, rested.openedMs + limits.totalMs)
}

/** When an entry that is not taken is due. Null: never. (A taken one has its lease.) */
export function deadlineMs(entry: DialogueEntry, limits: DialogueLimits): number | null {
  const unsure = entry.confirmed === false ? entry.touchedMs + limits.confirmMs : Infinity
  if (entry.status === 'ended') return unsure === Infinity ? null : unsure
  return Math.min(unsure, endMs(entry, limits))
}
