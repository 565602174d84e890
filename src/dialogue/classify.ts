/**
 * Is it a repeat? What a begin or an answer means for the entry that it meets. Pure.
 *
 * Timing never decides: automated peers answer within a millisecond.
 */
import {
  accepted,
  copyOf,
  copyPath,
  counts,
  nextVersion,
  PAST_MAX,
  playedAtOnce,
  tokenOf,
  type DialogueEntry,
  pastUntilMs,
  pastWith,
  type PastNumbers,
} from './entry.ts'
import { hasCounted, heardWith, isAhead, isSteady, STEPS, wasHeard } from './heard.ts'
import { waitedUntil } from './cdr.ts'
import { answeredAfter, NO_TRACK, screenOf } from './track.ts'
import type { Answer, DialogueLimits, Taking } from './types.ts'

/**
 * How far behind the last answer a late copy may be, if a daemon of an earlier release has not noted what was heard. A
 * network that jumps further is not repeating an older step.
 */
export const OLDER_MAX = 16
/**
 * SMSCs respond to a submit_sm within milliseconds: after this time a response is overdue. A request waits longer than
 * that for its response. But a daemon that died with its link waits no longer, and then no key of the subscriber would
 * get an answer.
 */
export const OVERDUE_MS = 2_000

/** `entry` is the entry to store; if nothing was taken, the entry that was there. */
export type Classified =
  | { is: 'opened'; entry: DialogueEntry; again?: boolean }
  /** `mayBeCopy`: it is the last key again, soon after its screen, and no counter shows whether it is a copy. */
  | { is: 'next'; entry: DialogueEntry; again?: boolean; mayBeCopy?: boolean }
  /** `overdueMs`: the reply may be lost, and then it is due to be sent again. */
  | { is: 'repeat'; entry: DialogueEntry; resend: boolean; overdueMs?: number }
  | { is: 'busy'; entry: DialogueEntry }
  | { is: 'unknown' }

/** Classifies a begin that meets `old`. `again`: this token was answered before, so nothing is to be written. */
export function classifyBegin(old: DialogueEntry | undefined, begin: Taking, limits: DialogueLimits): Classified {
  if (!counts(old, begin.nowMs)) return { is: 'opened', entry: open(begin, null, []) }
  if (tokenOf(old.version) === begin.token) {
    return old.status === 'taken' && old.turn === 1
      ? { is: 'opened', entry: old, again: true }
      : { is: 'repeat', entry: old, resend: false }
  }
  const known = knows(old, begin, limits)
  if (known) {
    if (known === 'past') return { is: 'repeat', entry: old, resend: false }
    return repeat(old, begin, limits, wantsScreen(old, begin, limits) || redials(old, begin, limits))
  }
  return { is: 'opened', entry: open(begin, ended(old, begin.nowMs), pastOf(old, begin, limits)) }
}

/** Classifies an answer or an acknowledgement that meets `old`. */
export function classifyAnswer(old: DialogueEntry | undefined, answer: Taking, limits: DialogueLimits): Classified {
  if (!counts(old, answer.nowMs) || !sameNetwork(old.network, answer.network)) return { is: 'unknown' }
  if (tokenOf(old.version) === answer.token) {
    if (old.status === 'taken') return { is: 'next', entry: old, again: true }
    return { is: 'repeat', entry: old, resend: false }
  }
  const same = sameAnswer(old, answer)
  if (old.status === 'taken') return same ? { is: 'repeat', entry: old, resend: false } : { is: 'busy', entry: old }
  if (old.status === 'ended') {
    const young = accepted(old) !== null && answer.nowMs - old.touchedMs < limits.tombstoneMs
    return same && young ? repeat(old, answer, limits, isLost(old, answer, limits)) : { is: 'unknown' }
  }
  if (isOvertaken(old, answer)) return { is: 'repeat', entry: old, resend: true }
  const isLate = wasBefore(old, answer)
  if (isLate || isRepeat(old, answer)) {
    const mayBeKey = isLate && !isSteady(old) && stands(old, answer, limits)
    return repeat(old, answer, limits, mayBeKey || isLost(old, answer, limits))
  }
  return { is: 'next', entry: next(old, answer), mayBeCopy: isSoon(old, answer) }
}

function repeat(old: DialogueEntry, taking: Taking, limits: DialogueLimits, resend: boolean): Classified {
  if (resend || !mayBeLost(old, taking)) return { is: 'repeat', entry: old, resend }
  return { is: 'repeat', entry: old, resend, overdueMs: old.touchedMs + patienceMs(limits) }
}

/**
 * A begin that was answered while the store was unreachable is stored as a past number: of the dialogue that is here by
 * now, or of a tombstone. If the store opened a dialogue for it after all, too late for an answer, that dialogue ends.
 * Undefined: the number is known already.
 */
export function bury(
  old: DialogueEntry | undefined,
  begin: Taking,
  { untilMs, nowMs, fresh }: { untilMs: number; nowMs: number; fresh: string },
): DialogueEntry | undefined {
  if (!counts(old, nowMs)) {
    const none = open({ ...begin, network: '' }, null, [begin.network, untilMs])
    return {
      ...none,
      version: nextVersion(begin.token, fresh),
      status: 'ended',
      ended: 'store-failed',
      touchedMs: nowMs,
      untilMs,
    }
  }
  const version = nextVersion(old.version, fresh)
  if (isUnseen(old, begin.token)) {
    return {
      ...old,
      version,
      status: 'ended',
      ended: 'store-failed',
      touchedMs: nowMs,
      untilMs,
      confirmed: null,
      previous: null,
    }
  }
  if (old.network === begin.network || pastUntilMs(old.past, begin.network) !== undefined) return undefined
  return {
    ...old,
    version,
    past: pastWith(old.past, begin.network, untilMs),
    untilMs: old.untilMs === null ? null : Math.max(old.untilMs, untilMs),
  }
}

/** The entry is at its first turn, taken or played at once, and nobody was told of it. */
function isUnseen({ version, turn, status, confirmed }: DialogueEntry, token: string): boolean {
  if (turn !== 1 || status === 'ended') return false
  return version === token || (version === playedAtOnce(token) && confirmed === false)
}

/**
 * Another write was faster than our decision, and `now` is the current entry. If the dialogue has moved on, this
 * message answers a screen that its sender has not seen: it is a copy, or too early. If it has ended, the message is
 * dropped.
 */
export function decidedAgain(
  first: DialogueEntry | undefined,
  now: DialogueEntry | undefined,
  classified: Classified,
  taking: Taking,
): Classified {
  if (taking.answer.kind === 'begin' || !first || first.status === 'ended') return classified
  if (!now || now.epoch !== first.epoch || now.status === 'ended') return { is: 'busy', entry: now ?? first }
  if (now.turn > first.turn)
    return sameAnswer(now, taking) ? { is: 'repeat', entry: now, resend: false } : { is: 'busy', entry: now }
  // After a failover of the store: the screen that the subscriber answers is gone.
  return now.turn < first.turn ? { is: 'unknown' } : classified
}

/** For how long after a begin another begin with its number is a copy. */
export function knownMs({ copyMs = Infinity }: Taking, { tombstoneMs }: Pick<DialogueLimits, 'tombstoneMs'>): number {
  return Math.min(copyMs, tombstoneMs)
}

/** Whether the network's names of two dialogues agree. If one is missing, the MSISDN alone decides. */
export function sameNetwork(a: string, b: string): boolean {
  return a === '' || b === '' || a === b
}

/** The dialogue of which a begin is a late copy: the current one, or an earlier one. */
function knows(old: DialogueEntry, begin: Taking, limits: DialogueLimits): 'this' | 'past' | undefined {
  const age = ageOf(old, begin)
  if (begin.network === '') {
    // A network that numbers its dialogues gives a copy the number of the first: only 0 can read as none.
    const copy =
      old.network === '' &&
      old.status !== 'ended' &&
      old.code === begin.code &&
      (old.turn === 1 || begin.still !== undefined) &&
      age < limits.duplicateBeginMs
    return copy ? 'this' : undefined
  }
  if (old.network === begin.network && isCopy(old, begin, limits)) return 'this'
  // The old dialogue is over: treat a reused number as a redial. (isCopy)
  if (begin.copyMs !== undefined && old.status === 'ended' && accepted(old) !== false && !begin.still) return undefined
  return begin.nowMs < (pastUntilMs(old.past, begin.network) ?? 0) ? 'past' : undefined
}

/**
 * Whether a begin with the current dialogue's number is a copy, or a redial to the same dialogue: while that is open,
 * the same code gets its screen again. Numbers that are reused are soon given to another dialogue, so after its end
 * the time must be short. If a reply after the first was accepted, or if the dialogue was ended from outside, the
 * number is free again. If a copy is then taken for a redial, the network refuses its screen, and nobody is harmed.
 */
function isCopy(old: DialogueEntry, begin: Taking, limits: DialogueLimits): boolean {
  const { copyMs, nowMs } = begin
  if (copyMs === undefined) return old.status !== 'ended' || nowMs - old.touchedMs < limits.tombstoneMs
  if (old.code !== begin.code) return false
  if (old.status !== 'ended') return true
  const holdsNumber = accepted(old) === false || (old.turn === 1 && accepted(old) !== null)
  return (holdsNumber || begin.still !== undefined) && ageOf(old, begin) < knownMs(begin, limits)
}

/**
 * How old the dialogue was when the begin may have arrived here. Negative: it was opened, here or elsewhere, while the
 * begin waited.
 */
function ageOf({ openedMs }: DialogueEntry, { nowMs, still }: Taking): number {
  return (still?.fromMs ?? nowMs) - openedMs
}

/**
 * If the network gives no number, or a reused one and the dialogue has ended, a copy and a redial look the same. Both
 * get the last screen once more: a subscriber who redials must get an answer.
 */
function wantsScreen(old: DialogueEntry, begin: Taking, limits: DialogueLimits): boolean {
  const isUnsure = begin.network === '' || (begin.copyMs !== undefined && old.status === 'ended')
  return (old.turn === 1 && isLost(old, begin, limits)) || (isUnsure && accepted(old) !== null && old.reply !== null)
}

/**
 * The begin came over the link on which the screen was sent, or so late that it is hardly a copy, and the SMSC has
 * accepted the screen, or never will. So it is a redial under the number of the open dialogue, and it must get an
 * answer.
 */
function redials(old: DialogueEntry, begin: Taking, limits: DialogueLimits): boolean {
  if (old.status !== 'resting') return false
  const isLate = begin.copyMs !== undefined && ageOf(old, begin) >= knownMs(begin, limits)
  return (isLate || old.reply?.link === begin.link) && stands(old, begin, limits)
}

/** The screen is not on its way: the SMSC has accepted it, or never will. */
function stands(old: DialogueEntry, { nowMs }: Taking, limits: DialogueLimits): boolean {
  return accepted(old) === true || nowMs - old.touchedMs >= patienceMs(limits)
}

/** How long a reply may wait for its response. */
function patienceMs({ confirmMs }: DialogueLimits): number {
  return Math.min(confirmMs, OVERDUE_MS)
}

/**
 * The stored reply was sent on another link than this message came on, and nobody saw it accepted. An accepted reply is
 * shown: a second copy, over another link, could only come late and cover a newer screen.
 */
function mayBeLost(old: DialogueEntry, taking: Taking): boolean {
  return accepted(old) === false && old.reply !== null && old.reply.link !== taking.link
}

/**
 * It is sent again only when nothing waits for its response any more: the link on which it was sent is closed, or the
 * response is overdue. Before that it may be in flight, and a second copy could cover a newer screen.
 */
function isLost(old: DialogueEntry, taking: Taking, limits: DialogueLimits): boolean {
  if (!mayBeLost(old, taking)) return false
  return taking.isGone?.(old.reply!.link) === true || stands(old, taking, limits)
}

/** Whether this is the same answer as the last one, as far as we know. If a step is missing, the text decides. */
function sameAnswer(old: DialogueEntry, { answer }: Pick<Taking, 'answer'>): boolean {
  const last = old.answer
  if (last.kind !== answer.kind || last.text !== answer.text) return false
  if (last.step === null || answer.step === null || last.step === answer.step) return true
  return last.isStalled === true && !countsOn(old, answer.step)
}

/**
 * This daemon stood still, and the dialogue has gone on meanwhile. Where no counter tells, the key may be one that
 * another daemon has dealt with. It gets the current screen: who pressed it presses again.
 */
function isOvertaken(old: DialogueEntry, taking: Taking): boolean {
  const { answer, still } = taking
  const isCounted = !old.answer.isStalled && answer.step !== null
  return still !== undefined && !isCounted && old.touchedMs >= still.fromMs && old.touchedMs < still.toMs
}

/** The answer's step is slightly ahead of the step of our reply: the network's counter increments. */
function countsOn({ reply }: DialogueEntry, step: number): boolean {
  return isAhead(step, reply?.step ?? null)
}

/**
 * The last key again, so soon after its screen that it may be a copy: a subscriber reads before pressing a key. Reached
 * only if no counter told (isRepeat): there is none, it is stalled, or our replies do not advance it.
 */
function isSoon(old: DialogueEntry, taking: Taking): boolean {
  const { nowMs, sameKeyMs = 0 } = taking
  return old.answer.kind === 'input' && sameAnswer(old, taking) && nowMs - old.touchedMs < sameKeyMs
}

/**
 * Whether a resting dialogue gets its last answer again. With steps: the peer increments with every reply, so the old
 * number with the old text is a copy. Without steps: it is a copy only if it comes over another link while the reply is
 * not known to have arrived (a subscriber may press the same key twice).
 */
function isRepeat(old: DialogueEntry, taking: Taking): boolean {
  if (!sameAnswer(old, taking)) return false
  const { step } = taking.answer
  const replied = old.reply?.step ?? null
  const isCounted = !old.answer.isStalled && step !== null && step === old.answer.step
  if (isCounted && replied !== null && replied !== step) return true
  return mayBeLost(old, taking)
}

/**
 * A late copy of an earlier key, or a copy of the last one if its counter stalled, as far as a counter tells. If it
 * were taken for a new key, it could confirm what nobody confirmed. A key that equals an earlier one in its step and
 * its text is a copy, unless its step is the one that our reply asks for: the counter went back, and has come by once
 * more. Only among answers: some networks number the begin separately.
 */
function wasBefore(old: DialogueEntry, { answer }: Taking): boolean {
  const last = old.answer
  if (last.kind !== 'input' || last.step === null || answer.step === null) return false
  const heard = wasHeard(old, answer)
  if (heard === undefined) {
    const behind = (last.step - answer.step + STEPS) % STEPS
    return !last.isStalled && behind > 0 && behind <= OLDER_MAX
  }
  const isLast = last.isStalled === true && last.step === answer.step && sameAnswer(old, { answer })
  return (isLast || (heard && !isAskedFor(old, answer.step))) && hasCounted(old)
}

/** Our reply counts on from the network's step, and the network from ours, or it repeats ours. */
function isAskedFor({ reply }: DialogueEntry, step: number): boolean {
  const replied = reply?.step ?? null
  return replied !== null && (step === replied || step === (replied + 1) % STEPS)
}

function open(begin: Taking, previous: DialogueEntry | null, past: PastNumbers): DialogueEntry {
  return {
    key: { ...begin.key },
    epoch: begin.epoch,
    status: 'taken',
    network: begin.network,
    turn: 1,
    revision: '',
    code: begin.code,
    line: begin.line,
    snapshot: null,
    answer: { ...begin.answer },
    reply: null,
    returnPath: copyPath(begin.returnPath),
    openedMs: begin.nowMs,
    touchedMs: begin.nowMs,
    ended: null,
    version: begin.token,
    confirmed: null,
    past,
    untilMs: null,
    previous,
    takeovers: 0,
  }
}

function next(old: DialogueEntry, taking: Taking): DialogueEntry {
  const { beginOp } = old.returnPath
  const { step, isStalled } = countedStep(old, taking)
  const { kind, text } = taking.answer
  const entry = copyOf(old)
  entry.status = 'taken'
  entry.turn = old.turn + 1
  entry.line = taking.line
  entry.version = taking.token
  entry.answer = { kind, text, step }
  entry.returnPath = copyPath(taking.returnPath)
  entry.touchedMs = taking.nowMs
  entry.confirmed = null
  entry.takeovers = 0
  entry.track = answeredAfter(old.track ?? NO_TRACK, screenOf(old), kind, taking.nowMs - old.touchedMs)
  if (isStalled) entry.answer.isStalled = true
  // It was answered: whatever becomes of this turn, nobody left the screen.
  delete entry.ifLeft
  // Only the begin's PDU has the operation that began the dialogue; the return paths of answers need it.
  if (beginOp !== undefined) entry.returnPath.beginOp ??= beginOp
  const heard = heardWith(old, step)
  if (heard) entry.heard = heard
  else delete entry.heard
  return entry
}

/**
 * The answer's step as we store it. A counter is stalled if a network repeats the step of its last message although our
 * reply was one ahead, or if its first step is behind that of our first screen. A stalled counter is ignored until it
 * is ahead of our reply again. If the first answer had no step, all later answers have none.
 */
function countedStep(old: DialogueEntry, { answer: { step } }: Taking): Pick<Answer, 'step' | 'isStalled'> {
  const last = old.answer.step
  const replied = old.reply?.step ?? null
  if (step === null || (old.answer.kind === 'input' && last === null)) return { step: null }
  if (old.answer.isStalled) return countsOn(old, step) ? { step } : { step, isStalled: true }
  const stands = last !== null && step === last && replied !== null && replied !== last
  const behind = last === null && replied !== null ? (replied - step + STEPS) % STEPS : 0
  return stands || (behind > 0 && behind <= OLDER_MAX) ? { step, isStalled: true } : { step }
}

/** What a new dialogue keeps of the one before it. */
function ended(old: DialogueEntry, nowMs: number): DialogueEntry {
  if (old.status === 'ended') return { ...old, previous: null }
  const gone: DialogueEntry = {
    ...old,
    status: 'ended',
    ended: 'superseded',
    touchedMs: nowMs,
    untilMs: nowMs,
    confirmed: null,
    previous: null,
  }
  return waitedUntil(gone, old)
}

function pastOf(old: DialogueEntry, begin: Taking, limits: DialogueLimits): PastNumbers {
  const { copyMs, nowMs } = begin
  const untilMs =
    copyMs === undefined
      ? (old.status === 'ended' ? old.touchedMs : nowMs) + limits.tombstoneMs
      : old.openedMs + knownMs(begin, limits)
  const all = [old.network, untilMs, ...old.past]
  const isKept = (at: number) => all[at] !== '' && all[at] !== begin.network && (all[at + 1] as number) > nowMs
  return all.filter((_, at) => isKept(at - (at % 2))).slice(0, 2 * PAST_MAX)
}
