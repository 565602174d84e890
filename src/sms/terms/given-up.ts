/**
 * SMS that nobody gets any more: each is counted, and has a line in the log that says why in words. The code that
 * settles an SMS tells it here, also within a transaction that may run again: the same end within a minute is told
 * once.
 */
import { createRates, monotonicClock, RecentMap, type Counters, type Log } from '../../base/index.ts'
import type { Clock } from '../../ussd/index.ts'
import { givenUpBy, smsReason, type SmsFate } from './reason.ts'

export interface GivenUpSms extends SmsFate {
  id: string
  kind: string
  msisdn: string
  line: string
}

export type GivingUp = (sms: GivenUpSms) => void

/**
 * Lines in the log: enough for every SMS that fails in the ordinary way, and for the first of a campaign to dead
 * numbers. The counter counts all, and `sms list --state failed` lists them.
 */
export const GIVEN_UP_LINES = { perSecond: 20, burst: 200, keysMax: 1 }
/** For so long the same end is not told twice. */
const SAME_MS = 60_000
const TOLD_MAX = 10_000

export function tellGivenUp({ log, counters, clock }: { log: Log; counters: Counters; clock: Clock }): GivingUp {
  const lines = createRates(GIVEN_UP_LINES)
  const now = monotonicClock(clock)
  const told = new RecentMap<string, number>(TOLD_MAX)
  return (sms) => {
    const { id, kind, msisdn, line, status, attempts } = sms
    const nowMs = now()
    if (nowMs < (told.get(id) ?? -Infinity) + SAME_MS) return
    told.set(id, nowMs)
    const why = givenUpBy(sms)
    counters.count('sms_given_up_total', { line, why })
    if (!lines.take('', nowMs)) return counters.count('limits_total', { limit: 'sms_given_up_lines' })
    const how = status === null ? { attempts } : { attempts, status }
    log.warn({ sms: id, msisdn, line, kind, why, ...how, reason: smsReason(sms) }, 'SMS given up')
  }
}
