/** What the outbox no longer needs, and what a subscriber wants gone. */
import type { Knex } from 'knex'
import { ORPHAN_MS } from './settings.ts'

/** Rows forgotten at once: a purge must not hold the table. The rest goes with the next one. */
const ROWS_MAX = 5_000
/** How long it is known what a subscriber wrote last: longer than any SMSC repeats itself. */
const INCOMING_MS = 7 * 24 * 3_600_000

/** Forgets receipts that nobody asked for in a day, and SMS that were settled `keepMs` ago. Answers how many. */
export async function forgetOld(knex: Knex, nowMs: number, keepMs: number): Promise<number> {
  const before = (ms: number) => new Date(nowMs - ms)
  const orphans = await knex('sms_receipt_orphan').where('received_at', '<', before(ORPHAN_MS)).delete()
  const old = knex('sms_outbox').where('created_at', '<', before(keepMs)).andWhere('expires_at', '<', before(keepMs))
    .whereNotIn('state', ['due', 'submitting', 'ambiguous']).limit(ROWS_MAX).select('id')
  const incoming = await knex('sms_incoming').where('received_at', '<', before(INCOMING_MS)).delete()
  return orphans + incoming + await knex('sms_outbox').whereIn('id', old).delete()
}

/** Removes everything about one MSISDN but its opt-out, which says that no SMS is wanted. Answers how many rows. */
export async function eraseSms(knex: Knex, msisdn: string): Promise<number> {
  return knex.transaction(async (trx) => {
    const orphans = await trx('sms_receipt_orphan').where({ sender: msisdn }).delete()
      + await trx('sms_incoming').where({ msisdn }).delete()
    return orphans + await trx('sms_outbox').where({ msisdn }).delete()
  })
}
