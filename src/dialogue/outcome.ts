/** What happens to an entry after it was taken: rest, drop, confirm, or a deadline. Pure, as classify.ts. */
import { counts, endMs, keepMs, nextVersion, tokenOf, type DialogueEntry } from './entry.ts'
import { sameNetwork } from './classify.ts'
import type { EndReason } from '../ussd/index.ts'
import type { DialogueLimits, TurnOutcome, Resting } from './types.ts'

/** Whether the turn that is taken here is this one; 'again': it was rested already; 'refused': it is another's by now. */
export function mayRest(
  old: DialogueEntry | undefined,
  { epoch, token, nowMs }: Pick<Resting, 'epoch' | 'token' | 'nowMs'>,
): DialogueEntry | 'again' | 'refused' {
  if (!counts(old, nowMs)) return 'refused'
  if (old.epoch !== epoch || tokenOf(old.version) !== token) return 'refused'
  if (old.status !== 'taken') return old.confirmed === null ? 'refused' : 'again'
  return old
}

/** A turn that is taken, and what it came to: the entry afterwards. */
export function rest(taken: DialogueEntry, outcome: TurnOutcome, fresh: string, limits: DialogueLimits): DialogueEntry {
  const { ended, nowMs, revision, reply, snapshot } = outcome
  return {
    ...taken,
    version: nextVersion(taken.version, fresh),
    status: ended ? 'ended' : 'resting',
    revision,
    snapshot,
    reply: { ...reply },
    touchedMs: nowMs,
    ended,
    confirmed: false,
    untilMs: ended ? nowMs + keepMs(ended, limits) : null,
    previous: null,
    takeovers: 0,
  }
}

export interface Dropping {
  which: { network?: string; epoch?: string }
  reason: EndReason
  nowMs: number
  fresh: string
}

/**
 * Ends an open dialogue. `dropped` is false where there was nothing open; a last reply that nobody saw accepted is then
 * not sent again either.
 */
export function drop(
  old: DialogueEntry | undefined,
  { which, reason, nowMs, fresh }: Dropping,
  limits: DialogueLimits,
): { entry: DialogueEntry; dropped: boolean } | undefined {
  if (!counts(old, nowMs)) return undefined
  if (which.epoch !== undefined && which.epoch !== old.epoch) return undefined
  if (which.network !== undefined && !sameNetwork(which.network, old.network)) return undefined
  if (old.status !== 'ended') return { entry: end(old, { reason, nowMs, fresh }, limits), dropped: true }
  return old.confirmed === false
    ? { entry: { ...old, version: nextVersion(old.version, fresh), confirmed: null }, dropped: false }
    : undefined
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
    if (nowMs >= totalMs)
      return { is: 'ended', entry: end(old, { reason: 'total', nowMs, fresh: token }, limits), deadlineMs: null }
    // Touched stays: how late the turn is counts from when its answer came.
    const version = tokenOf(old.version) === token ? nextVersion(old.version, String(old.takeovers ?? 0)) : token
    return {
      is: 'abandoned',
      entry: { ...old, version, takeovers: (old.takeovers ?? 0) + 1 },
      deadlineMs: leaseUntilMs,
    }
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
  return { is: 'ended', entry: end(old, { reason, nowMs, fresh: token }, limits), deadlineMs: null }
}

function end(
  old: DialogueEntry,
  { reason, nowMs, fresh }: Omit<Dropping, 'which'>,
  limits: DialogueLimits,
): DialogueEntry {
  return {
    ...old,
    version: nextVersion(old.version, fresh),
    status: 'ended',
    ended: reason,
    touchedMs: nowMs,
    confirmed: null,
    previous: null,
    untilMs: nowMs + keepMs(reason, limits),
  }
}
