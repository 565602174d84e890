/** Dialogues that we opened: how they differ from dialled ones, and how their replies are written. Pure. */
import type { DialogueRecord } from '../dialogue/index.ts'
import type { UssdReply } from '../ussd/index.ts'

const LEAD = 'push:'

/** Takes the place of the service code in a dialogue that we open. Nobody can dial it. */
export function pushCode(flow: string): string {
  return LEAD + flow
}

/** The flow of such a code, or null for a dialled code. */
export function pushedFlow(code: string): string | null {
  return code.startsWith(LEAD) ? code.slice(LEAD.length) : null
}

/**
 * A reply in the right operation for the side that opened the dialogue: in ours there is no PSSR to answer. (3GPP TS
 * 24.090 §6.3)
 */
export function replyIn(record: Pick<DialogueRecord, 'code' | 'turn'>, reply: UssdReply): UssdReply {
  if (pushedFlow(record.code) === null) return reply
  // A push that ends at once is a notification: the network has no dialogue to end.
  if (reply.action === 'end') return { ...reply, action: record.turn === 1 ? 'notify' : 'push-end' }
  return reply.action === 'continue' && record.turn === 1 ? { ...reply, action: 'push-begin' } : reply
}
