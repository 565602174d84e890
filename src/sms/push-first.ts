/** Reminders and answers as a USSD push first, and as an SMS if the push fails. */
import type { Push } from '../push/index.ts'
import { ANSWER_ON_SCREEN, type SmsSubmit } from './terms/index.ts'

export interface ChannelDeps {
  push: Pick<Push, 'push'>
  /** The flow that shows what the reminder is about. */
  flow: string
  ttlMs: number
}

/**
 * Sends reminders by USSD push. `sms` sends everything else, and reminders that were certainly not shown. An SMS of
 * which some parts are accepted continues as an SMS.
 */
export function pushThenSms(sms: SmsSubmit, { push, flow, ttlMs }: ChannelDeps): SmsSubmit {
  return async (one, beforePart) => {
    if (one.kind !== 'reminder' || one.taken) return sms(one, beforePart)
    const shown = await push.push({ msisdn: one.msisdn, flow, ttlMs, ...(one.line ? { line: one.line } : {}) })
    return shown.is === 'shown' ? { is: 'accepted', messageIds: [] } : sms(one, beforePart)
  }
}

/** The same for answers that are to be read on the screen. `sms` sends everything else, and what was not shown. */
export function answerOnScreen(
  sms: SmsSubmit,
  { push, ttlMs }: { push: Pick<Push, 'notify'>; ttlMs: number },
): SmsSubmit {
  return async (one, beforePart) => {
    if (one.kind !== ANSWER_ON_SCREEN || one.taken) return sms(one, beforePart)
    const { msisdn, text, line } = one
    const shown = await push.notify({ msisdn, text, ttlMs, ...(line ? { line } : {}) })
    return shown.is === 'shown' ? { is: 'accepted', messageIds: [] } : sms(one, beforePart)
  }
}
