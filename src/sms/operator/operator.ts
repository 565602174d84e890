/** What an operator sees of the outbox, and does with it: one object for the admin server. */
import type { Counters, Sql } from '../../base/index.ts'
import type { Cancelled } from '../outbox/index.ts'
import type { Clock } from '../../ussd/index.ts'
import { cancelOne, retrySms, type Retried, type RetryHow } from './change.ts'
import { pageOfSms, smsOfSubscriber, type ListedSms, type SmsAsked, type SmsPage } from './list.ts'

export interface SmsOperator {
  page(asked: SmsAsked): Promise<SmsPage>
  /** The newest SMS of one subscriber. */
  of(msisdn: string): Promise<ListedSms[]>
  retry(id: string, how: RetryHow): Promise<Retried>
  cancel(id: string): Promise<{ is: Cancelled; msisdn?: string }>
}

export interface SmsOperatorDeps {
  sql: Sql
  clock: Clock
  counters: Counters
  /** Whether SMS of this line can be cancelled at its SMSC. */
  manages(line: string): boolean
}

/** Its functions reject if Postgres is unreachable. */
export function smsOperator({ sql, clock, counters, manages }: SmsOperatorDeps): SmsOperator {
  const counted = <T extends { is: string }>(what: string, done: T): T => {
    counters.count('sms_operator_total', { what, result: done.is })
    return done
  }
  return {
    page: (asked) => pageOfSms(sql, asked),
    of: (msisdn) => smsOfSubscriber(sql, msisdn),
    retry: async (id, how) => counted('retry', await retrySms(sql, clock, id, how)),
    cancel: async (id) => counted('cancel', await cancelOne(sql, id, { clock, manages })),
  }
}
