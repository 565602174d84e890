/**
 * Is it a repeat? What a begin or an answer means to the entry that it meets. Pure.
 *
 * Never told by timing: automated peers answer within a millisecond.
 */
import {
  copyPath,
  counts,
  nextVersion,
  PAST_MAX,
  playedAtOnce,
  tokenOf,
  type DialogueEntry,
  type PastNumber,
} from './entry.ts'
import type { DialogueLimits, Taking } from './types.ts'

/** Steps are 7 bits and wrap. (SMPP v3.4 §5.3.2.43) */
export const STEPS = 128
/** How far behind the last answer a late copy may lie; a network that skips further is not counting back. */
export const OLDER_MAX = 16
/**
 * SMSCs respond to a submit_sm within milliseconds: after this a response is overdue. It is not the time that one is
 * waited for, which is longer: a daemon that died with its link waits no more, and the subscriber presses in vain.
 */
export const OVERDUE_MS = 2_000

/** `entry` is what stands in the store afterwards; where nothing was taken, what stood there. */
export type Classified =
  | { is: 'opened'; entry: DialogueEntry; again?: boolean }
  | { is: 'next'; entry: DialogueEntry; again?: boolean }
  | { is: 'repeat'; entry: DialogueEntry; resend: boolean }
  | { is: 'busy'; entry: DialogueEntry }
  | { is: 'unknown' }

/** A begin meets `old`. `again`: this very token was answered before, nothing is to be written. */
export function classifyBegin(old: DialogueEntry | undefined, begin: Taking, limits: DialogueLimits): Classified {
  if (!counts(old, begin.nowMs)) return { is: 'opened', entry: open(begin, null, []) }
  if (tokenOf(old.version) === begin.token) {
    return old.status === 'taken' && old.turn === 1
      ? { is: 'opened', entry: old, again: true }
      : { is: 'repeat', entry: old, resend: false }
  }
  const known = knows(old, begin, limits)
  if (known) {
    return { is: 'repeat', entry: old, resend: known === 'this' && wantsScreen(old, begin, limits) }
  }
  return { is: 'opened', entry: open(begin, ended(old, begin.nowMs), pastOf(old, begin, limits)) }
}

/** An answer, or an acknowledgement, meets `old`. */
export function classifyAnswer(old: DialogueEntry | undefined, answer: Taking, limits: DialogueLimits): Classified {
  if (!counts(old, answer.nowMs) || !sameNetwork(old.network, answer.network)) return { is: 'unknown' }
  if (tokenOf(old.version) === answer.token) {
    if (old.status === 'taken') return { is: 'next', entry: old, again: true }
    return { is: 'repeat', entry: old, resend: false }
  }
  const same = sameAnswer(old, answer)
  if (old.status === 'taken') return same ? { is: 'repeat', entry: old, resend: false } : { is: 'busy', entry: old }
  if (old.status === 'ended') {
    const young = old.confirmed !== null && answer.nowMs - old.touchedMs < limits.tombstoneMs
    return same && young ? { is: 'repeat', entry: old, resend: isLost(old, answer, limits) } : { is: 'unknown' }
  }
  if (isRepeat(old, answer)) return { is: 'repeat', entry: old, resend: isLost(old, answer, limits) }
  return { is: 'next', entry: next(old, answer) }
}

/**
 * A begin that was answered while the store was away is remembered as a past number: of the dialogue that stands here
 * by now, or of a tombstone. What the store opened for it after all, too late for an answer, ends. Undefined: it is
 * known already.
 */
export function bury(
  old: DialogueEntry | undefined,
  begin: Taking,
  { untilMs, nowMs, fresh }: { untilMs: number; nowMs: number; fresh: string },
): DialogueEntry | undefined {
  const number: PastNumber = { network: begin.network, untilMs }
  if (!counts(old, nowMs)) {
    const none = open({ ...begin, network: '' }, null, [number])
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
  if ([old, ...old.past].some(({ network }) => network === begin.network)) return undefined
  return {
    ...old,
    version,
    past: [number, ...old.past].slice(0, PAST_MAX),
    untilMs: old.untilMs === null ? null : Math.max(old.untilMs, untilMs),
  }
}

/** Its first turn: taken, or played at once, and nobody was told of it. */
function isUnseen({ version, turn, status, confirmed }: DialogueEntry, token: string): boolean {
  if (turn !== 1 || status === 'ended') return false
  return version === token || (version === playedAtOnce(token) && confirmed === false)
}

/**
 * A message was decided, and another was faster; this is what stands there now. What goes on from there would be an
 * answer to a screen that its sender has not seen: it is a copy, or too early. What ended is nobody's any more.
 */
export function decidedAgain(
  first: DialogueEntry | undefined,
  now: DialogueEntry | undefined,
  classified: Classified,
  taking: Taking,
): Classified {
  if (taking.answer.kind === 'begin' || !first || first.status === 'ended') return classified
  if (!now || now.epoch !== first.epoch || now.status === 'ended') return { is: 'busy', entry: now ?? first }
  if (now.turn === first.turn) return classified
  // A failover of the store: what the subscriber answers is gone.
  if (now.turn < first.turn) return { is: 'unknown' }
  return sameAnswer(now, taking) ? { is: 'repeat', entry: now, resend: false } : { is: 'busy', entry: now }
}

/** How long after a begin another of its number is a copy. */
export function knownMs({ copyMs = Infinity }: Taking, { tombstoneMs }: Pick<DialogueLimits, 'tombstoneMs'>): number {
  return Math.min(copyMs, tombstoneMs)
}

/** The network's names of two dialogues agree; where one gives none, the MSISDN alone decides. */
export function sameNetwork(a: string, b: string): boolean {
  return a === '' || b === '' || a === b
}

/** Which dialogue a begin is a late copy of: the one that stands here, or an earlier one. */
function knows(old: DialogueEntry, begin: Taking, limits: DialogueLimits): 'this' | 'past' | undefined {
  const age = begin.nowMs - old.openedMs
  if (begin.network === '') {
    // A network that numbers its dialogues gives a copy the number of the first: 0 alone can read as none.
    const copy =
      old.network === '' &&
      old.status !== 'ended' &&
      old.code === begin.code &&
      old.turn === 1 &&
      age < limits.duplicateBeginMs
    return copy ? 'this' : undefined
  }
  if (old.network === begin.network && isCopy(old, begin, limits)) return 'this'
  // The old dialogue is over: treat a reused number as a redial. (isCopy)
  if (begin.copyMs !== undefined && old.status === 'ended' && old.confirmed !== false) return undefined
  return old.past.some((past) => past.network === begin.network && begin.nowMs < past.untilMs) ? 'past' : undefined
}

/**
 * A begin with the number of the dialogue that stands here. Numbers that come round are soon given to a redial: then it
 * must be dialled alike, and not long ago. One whose last reply, beyond the first, was taken, or that was ended from
 * outside, has given its number back: a copy that is taken for a redial is refused by the network, and hurts nobody.
 */
function isCopy(old: DialogueEntry, begin: Taking, limits: DialogueLimits): boolean {
  const { copyMs, nowMs } = begin
  if (copyMs === undefined) return old.status !== 'ended' || nowMs - old.touchedMs < limits.tombstoneMs
  const holdsNumber = old.status !== 'ended' || old.confirmed === false || (old.turn === 1 && old.confirmed !== null)
  return holdsNumber && old.code === begin.code && nowMs - old.openedMs < knownMs(begin, limits)
}

/**
 * Where the network gives no number, or one that comes round and the dialogue ended, a copy and a redial look alike,
 * and both are served by the last screen once more: a subscriber who redials must not meet silence.
 */
function wantsScreen(old: DialogueEntry, begin: Taking, limits: DialogueLimits): boolean {
  const isUnsure = begin.network === '' || (begin.copyMs !== undefined && old.status === 'ended')
  return (old.turn === 1 && isLost(old, begin, limits)) || (isUnsure && old.confirmed !== null && old.reply !== null)
}

/**
 * The stored reply went out on another link than the one that this came in on, and nobody saw it accepted. One that was
 * accepted is shown: a second copy, over another link, could only come late, and stand over a newer screen.
 */
function mayBeLost(old: DialogueEntry, taking: Taking): boolean {
  return old.confirmed === false && old.reply !== null && old.reply.link !== taking.link
}

/**
 * It is sent again only once nobody waits for its response any more: the link that it went out on is closed, or the
 * response is overdue. Before that it may be on its way, and a second copy could stand over a newer screen.
 */
function isLost(old: DialogueEntry, taking: Taking, { confirmMs }: DialogueLimits): boolean {
  if (!mayBeLost(old, taking)) return false
  return taking.isGone?.(old.reply!.link) === true || taking.nowMs - old.touchedMs >= Math.min(confirmMs, OVERDUE_MS)
}

/** The same answer as the last one, as far as can be told: where a step is missing, the text decides. */
function sameAnswer(old: DialogueEntry, { answer }: Taking): boolean {
  const last = old.answer
  if (last.kind !== answer.kind || last.text !== answer.text) return false
  return last.step === null || answer.step === null || last.step === answer.step
}

/**
 * A resting dialogue hears its last answer again. With steps: the peer counts on with every reply, so the old number
 * with the old text is a copy. Without: only a copy comes over another link while the reply is not known to have
 * arrived (a subscriber may well press the same key twice).
 */
function isRepeat(old: DialogueEntry, taking: Taking): boolean {
  if (isOlder(old, taking)) return true
  if (!sameAnswer(old, taking)) return false
  const { step } = taking.answer
  const replied = old.reply?.step ?? null
  if (step !== null && step === old.answer.step && replied !== null && replied !== step) return true
  return mayBeLost(old, taking)
}

/**
 * A late copy of an answer before the last one: its step lies a little behind the last one's. Taken for a new key it
 * could confirm what nobody confirmed. Only among answers: some networks number the begin apart.
 */
function isOlder(old: DialogueEntry, { answer }: Taking): boolean {
  if (old.answer.kind !== 'input' || old.answer.step === null || answer.step === null) return false
  const behind = (old.answer.step - answer.step + STEPS) % STEPS
  return behind > 0 && behind <= OLDER_MAX
}

function open(begin: Taking, previous: DialogueEntry | null, past: PastNumber[]): DialogueEntry {
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
  return {
    ...old,
    status: 'taken',
    turn: old.turn + 1,
    line: taking.line,
    version: taking.token,
    answer: { ...taking.answer, step: countedStep(old, taking) },
    // Only the begin's PDU says what operation began the dialogue; the answers' return paths need it.
    returnPath: copyPath(beginOp === undefined ? taking.returnPath : { beginOp, ...taking.returnPath }),
    touchedMs: taking.nowMs,
    confirmed: null,
    takeovers: 0,
  }
}

/**
 * The step as it is kept. A peer that sends the step of its last message again, although our reply had counted on,
 * does not count: its steps say nothing for the rest of this dialogue. Nor does one whose first step is behind that of
 * the screen that we began with.
 */
function countedStep(old: DialogueEntry, { answer }: Taking): number | null {
  const last = old.answer.step
  const replied = old.reply?.step ?? null
  const stands = last !== null && answer.step === last && replied !== null && replied !== last
  if (stands || (old.answer.kind === 'input' && last === null)) return null
  const behind = last === null && replied !== null && answer.step !== null ? (replied - answer.step + STEPS) % STEPS : 0
  return behind > 0 && behind <= OLDER_MAX ? null : answer.step
}

/** What a new dialogue leaves of the one before it. */
function ended(old: DialogueEntry, nowMs: number): DialogueEntry {
  if (old.status === 'ended') return { ...old, previous: null }
  return {
    ...old,
    status: 'ended',
    ended: 'superseded',
    touchedMs: nowMs,
    untilMs: nowMs,
    confirmed: null,
    previous: null,
  }
}

function pastOf(old: DialogueEntry, begin: Taking, limits: DialogueLimits): PastNumber[] {
  const { copyMs, nowMs } = begin
  const untilMs =
    copyMs === undefined
      ? (old.status === 'ended' ? old.touchedMs : nowMs) + limits.tombstoneMs
      : old.openedMs + knownMs(begin, limits)
  return [{ network: old.network, untilMs }, ...old.past]
    .filter((past) => past.network !== '' && past.network !== begin.network && past.untilMs > begin.nowMs)
    .slice(0, PAST_MAX)
}
