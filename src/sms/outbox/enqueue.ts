/** Enqueues an SMS that is due now, with a statement of its own. */
import { statement, type SqlRunner } from '../../base/index.ts'
import type { Clock } from '../../ussd/index.ts'

export interface EnqueuedSms {
  /** Unique among SMS of its kind. */
  id: string
  kind: string
  msisdn: string
  /** '' for any line. */
  line: string
  text: string
}

/** After this time the SMS is useless. */
const OF_USE_MS = 3_600_000

/** A repetition comes at another moment, and the unique index would take that for another SMS. */
const ENQUEUE = statement(
  'sms-enqueue',
  `
  INSERT INTO sms_outbox (subject, kind, msisdn, line, text, due_at, expires_at, wake_at, created_at)
  SELECT CAST(:subject AS text), CAST(:kind AS text), CAST(:msisdn AS text), CAST(:line AS text), CAST(:text AS text),
    CAST(:due AS timestamptz), CAST(:expires AS timestamptz), CAST(:now AS timestamptz), CAST(:now AS timestamptz)
  WHERE NOT EXISTS (SELECT FROM sms_outbox WHERE subject = :subject AND kind = :kind)
  ON CONFLICT ON CONSTRAINT sms_outbox_once DO NOTHING`,
)

/** Twice with the same id is one SMS. It is sent at any hour. */
export async function enqueueSms(
  sql: SqlRunner,
  { id, kind, msisdn, line, text }: EnqueuedSms,
  clock: Clock,
): Promise<void> {
  const [now, todayMs] = [new Date(clock.now()), clock.today()]
  const moments = { due: new Date(todayMs), expires: new Date(todayMs + OF_USE_MS), now }
  await ENQUEUE(sql, { subject: `${kind}:${id}`, kind, msisdn, line, text, ...moments })
}
