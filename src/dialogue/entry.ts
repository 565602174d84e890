/** What a store keeps of one dialogue: its record, and what only the store needs. */
import { StoreError } from '../base/index.ts'
import type { EndReason, JsonObject, ReturnPath } from '../ussd/index.ts'
import type { DialogueLimits, DialogueRecord } from './types.ts'

/** Other network numbers of the same subscriber that are remembered: a late copy of their begin is no redial. */
export const PAST_MAX = 8

export interface DialogueEntry extends Omit<DialogueRecord, 'snapshot'> {
  /** As `writeSnapshot` gave it; '' until the first rest. */
  snapshot: string
  /** Of the turn that is taken, or of the last one: whoever holds it may rest the dialogue. */
  token: string
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

/** A snapshot as one string; what seals it is below the store. */
export function writeSnapshot(snapshot: JsonObject): string {
  return JSON.stringify(snapshot)
}

/** Throws StoreError 'too-large' over the limit. */
export function refuseTooLarge(stored: string, limits: DialogueLimits): void {
  const octets = Buffer.byteLength(stored)
  if (octets <= limits.snapshotOctetsMax) return
  const { snapshotOctetsMax } = limits
  throw new StoreError('too-large', `a snapshot of ${octets} octets is over snapshotOctetsMax, ${snapshotOctetsMax}`)
}

/** Throws if the stored form does not read. */
export function readSnapshot(stored: string): JsonObject | null {
  return stored === '' ? null : (JSON.parse(stored) as JsonObject)
}

/** The record of an entry, sharing nothing with it that a caller could change. */
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
    key: { ...entry.key },
    snapshot: readSnapshot(entry.snapshot),
    answer: { ...entry.answer },
    reply: entry.reply && { ...entry.reply },
    returnPath: copyPath(entry.returnPath),
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
export function endMs(entry: DialogueEntry, limits: DialogueLimits): number {
  return Math.min(entry.touchedMs + limits.idleMs, entry.openedMs + limits.totalMs)
}

/** When something must be done about an entry that is not taken; null: never. (A taken one has its lease.) */
export function deadlineMs(entry: DialogueEntry, limits: DialogueLimits): number | null {
  const unsure = entry.confirmed === false ? entry.touchedMs + limits.confirmMs : Infinity
  if (entry.status === 'ended') return unsure === Infinity ? null : unsure
  return Math.min(unsure, endMs(entry, limits))
}
