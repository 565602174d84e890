/**
 * Sends one USSD reply to the SMSC while its deadline is open. It makes at most two writes that may have been shown. It
 * also repeats writes that the SMSC throttled, a second or more apart, as often as the turn has time.
 */
import type { Metrics } from '../base/index.ts'
import type { Leaving, Line, MayLeave, OutgoingPdu, SubmitOptions, SubmitOutcome } from '../smpp/index.ts'
import type { Chance, Clock, StatusWhen, UssdAction } from '../ussd/index.ts'

export interface ReplyToSend {
  pdu: OutgoingPdu
  action: UssdAction
  line: Line
  /** The link on which the message came. If it is gone, another link of the line. */
  link?: string | undefined
  /** Wall-clock milliseconds. */
  deadline: number
  /** A throttled reply is tried until then, at most until the deadline (which may be that of an answer). */
  tryUntil: number
  /** It is written for the first time by `leaving.byMs`, or never. */
  leaving?: Leaving | undefined
}

/**
 * ok: accepted · gone: the SMSC has no such dialogue, or will never accept this · throttled: the SMSC was too busy
 * until its time was over, so it was never shown · stale: the dialogue went on without it · open: the SMSC did not
 * answer; the sweep sends it once more · lost: the writes were lost with their link, or there was no link; the sweep
 * keeps sending it.
 */
export type Sent = 'ok' | 'gone' | 'throttled' | 'stale' | 'open' | 'lost'

/** Whether the outcome is open: the SMSC may still get it. */
export const isUnsettled = (sent: Sent): boolean => sent === 'open' || sent === 'lost'

const WRITES_MAX = 2
/** How often to check a line without a bind. */
const RETRY_MS = 200
/**
 * The pause between a throttled write and the next one. SMSCs count by the second, so the next write falls into another
 * second, and replies that were throttled together do not come back together. Three in a row take less than 4 s.
 */
export const THROTTLED_MS = { least: 1_000, most: 1_200 }

export interface SendDeps {
  clock: Clock
  chance: Chance
  metrics: Pick<Metrics, 'count'>
  /**
   * Called before anything is written a second time: the first copy may have been shown after all, and the subscriber's
   * answer may have arrived. Null: unknown at the moment.
   */
  isWanted(): Promise<boolean | null>
  /** Asked at the moment of each write, because replies wait for their turn. */
  mayLeave?: MayLeave | undefined
  /** The SMSC throttled a write. */
  throttled?(): void
}

/** `first`: what became of the first write, if the caller has made it. */
export async function sendReply(reply: ReplyToSend, deps: SendDeps, first?: SubmitOutcome): Promise<Sent> {
  const tried: Tried = { times: 0, isWritten: false, unsent: undefined }
  const sent = await tryReply(reply, deps, tried, first)
  const { unsent, isWritten } = tried
  if (!unsent || (isWritten && unsent !== 'stale')) return sent
  // Here and not in the line, which sees tries: a reply is tried five times a second while its line is down.
  const { action } = reply
  const line = reply.line.name
  deps.metrics.count('ussd_replies_total', { line, action, result: unsent === 'stale' ? 'stale' : 'unsent' })
  if (!isWritten) deps.metrics.count('smpp_unsent', { line, lane: 'ussd', why: unsent })
  return sent
}

/** What became of the tries to send a reply. */
interface Tried {
  times: number
  isWritten: boolean
  /** Why the last try did not leave. */
  unsent: Unsent['why'] | undefined
}

type Unsent = Extract<SubmitOutcome, { kind: 'unsent' }>

/** Writes a reply once. `tries`: how often before. */
export function writeReply(
  { line, pdu, deadline, link, leaving }: ReplyToSend,
  tries: number,
  mayLeave?: MayLeave,
): Promise<SubmitOutcome> {
  const options: SubmitOptions = { lane: 'ussd', deadline, tries }
  if (link) options.link = link
  if (mayLeave) options.mayLeave = mayLeave
  if (leaving) options.leaving = leaving
  return line.submit(pdu, options)
}

/** Counts a write that left. */
export function countReply(metrics: SendDeps['metrics'], { line, action }: ReplyToSend, result: string): void {
  metrics.count('ussd_replies_total', { line: line.name, action, result })
}

async function tryReply(reply: ReplyToSend, deps: SendDeps, tried: Tried, first?: SubmitOutcome): Promise<Sent> {
  const { line, deadline } = reply
  const { clock, metrics, mayLeave } = deps
  let unsure = 0
  let isThrottled = false
  let isElsewhere = false
  let { leaving, link } = reply
  for (let made = first; made || clock.now() < (leaving?.byMs ?? deadline); made = undefined) {
    const outcome = made ?? (await writeReply({ ...reply, link, leaving }, tried.times, mayLeave))
    tried.times++
    if (outcome.kind === 'unsent') tried.unsent = outcome.why
    else {
      leaving = undefined
      tried.isWritten = true
      countReply(metrics, reply, outcome.kind)
    }
    const verdict = judge(outcome, line)
    if (isSettled(verdict)) return verdict
    if (verdict !== 'ask') isThrottled = verdict === 'later'
    if (verdict === 'elsewhere') {
      if (isElsewhere) return 'gone'
      isElsewhere = true
      link = undefined
    } else if (verdict === 'later') deps.throttled?.()
    else if (outcome.kind !== 'unsent') unsure++
    if (unsure >= WRITES_MAX) return 'lost'
    const pauseMs = pauseMsAfter(verdict, deps.chance)
    const isOver = verdict === 'later' && clock.now() + pauseMs >= reply.tryUntil
    if (!isOver && pauseMs > 0) await new Promise<void>((done) => clock.after(pauseMs, done))
    const isWanted = await deps.isWanted()
    if (isWanted === false) return 'stale'
    if (isOver) break
    if (isWanted === null) return 'lost'
  }
  return isThrottled && unsure === 0 ? 'throttled' : 'lost'
}

function isSettled(verdict: Verdict): verdict is Sent {
  return verdict !== 'again' && verdict !== 'later' && verdict !== 'elsewhere' && verdict !== 'ask'
}

function pauseMsAfter(verdict: Verdict, chance: Chance): number {
  if (verdict === 'ask' || verdict === 'elsewhere') return 0
  return verdict === 'later' ? throttledMs(chance) : RETRY_MS
}

function throttledMs(chance: Chance): number {
  const { least, most } = THROTTLED_MS
  return least + Math.floor(chance() * (most - least))
}

/**
 * again: after a moment · later: it was throttled · elsewhere: at once, once, over any bind · ask: once it is known
 * whether it is still wanted.
 */
type Verdict = Sent | 'again' | 'later' | 'elsewhere' | 'ask'

/** By when the same screen may be sent again. */
const REFUSED: Readonly<Record<StatusWhen, Verdict>> = {
  now: 'elsewhere',
  'next-second': 'later',
  later: 'gone',
  never: 'gone',
}

function judge(outcome: SubmitOutcome, line: Line): Verdict {
  if (outcome.kind === 'ok') return 'ok'
  if (outcome.kind === 'refused') return REFUSED[line.dialect.policy(outcome.status).screen]
  if (outcome.kind === 'timeout') return 'open'
  if (outcome.kind !== 'unsent') return 'again'
  if (outcome.why === 'uncodable') return 'gone'
  if (outcome.why === 'stale') return 'stale'
  // No link comes any more. The sweep of another daemon sends what is stored.
  if (outcome.why === 'stopped') return 'lost'
  if (outcome.why === 'unsure') return 'ask'
  return 'again'
}
