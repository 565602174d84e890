/** Sends one screen to a handset, and reports what the network did with it. */
import type { Metrics } from '../base/index.ts'
import type { Line, SubmitOutcome } from '../smpp/index.ts'
import type { Clock, UssdReply } from '../ussd/index.ts'
import { pushRefusalOf, type PushRefusal } from './refusal.ts'
import type { PushWay } from './way.ts'

/**
 * shown: the network accepted it · busy: the subscriber is in a dialogue · unsent: there is no line to send it on, or
 * it is too late · unknown: no response, so the screen may be on the handset · no-flow: the flow does not exist ·
 * otherwise the network refused it, or its dialect cannot write it.
 */
export type PushResult = 'shown' | 'busy' | 'unsent' | 'unknown' | 'no-flow' | PushRefusal

/** What became of the screen. Whether an SMS replaces it is decided later. */
export interface ScreenOutcome {
  is: PushResult
  /** The SMSC's status, if the network refused. */
  status?: number
  /** The epoch of the dialogue that was opened. */
  epoch?: string
}

export interface ScreenDeps {
  clock: Clock
  metrics: Metrics
  limits: { confirmMs: number }
}

/** The share of the time that a reply may stay unconfirmed. */
const SHARE = 0.8

export async function showScreen(
  deps: ScreenDeps,
  { line, path }: Pick<PushWay, 'line' | 'path'>,
  reply: UssdReply,
  ttlMs: number,
): Promise<ScreenOutcome> {
  const { pdu } = line.dialect.write(reply, path)
  // Shorter than the time after which the sweep sends an unconfirmed screen again. Otherwise it would go out twice.
  const deadline = deps.clock.now() + Math.min(ttlMs, deps.limits.confirmMs * SHARE)
  const outcome = await line.submit(pdu, { lane: 'ussd', deadline })
  deps.metrics.count('ussd_replies_total', { line: line.name, action: reply.action, result: outcome.kind })
  // Such a network answers a refusal at once. A success it answers only when the subscriber does.
  return outcome.kind === 'timeout' && isWithheld(line, reply) ? { is: 'shown' } : outcomeOf(outcome, line)
}

function isWithheld(line: Line, reply: UssdReply): boolean {
  return reply.action === 'push-begin' && line.dialect.habits.submitResp === 'withheld'
}

function outcomeOf(outcome: SubmitOutcome, line: Line): ScreenOutcome {
  switch (outcome.kind) {
    case 'ok':
      return { is: 'shown' }
    case 'refused':
      return { is: pushRefusalOf(line.dialect.policy(outcome.status)), status: outcome.status }
    case 'unsent':
      return { is: 'unsent' }
    default:
      return { is: 'unknown' }
  }
}
