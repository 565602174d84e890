/** What happens to an entry after it was taken: rest, drop, confirm, or a deadline. Pure, like classify.ts. */
import { accepted, copyOf, counts, endMs, keepMs, nextVersion, recordOf, tokenOf, type DialogueEntry } from './entry.ts'
import { sameNetwork } from './classify.ts'
import { waitedUntil } from './cdr.ts'
import { NO_TRACK, playedStep } from './track.ts'
import type { EndReason, UssdReply } from '../ussd/index.ts'
import type { DialogueLimits, DialogueRecord, TurnOutcome, Resting } from './types.ts'

/** Whether the taken turn is this one. 'again': it rests already; 'refused': another daemon has it by now. */
export function mayRest(
  old: DialogueEntry | undefined,
  { epoch, token, nowMs }: Pick<Resting, 'epoch' | 'token' | 'nowMs'>,
): DialogueEntry | 'again' | 'refused' {
  if (!counts(old, nowMs)) return 'refused'
  if (old.epoch !== epoch || tokenOf(old.version) !== token) return 'refused'
  if (old.status !== 'taken') return accepted(old) === null ? 'refused' : 'again'
  return old
}

/** A taken turn with its outcome: the entry afterwards. */
export function rest(taken: DialogueEntry, outcome: TurnOutcome, fresh: string, limits: DialogueLimits): DialogueEntry {
  const { ended, revision, reply, snapshot, step } = outcome
  // Never before it was taken: if the clock was set back during the turn, the dialogue would be idle for an hour.
  const nowMs = Math.max(outcome.nowMs, taken.touchedMs)
  const entry = copyOf(taken)
  entry.version = nextVersion(taken.version, fresh)
  entry.status = ended ? 'ended' : 'resting'
  entry.revision = revision
  entry.snapshot = snapshot
  entry.reply = { action: reply.action, text: reply.text, step: reply.step, link: reply.link }
  entry.touchedMs = nowMs
  entry.ended = ended
  entry.confirmed = false
  entry.untilMs = ended ? nowMs + keepMs(ended, limits) : null
  entry.previous = null
  entry.takeovers = 0
  const isTold = step && (step.backendMs > 0 || step.choice !== undefined || step.calls !== undefined || step.exact)
  if (isTold) entry.track = playedStep(taken.track ?? NO_TRACK, step, taken.turn, reply.text)
  if (step?.ifLeft && !ended) entry.ifLeft = step.ifLeft
  return entry
}

export interface Dropping {
  which: { network?: string; epoch?: string }
  reason: EndReason
  nowMs: number
  fresh: string
}

/**
 * Ends an open dialogue. `dropped` is false if nothing was open; a last reply that nobody saw accepted is then not sent
 * again either.
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
  /** The last text of a dialogue that ends at its deadline. */
  farewell?: ((record: DialogueRecord) => UssdReply) | undefined
}

/** `deadlineMs`: the deadline in the index afterwards (null: none). */
export type Seized =
  | { is: 'abandoned' | 'unconfirmed' | 'ended'; entry: DialogueEntry; deadlineMs: number | null }
  /** There is nothing to do. */
  | { is: 'nothing'; entry: DialogueEntry; deadlineMs: number | null }

/** The deadline of this entry has come. */
export function seize(old: DialogueEntry, seizing: Seizing, limits: DialogueLimits): Seized {
  const { nowMs, token, leaseUntilMs } = seizing
  // A daemon that sends a reply once more may die: the entry is returned again unless the daemon confirms.
  const againMs = nowMs + limits.confirmMs
  if (old.status === 'ended') {
    const isUnsure = old.confirmed === false && counts(old, nowMs)
    return isUnsure
      ? { is: 'unconfirmed', entry: old, deadlineMs: againMs }
      : { is: 'nothing', entry: old, deadlineMs: null }
  }
  const totalMs = old.openedMs + limits.totalMs
  if (old.status === 'taken') {
    // A turn that kills every daemon that takes it over ends here, too.
    if (nowMs >= totalMs) return expire(old, 'total', seizing, limits)
    // `touchedMs` stays: the delay of the turn counts from when its answer came.
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
  return expire(old, endsMs < totalMs ? 'idle' : 'total', seizing, limits)
}

/** Ends an entry at its deadline. A daemon that dies before it has sent the last text leaves it to be sent. */
function expire(
  old: DialogueEntry,
  reason: Extract<EndReason, 'idle' | 'total'>,
  { nowMs, token, farewell }: Seizing,
  limits: DialogueLimits,
): Seized {
  const entry = end(old, { reason, nowMs, fresh: token }, limits)
  if (!farewell) return { is: 'ended', entry, deadlineMs: null }
  const reply = { ...farewell(recordOf(entry)), step: null, link: '' }
  return { is: 'ended', entry: { ...entry, reply, confirmed: false }, deadlineMs: nowMs + limits.confirmMs }
}

function end(
  old: DialogueEntry,
  { reason, nowMs, fresh }: Omit<Dropping, 'which'>,
  limits: DialogueLimits,
): DialogueEntry {
  const entry: DialogueEntry = {
    ...old,
    version: nextVersion(old.version, fresh),
    status: 'ended',
    ended: reason,
    touchedMs: nowMs,
    confirmed: null,
    previous: null,
    untilMs: nowMs + keepMs(reason, limits),
  }
  return waitedUntil(entry, old)
}
