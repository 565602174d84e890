/** Subscribers who want no SMS: checked by the statement before each SMS leaves. */
import type { Knex } from 'knex'

/** No more SMS to that number, not even those already in the outbox. False: it had opted out before. */
export async function optOut(knex: Knex, msisdn: string, nowMs: number): Promise<boolean> {
  const row = { msisdn, opted_out_at: new Date(nowMs) }
  const made = await knex('sms_opt_out').insert(row).onConflict('msisdn').ignore().returning('msisdn')
  return made.length > 0
}

/** False: it was so before. */
export async function optIn(knex: Knex, msisdn: string): Promise<boolean> {
  return (await knex('sms_opt_out').where({ msisdn }).delete()) > 0
}
