/** An SMS that is due now, written outside any other statement. */
import type { Knex } from 'knex'
import type { Clock } from '../../ussd/index.ts'

export interface EnqueuedSms {
  /** Unique among SMS of its kind. */
  id: string
  kind: string
  msisdn: string
  /** '' for any. */
  line: string
  text: string
}

/** Of no use later. */
const OF_USE_MS = 3_600_000

/** Twice with the same id is one SMS. Sent at any hour. */
export async function enqueueSms(
  knex: Knex,
  { id, kind, msisdn, line, text }: EnqueuedSms,
  clock: Clock,
): Promise<void> {
  const [now, todayMs] = [new Date(clock.now()), clock.today()]
  const subject = `${kind}:${id}`
  // A repetition comes at another moment, which the unique index would take for another SMS.
  if (await knex('sms_outbox').where({ subject, kind }).first('id')) return
  await knex('sms_outbox')
    .insert({
      subject,
      kind,
      msisdn,
      line,
      text,
      quiet_zone: null,
      due_at: new Date(todayMs),
      expires_at: new Date(todayMs + OF_USE_MS),
      wake_at: now,
      created_at: now,
    })
    .onConflict(['subject', 'kind', 'due_at'])
    .ignore()
}
