/**
 * The call detail record of a dialogue (docs/RECORDS.md): made by the write that ends it, and kept beside it by the
 * store until a database has it.
 */
import type { EndReason, JsonObject } from '../ussd/index.ts'
import type { DialogueEntry } from './entry.ts'
import type { TurnTexts } from './exact-texts.ts'
import { NO_TRACK, screenOf } from './track.ts'

export interface CallRecord {
  epoch: string
  kind: 'dialogue' | 'deferred' | 'refused'
  openedMs: number
  endedMs: number
  msisdn: string
  line: string
  /** As in the settings: never what was dialled behind it. */
  code: string
  flow: string
  reason: string
  screen: string
  turns: number
  waitMs: number
  backendMs: number
  language: string
  channel: string
  instance: string
  path: string
  /** The calls of back ends: calls-made.ts. Absent: none. */
  calls?: string
  /** Exact texts, for a table of their own: exact-texts.ts. Absent: they are not kept. */
  texts?: TurnTexts[]
  detail: string
  /**
   * The SMS that the flow asks for, because the dialogue was left: it goes into the outbox with the record. Absent:
   * there is none.
   */
  ifLeft?: JsonObject
}

/** Ends by which a subscriber leaves, or which he lets come. */
const LEFT: ReadonlySet<EndReason> = new Set<EndReason>([
  'idle',
  'total',
  'subscriber-abort',
  'network-abort',
  'superseded',
])

/** What a daemon knows beside the dialogue. */
export interface Recording {
  /** The name of the daemon. */
  instance: string
  /** The service code in the settings that this is, and how the dialogue came. */
  serviceOf(dialogue: { code: string; line: string; msisdn: string }): { code: string; channel: string }
}

/** The record of an entry that has just ended. Written out in one literal, and what is rarely there is added. */
function cdrOf(entry: DialogueEntry, { instance, serviceOf }: Recording): CallRecord {
  const { track = NO_TRACK, openedMs, line, ended, ifLeft, key } = entry
  const { msisdn } = key
  const { code, channel } = serviceOf({ code: entry.code, line, msisdn })
  const record: CallRecord = {
    epoch: entry.epoch,
    kind: 'dialogue',
    openedMs,
    endedMs: Math.max(openedMs, entry.touchedMs),
    msisdn,
    line,
    code,
    channel,
    flow: entry.revision,
    reason: ended ?? 'failed',
    screen: screenOf(entry),
    turns: entry.turn,
    waitMs: track.waitMs,
    backendMs: track.backendMs,
    language: spokenIn(entry),
    instance,
    path: track.path,
    detail: '',
  }
  if (track.calls !== undefined) record.calls = track.calls
  if (track.texts !== undefined) record.texts = track.texts
  if (ifLeft && ended && LEFT.has(ended)) record.ifLeft = ifLeft
  return record
}

/** The same dialogue after it ended from outside: while it rested on a question, the subscriber was waited for. */
export function waitedUntil(entry: DialogueEntry, before: DialogueEntry): DialogueEntry {
  if (before.status !== 'resting') return entry
  const { track = NO_TRACK } = entry
  const waitMs = track.waitMs + Math.max(0, entry.touchedMs - before.touchedMs)
  return { ...entry, track: { ...track, waitMs } }
}

/** The language in which a dialogue speaks; '' if it does not say. */
export function spokenIn({ snapshot }: Pick<DialogueEntry, 'snapshot'>): string {
  const context = snapshot?.context as { language?: unknown } | undefined
  return typeof context?.language === 'string' ? context.language : ''
}

/** What a write keeps of the dialogues that end with it. Undefined: none ends. */
export function recordsFor(
  recording: Recording | undefined,
  entry: DialogueEntry | null,
  replaced: DialogueEntry | null = null,
): CallRecord[] | undefined {
  // Most writes end none: they allocate nothing here.
  const endsOne = entry?.status === 'ended'
  const endsOther = replaced?.status === 'ended'
  if (!recording || !(endsOne || endsOther)) return undefined
  const records: CallRecord[] = []
  if (endsOther) records.push(cdrOf(replaced, recording))
  if (endsOne) records.push(cdrOf(entry, recording))
  return records
}
