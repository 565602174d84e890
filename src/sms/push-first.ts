/** Reminders as a USSD push first, and as an SMS if the push fails. */
import type { Push } from '../push/index.ts'
import type { SmsSubmit } from './outbox/index.ts'

export interface ChannelDeps {
  push: Pick<Push, 'push'>
  /** Shows what the reminder is about. */
  flow: string
  ttlMs: number
}

/**
 * Sends reminders by USSD push; everything else, and reminders that were certainly not shown, by `sms`. An SMS of which
 * parts are accepted goes on as an SMS.
 */
export function pushThenSms(sms: SmsSubmit, { push, flow, ttlMs }: ChannelDeps): SmsSubmit {
  return async (one, beforePart) => {
    if (one.kind !== 'reminder' || one.taken) return sms(one, beforePart)
    const shown = await push.push({ msisdn: one.msisdn, flow, ttlMs, ...(one.line ? { line: one.line } : {}) })
    return shown.is === 'shown' ? { is: 'accepted', messageIds: [] } : sms(one, beforePart)
  }
}
