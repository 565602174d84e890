/** One screen of ours on a handset: what the network makes of it. */
import type { Metrics } from '../base/index.ts'
import type { Line, SubmitOutcome } from '../smpp/index.ts'
import type { Clock, UssdReply } from '../ussd/index.ts'
import { pushRefusalOf, type PushRefusal } from './refusal.ts'
import type { PushWay } from './way.ts'

/**
 * shown: the network took it · busy: the subscriber is in a dialogue · unsent: no line to send it on, or too late ·
 * unknown: no response, so it may stand on the handset · no-flow · else the network refused, or its dialect cannot say
 * it.
 */
export type PushResult = 'shown' | 'busy' | 'unsent' | 'unknown' | 'no-flow' | PushRefusal

/** What became of the screen; whether an SMS takes its place is not decided yet. */
export interface ScreenOutcome {
  is: PushResult
  /** Where the network refused: the SMSC's status. */
  status?: number
  /** Of the dialogue that it opened. */
  epoch?: string
}

export interface ScreenDeps {
  clock: Clock
  metrics: Metrics
  limits: { confirmMs: number }
}

/** Of the time that a reply may stay unconfirmed. */
const SHARE = 0.8

export async function showScreen(
  deps: ScreenDeps,
  { line, path }: Pick<PushWay, 'line' | 'path'>,
  reply: UssdReply,
  ttlMs: number,
): Promise<ScreenOutcome> {
  const { pdu } = line.dialect.write(reply, path)
  // Shorter than the time after which the sweep sends an unconfirmed screen again: otherwise it would go out twice.
  const deadline = deps.clock.now() + Math.min(ttlMs, deps.limits.confirmMs * SHARE)
  const outcome = await line.submit(pdu, { lane: 'ussd', deadline })
  deps.metrics.count('ussd_replies_total', { line: line.name, action: reply.action, result: outcome.kind })
  // Such a network answers a refusal at once, and else when the subscriber does.
  return outcome.kind === 'timeout' && isWithheld(line, reply) ? { is: 'shown' } : outcomeOf(outcome)
}

function isWithheld(line: Line, reply: UssdReply): boolean {
  return reply.action === 'push-begin' && line.dialect.habits.submitResp === 'withheld'
}

function outcomeOf(outcome: SubmitOutcome): ScreenOutcome {
  switch (outcome.kind) {
    case 'ok':
      return { is: 'shown' }
    case 'refused':
      return { is: pushRefusalOf(outcome.status), status: outcome.status }
    case 'unsent':
      return { is: 'unsent' }
    default:
      return { is: 'unknown' }
  }
}
