/** Gets one USSD reply to the SMSC: at most two writes, only while its deadline is open. */
import type { Metrics } from './metrics.ts'
import type { Line, OutgoingPdu, SubmitOutcome } from './smpp/types.ts'
import type { Clock, UssdAction } from './ussd/types.ts'

export interface ReplyToSend {
  pdu: OutgoingPdu
  action: UssdAction
  line: Line
  /** The link that the message came in on; another one of the line when it is gone. */
  link?: string | undefined
  /** Wall-clock milliseconds. */
  deadline: number
}

/**
 * ok: accepted · gone: the SMSC has no such dialogue, or will never take this · stale: the dialogue went on without it
 * · open: nobody knows; the sweep sends it once more.
 */
export type Sent = 'ok' | 'gone' | 'stale' | 'open'

const WRITES_MAX = 2
/** How often a line without a bind is looked at again. */
const RETRY_MS = 200

export interface SendParts {
  clock: Clock
  metrics: Metrics
  /**
   * Asked before anything is written a second time: the first copy may have been shown after all, and the subscriber's
   * answer to it may be here already. Null: nobody knows just now.
   */
  isWanted(): Promise<boolean | null>
}

export async function sendReply(reply: ReplyToSend, parts: SendParts): Promise<Sent> {
  const { line, pdu, action, deadline } = reply
  const { clock, metrics } = parts
  let writes = 0
  while (clock.now() < deadline) {
    const outcome = await line.submit(pdu, { lane: 'ussd', deadline, ...(reply.link ? { link: reply.link } : {}) })
    metrics.count('ussd_replies_total', { line: line.name, action, result: outcome.kind })
    const verdict = judge(outcome, line)
    if (verdict !== 'again') return verdict
    if (outcome.kind !== 'unsent') writes++
    if (writes >= WRITES_MAX) return 'open'
    await pause(clock)
    const isWanted = await parts.isWanted()
    if (isWanted === null) return 'open'
    if (!isWanted) return 'stale'
  }
  return 'open'
}

function judge(outcome: SubmitOutcome, line: Line): Sent | 'again' {
  if (outcome.kind === 'ok') return 'ok'
  if (outcome.kind === 'refused') return line.dialect.meaning(outcome.status) === 'retry-once' ? 'again' : 'gone'
  if (outcome.kind === 'timeout') return 'open'
  if (outcome.kind === 'unsent' && outcome.why === 'uncodable') return 'gone'
  return 'again'
}

function pause(clock: Clock): Promise<void> {
  return new Promise((done) => clock.after(RETRY_MS, done))
}
