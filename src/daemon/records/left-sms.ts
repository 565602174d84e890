/**
 * SMS for subscribers who left a dialogue on a screen that has `abandoned`. The record of the dialogue brings what is
 * asked for, and the SMS goes into the outbox in the transaction in which the record is new: so it is sent once.
 */
import { hookOf, type Settings } from '../../config/index.ts'
import { dialogueInLog, type Log, type Metrics, type Sql, type SqlRunner } from '../../base/index.ts'
import type { CallRecord } from '../../dialogue/index.ts'
import { flowOfRevision } from '../../records/index.ts'
import { smsRequests, smsRequestSchema } from '../../sms/requests/index.ts'
import type { Clock } from '../../ussd/index.ts'
import { ownerOf, requestOf, wrongWords } from '../backends/index.ts'

export interface LeftSmsDeps {
  settings: Settings
  clock: Clock
  log: Log
  metrics: Pick<Metrics, 'count'>
}

const NOT_SENT = 'the SMS for a subscriber who left a dialogue is not sent'
/** What becomes of a request that nobody will get an SMS for. */
const LOST: ReadonlySet<string> = new Set(['wrong', 'not-allowed', 'too-late', 'busy'])

/** Writes what these records ask for. Rejects only if Postgres fails. */
export function leftSms({ settings, clock, log, metrics }: LeftSmsDeps) {
  const count = (owner: string, result: string) => metrics.count('sms_requests_total', { owner, result })
  return async (trx: SqlRunner, records: readonly CallRecord[]): Promise<void> => {
    for (const record of records) {
      // A test dial changes nothing.
      if (record.ifLeft === undefined || record.channel === 'test') continue
      const owner = ownerOf(flowOfRevision(record.flow))
      const refused = (is: string, what?: string) => log.warn({ owner, is, what, ...dialogueInLog(record) }, NOT_SENT)
      const read = smsRequestSchema.safeParse(requestOf(record.ifLeft))
      if (!read.success) {
        count(owner, 'wrong')
        refused('wrong', wrongWords(read.error.issues))
        continue
      }
      const { msisdn, line, language, epoch, endedMs } = record
      const requests = smsRequests({
        sql: within(trx),
        clock,
        settings,
        hookOf: (of) => hookOf(settings.smsHooks, of),
        count,
      })
      const asker = { owner, msisdn, line, language, key: `${epoch}:left` }
      const answer = await requests.put(asker, read.data, clock.today() - Math.max(0, clock.now() - endedMs))
      if (LOST.has(answer.is)) refused(answer.is, 'what' in answer ? answer.what : undefined)
    }
  }
}

/** The transaction as a database. */
function within(trx: SqlRunner): Sql {
  return { run: (prepared, bindings) => trx.run(prepared, bindings), transaction: (run) => run(trx) }
}
