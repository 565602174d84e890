/** What a store keeps of one dialogue: its record, and what only the store needs. */
import type { EndReason, ReturnPath } from '../ussd/index.ts'
import type { DialogueLimits, DialogueRecord } from './types.ts'

/** Other network numbers of the same subscriber that are remembered: a late copy of their begin is no redial. */
export const PAST_MAX = 8

export interface DialogueEntry extends DialogueRecord {
  /** Of the write that left it: never used twice. Begins with the token of its turn, whose holder may rest it. */
  version: string
  /** Whether the SMSC accepted the last reply. null: no reply is waiting for that (taken, or ended from outside). */
  confirmed: boolean | null
  past: PastNumber[]
  /** Ended: until when the tombstone counts. */
  untilMs: number | null
  /** What stood here before, kept during the first turn: `open` answers the same when asked again. */
  previous: DialogueEntry | null
}

/** A network number that named an earlier dialogue of this subscriber. */
export interface PastNumber {
  network: string
  untilMs: number
}

/**
 * A version is the token of a turn that is taken. Every other write of the turn has a word of chance more; what was
 * played at once has none there.
 */
export function tokenOf(version: string): string {
  const at = version.indexOf(SINCE)
  return at < 0 ? version : version.slice(0, at)
}

/** The version of the next write of the same turn; `fresh` is chance, so that no two who write it give the same. */
export function nextVersion(version: string, fresh: string): string {
  return `${tokenOf(version)}${SINCE}${fresh}`
}

/** The version of a turn whose answer and outcome were written together. */
export function playedAtOnce(token: string): string {
  return nextVersion(token, '')
}

/** Stands in no token. */
const SINCE = '/'

/** The record of an entry: what is everybody's to see. */
export function recordOf(entry: DialogueEntry): DialogueRecord {
  const { epoch, status, network, turn, revision, code, line, openedMs, touchedMs, ended } = entry
  return {
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
    ...(status === 'taken' && entry.takeovers ? { takeovers: entry.takeovers } : {}),
  }
}

/** A return path that shares nothing with the given one. */
export function copyPath(path: ReturnPath): ReturnPath {
  return { ...path, from: [...path.from], to: [...path.to], ...(path.more ? { more: { ...path.more } } : {}) }
}

/** Endings after which a subscriber may want to go on where the dialogue stopped. */
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

/** How long a tombstone of this ending is kept: to know late copies, and where it makes sense to offer resume. */
export function keepMs(reason: EndReason, limits: DialogueLimits): number {
  return RESUMABLE.has(reason) ? Math.max(limits.tombstoneMs, limits.resumeMs) : limits.tombstoneMs
}

/** Whether an entry still counts: it is open, or a tombstone that has not run out. */
export function counts(entry: DialogueEntry | undefined, nowMs: number): entry is DialogueEntry {
  return entry !== undefined && (entry.untilMs === null || nowMs < entry.untilMs)
}

/** When this resting dialogue ends if nothing is heard. */
export function endMs(rested: Pick<DialogueRecord, 'openedMs' | 'touchedMs'>, limits: DialogueLimits): number {
  return Math.min(rested.touchedMs + limits.idleMs, rested.openedMs + limits.totalMs)
}

/** When something must be done about an entry that is not taken; null: never. (A taken one has its lease.) */
export function deadlineMs(entry: DialogueEntry, limits: DialogueLimits): number | null {
  const unsure = entry.confirmed === false ? entry.touchedMs + limits.confirmMs : Infinity
  if (entry.status === 'ended') return unsure === Infinity ? null : unsure
  return Math.min(unsure, endMs(entry, limits))
}
