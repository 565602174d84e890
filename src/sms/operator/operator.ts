/** What an operator sees of the outbox, and does with it: one object for the admin server. */
import type { Counters, Sql } from '../../base/index.ts'
import type { Cancelled } from '../outbox/index.ts'
import type { Clock } from '../../ussd/index.ts'
import { cancelOne, retrySms, type Retried, type RetryHow } from './change.ts'
import type { OutboxSeen } from './depth.ts'
import {
  type FailedFor,
  failedFor,
  pageOfSms,
  smsOfSubscriber,
  type ListedSms,
  type SmsAsked,
  type SmsPage,
} from './list.ts'

export interface SmsOperator {
  page(asked: SmsAsked): Promise<SmsPage>
  /** Why the newest that failed did. */
  failedFor(asked: Pick<SmsAsked, 'sinceMs' | 'untilMs'>): Promise<FailedFor[]>
  /** As the last look found it; null: nobody has looked yet. */
  depth(): OutboxSeen | null
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
  /** Of the watch that looks every few seconds. */
  depth: SmsOperator['depth']
}

/** Its functions reject if Postgres is unreachable. */
export function smsOperator({ sql, clock, counters, manages, depth }: SmsOperatorDeps): SmsOperator {
  const counted = <T extends { is: string }>(what: string, done: T): T => {
    counters.count('sms_operator_total', { what, result: done.is })
    return done
  }
  return {
    page: (asked) => pageOfSms(sql, asked),
    failedFor: (asked) => failedFor(sql, asked),
    depth,
    of: (msisdn) => smsOfSubscriber(sql, msisdn),
    retry: async (id, how) => counted('retry', await retrySms(sql, clock, id, how)),
    cancel: async (id) => counted('cancel', await cancelOne(sql, id, { clock, manages })),
  }
}
