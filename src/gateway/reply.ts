/**
 * Gets one USSD reply to the SMSC, only while its deadline is open: at most two writes that may have been shown, and as
 * many that the SMSC throttled, a second and more apart, as the time of the turn has room for.
 */
import type { Metrics } from '../base/index.ts'
import type { Line, OutgoingPdu, SubmitOutcome } from '../smpp/index.ts'
import type { Chance, Clock, UssdAction } from '../ussd/index.ts'

export interface ReplyToSend {
  pdu: OutgoingPdu
  action: UssdAction
  line: Line
  /** The link that the message came in on; another one of the line when it is gone. */
  link?: string | undefined
  /** Wall-clock milliseconds. */
  deadline: number
  /** What is throttled is tried until then: no later than the deadline, which may be that of an answer. */
  tryUntil: number
}

/**
 * ok: accepted · gone: the SMSC has no such dialogue, or will never take this · throttled: too busy for it until its
 * time was over, so it was never shown · stale: the dialogue went on without it · open: the SMSC did not answer; the
 * sweep sends it once more · lost: whatever was written was lost with its link, or there was none; the sweep goes on
 * sending it.
 */
export type Sent = 'ok' | 'gone' | 'throttled' | 'stale' | 'open' | 'lost'

/** Whether the SMSC may have it still to come: nothing is settled. */
export const isUnsettled = (sent: Sent): boolean => sent === 'open' || sent === 'lost'

const WRITES_MAX = 2
/** How often a line without a bind is looked at again. */
const RETRY_MS = 200
/**
 * Between a write that was throttled and the next: SMSCs count by the second, so the next falls into another one; and a
 * crowd that was throttled together does not come back together. Three in a row are over within 4 s.
 */
export const THROTTLED_MS = { least: 1_000, most: 1_200 }

export interface SendDeps {
  clock: Clock
  chance: Chance
  metrics: Pick<Metrics, 'count'>
  /**
   * Asked before anything is written a second time: the first copy may have been shown after all, and the subscriber's
   * answer to it may be here already. Null: nobody knows just now.
   */
  isWanted(): Promise<boolean | null>
  /** The SMSC throttled a write of it. */
  throttled?(): void
}

export async function sendReply(reply: ReplyToSend, deps: SendDeps): Promise<Sent> {
  const { line, pdu, action, deadline } = reply
  const { clock, metrics } = deps
  let unsure = 0
  let isThrottled = false
  while (clock.now() < deadline) {
    const outcome = await line.submit(pdu, { lane: 'ussd', deadline, ...(reply.link ? { link: reply.link } : {}) })
    metrics.count('ussd_replies_total', { line: line.name, action, result: outcome.kind })
    const verdict = judge(outcome, line)
    if (verdict !== 'again' && verdict !== 'later') return verdict
    isThrottled = verdict === 'later'
    if (isThrottled) deps.throttled?.()
    else if (outcome.kind !== 'unsent') unsure++
    if (unsure >= WRITES_MAX) return 'lost'
    const pauseMs = isThrottled ? throttledMs(deps.chance) : RETRY_MS
    const isOver = isThrottled && clock.now() + pauseMs >= reply.tryUntil
    if (!isOver) await new Promise<void>((done) => clock.after(pauseMs, done))
    const isWanted = await deps.isWanted()
    if (isWanted === false) return 'stale'
    if (isOver) break
    if (isWanted === null) return 'lost'
  }
  return isThrottled && unsure === 0 ? 'throttled' : 'lost'
}

function throttledMs(chance: Chance): number {
  const { least, most } = THROTTLED_MS
  return least + Math.floor(chance() * (most - least))
}

function judge(outcome: SubmitOutcome, line: Line): Sent | 'again' | 'later' {
  if (outcome.kind === 'ok') return 'ok'
  if (outcome.kind === 'refused') return line.dialect.meaning(outcome.status) === 'retry-once' ? 'later' : 'gone'
  if (outcome.kind === 'timeout') return 'open'
  if (outcome.kind === 'unsent' && outcome.why === 'uncodable') return 'gone'
  return 'again'
}
