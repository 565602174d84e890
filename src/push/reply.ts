/** Dialogues that we opened: what tells them from those that a subscriber dialled, and how they speak. Pure. */
import type { DialogueRecord } from '../dialogue/index.ts'
import type { UssdReply } from '../ussd/index.ts'

const LEAD = 'push:'

/** What stands for the service code of a dialogue that we open; nobody can dial it. */
export function pushCode(flow: string): string {
  return LEAD + flow
}

/** The flow of such a code, or null for a code that was dialled. */
export function pushedFlow(code: string): string | null {
  return code.startsWith(LEAD) ? code.slice(LEAD.length) : null
}

/**
 * A reply in the words of whoever opened the dialogue: there is no PSSR to answer in one of ours. (3GPP TS 24.090 §6.3)
 */
export function replyIn(record: Pick<DialogueRecord, 'code' | 'turn'>, reply: UssdReply): UssdReply {
  if (pushedFlow(record.code) === null) return reply
  // A push that ends at once is a notification: the network has no dialogue that it could end.
  if (reply.action === 'end') return { ...reply, action: record.turn === 1 ? 'notify' : 'push-end' }
  return reply.action === 'continue' && record.turn === 1 ? { ...reply, action: 'push-begin' } : reply
}
