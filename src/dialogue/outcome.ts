/** What happens to an entry after it was taken: rest, drop, confirm, or a deadline. Pure, as repeat.ts. */
import { counts, endMs, keepMs, type DialogueEntry } from './entry.ts'
import { sameNetwork } from './classify.ts'
import type { EndReason } from '../ussd/index.ts'
import type { DialogueLimits, Resting } from './types.ts'

/** The entry afterwards; 'again': this token has rested it already; 'refused': the turn is another's by now. */
export function rest(
  old: DialogueEntry | undefined,
  resting: Resting,
  stored: string,
  limits: DialogueLimits,
): DialogueEntry | 'again' | 'refused' {
  if (!counts(old, resting.nowMs)) return 'refused'
  if (old.epoch !== resting.epoch || old.token !== resting.token) return 'refused'
  if (old.status !== 'taken') return old.confirmed === null ? 'refused' : 'again'
  const { ended, nowMs } = resting
  return {
    ...old,
    status: ended ? 'ended' : 'resting',
    revision: resting.revision,
    snapshot: stored,
    reply: { ...resting.reply },
    touchedMs: nowMs,
    ended,
    confirmed: false,
    untilMs: ended ? nowMs + keepMs(ended, limits) : null,
    previous: null,
  }
}

export interface Dropping {
  which: { network?: string; epoch?: string }
  reason: EndReason
  nowMs: number
}

/**
 * Ends an open dialogue. `dropped` is false where there was nothing open; a last reply that nobody saw accepted is then
 * not sent again either.
 */
export function drop(
  old: DialogueEntry | undefined,
  { which, reason, nowMs }: Dropping,
  limits: DialogueLimits,
): { entry: DialogueEntry; dropped: boolean } | undefined {
  if (!counts(old, nowMs)) return undefined
  if (which.epoch !== undefined && which.epoch !== old.epoch) return undefined
  if (which.network !== undefined && !sameNetwork(which.network, old.network)) return undefined
  if (old.status !== 'ended') return { entry: end(old, reason, nowMs, limits), dropped: true }
  return old.confirmed === false ? { entry: { ...old, confirmed: null }, dropped: false } : undefined
}

/** The SMSC accepted the reply of this turn; undefined: nothing to note. */
export function confirm(old: DialogueEntry | undefined, epoch: string, turn: number): DialogueEntry | undefined {
  if (!old || old.epoch !== epoch || old.turn !== turn || old.confirmed !== false) return undefined
  return { ...old, confirmed: true }
}

export interface Seizing {
  nowMs: number
  token: string
  leaseUntilMs: number
}

/** `deadlineMs`: what the index holds for the entry afterwards (null: nothing). */
export type Seized =
  | { is: 'abandoned' | 'unconfirmed' | 'ended'; entry: DialogueEntry; deadlineMs: number | null }
  /** Nothing to tell anybody. */
  | { is: 'nothing'; entry: DialogueEntry; deadlineMs: number | null }

/** The deadline of this entry has come. */
export function seize(old: DialogueEntry, { nowMs, token, leaseUntilMs }: Seizing, limits: DialogueLimits): Seized {
  // Whoever sends a reply once more may die of it: it is given again unless they confirm.
  const againMs = nowMs + limits.confirmMs
  if (old.status === 'ended') {
    const isUnsure = old.confirmed === false && counts(old, nowMs)
    return isUnsure
      ? { is: 'unconfirmed', entry: old, deadlineMs: againMs }
      : { is: 'nothing', entry: old, deadlineMs: null }
  }
  const totalMs = old.openedMs + limits.totalMs
  if (old.status === 'taken') {
    // A turn that brings down every daemon that takes it over ends here, too.
    if (nowMs >= totalMs) return { is: 'ended', entry: end(old, 'total', nowMs, limits), deadlineMs: null }
    // Touched stays: how late the turn is counts from when its answer came.
    return { is: 'abandoned', entry: { ...old, token, takeovers: (old.takeovers ?? 0) + 1 }, deadlineMs: leaseUntilMs }
  }
  const endsMs = endMs(old, limits)
  if (nowMs < endsMs) {
    const isUnsure = old.confirmed === false
    return {
      is: isUnsure ? 'unconfirmed' : 'nothing',
      entry: old,
      deadlineMs: isUnsure ? Math.min(againMs, endsMs) : endsMs,
    }
  }
  const reason = endsMs < totalMs ? 'idle' : 'total'
  return { is: 'ended', entry: end(old, reason, nowMs, limits), deadlineMs: null }
}

function end(old: DialogueEntry, reason: EndReason, nowMs: number, limits: DialogueLimits): DialogueEntry {
  return {
    ...old,
    status: 'ended',
    ended: reason,
    touchedMs: nowMs,
    confirmed: null,
    previous: null,
    untilMs: nowMs + keepMs(reason, limits),
  }
}
